"""Which model is asked, and on whose behalf: that of the installation, or that of an assistant."""

from dataclasses import dataclass, field, replace

from django.conf import settings

from alma.accounts.actors import Actor
from blueprints.models import Assistant

USE = "inference:use"


@dataclass(frozen=True)
class Source:
    """A model: an instance of this installation, or one behind an OpenAI-compatible endpoint."""

    model: str
    """What it is asked for by; empty for whatever the endpoint serves."""
    by: Actor
    url: str = ""
    """Of the endpoint; empty for an instance."""
    key: str = field(default="", repr=False)
    is_trusted: bool = False
    """Whether the operator named the endpoint. Those of tenants lead to public addresses only."""
    instructions: str = ""

    @property
    def name(self) -> str:
        """What people are told."""
        return self.model or "model"


def source_for(by: Actor, assistant: Assistant | None = None) -> Source | None:
    """The model of the assistant, or else the one that the operator chose; None when the planner is alone."""
    if assistant is not None and (assistant.model or assistant.endpoint):
        return replace(Source(assistant.model, _user_of(by), assistant.endpoint), instructions=assistant.instructions)
    if not (settings.ALMA_MODEL or settings.ALMA_MODEL_URL):
        return None
    told = assistant.instructions if assistant else ""
    return Source(settings.ALMA_MODEL, _user_of(by), settings.ALMA_MODEL_URL, settings.ALMA_MODEL_KEY, True, told)


def _user_of(by: Actor) -> Actor:
    """Whoever may draft may be answered by the model of drafts; nothing of its answer is theirs to choose."""
    return by.also(USE)
