"""The models that lie in the folder of models: what each is, what it would take, and how more of them come."""
