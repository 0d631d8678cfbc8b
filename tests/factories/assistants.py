"""Assistants and conversations for tests."""

from typing import Any

from alma.accounts.models import Organization
from blueprints.models import Assistant, Conversation
from tests.factories.accounts import make_organization


def make_assistant(name: str = "Architect", *, organization: Organization | None = None, **values: Any) -> Assistant:
    """An assistant that may use no tool."""
    return Assistant.objects.create(
        organization=organization or make_organization(), name=name, created_by="tests", **values
    )


def make_conversation(*, organization: Organization | None = None, **values: Any) -> Conversation:
    """A conversation in which nothing was said yet."""
    return Conversation.objects.create(organization=organization or make_organization(), created_by="tests", **values)
