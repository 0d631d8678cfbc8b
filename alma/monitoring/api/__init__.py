"""The Monitoring API of alma-api.txt."""
