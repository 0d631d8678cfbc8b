"""Assistants and conversations: who answers, what was said, and what came of it."""
