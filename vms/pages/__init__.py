"""What the pages of machines show, and how they are searched."""
