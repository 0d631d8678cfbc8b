"""What people want to exist, and the conversations in which they say so."""

from blueprints.models.assistants import Assistant, AssistantQuerySet, Conversation, ConversationQuerySet, Message
from blueprints.models.blueprints import (
    Blueprint,
    BlueprintQuerySet,
    BlueprintRevision,
    BlueprintRevisionQuerySet,
    Removals,
)
from blueprints.models.prices import Price, PriceBook

__all__ = [
    "Assistant",
    "AssistantQuerySet",
    "Blueprint",
    "BlueprintQuerySet",
    "BlueprintRevision",
    "BlueprintRevisionQuerySet",
    "Conversation",
    "ConversationQuerySet",
    "Message",
    "Price",
    "PriceBook",
    "Removals",
]
