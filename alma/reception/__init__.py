"""What strangers may ask without an account: the documentation, and to be called back."""
