"""The Blueprints API of alma-api.txt."""
