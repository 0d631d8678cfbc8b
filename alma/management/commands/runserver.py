"""manage.py runserver: daphne, for working on ALMA.

Daphne is no app of ours: as one it brings Twisted into every process, and only this command needs it."""

from daphne.management.commands.runserver import Command

__all__ = ["Command"]
