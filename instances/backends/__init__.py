"""Programs that serve a model: which there are, which options they take, and how they are called."""
