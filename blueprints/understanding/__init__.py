"""Understanding with a model: the planner reads first, a model fills in what the words leave open, and what they say wins.

Nothing that a model says causes an effect: it is data of a shape, and becomes a draft through the same checks as any other."""

from blueprints.understanding.drafting import Asking, draft, stream
from blueprints.understanding.sources import Source, source_for

__all__ = ["Asking", "Source", "draft", "source_for", "stream"]
