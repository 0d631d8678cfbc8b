"""Backups: what lies on storages, making them, bringing guests back from them, and proving that this works."""
