"""Words about a draft that is there: what they change in it, and what they ask."""

from blueprints.revising.revising import Revision, added, revise, settled

__all__ = ["Revision", "added", "revise", "settled"]
