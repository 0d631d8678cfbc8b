"""What the pages of instances show."""
