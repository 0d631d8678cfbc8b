"""What the pages of blueprints show, worked out without a request."""
