"""Words about a draft that is there: what they change in it, and what they ask."""

from blueprints.revising.revising import Revision, revise, settled

__all__ = ["Revision", "revise", "settled"]
