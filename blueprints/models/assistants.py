"""Assistants, and what people talk about with them or with the planner."""

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from alma.accounts.models import Organization, OwnedQuerySet
from alma.errors import WrongState

if TYPE_CHECKING:
    from alma.accounts.actors import Actor


class _HiddenQuerySet(OwnedQuerySet):
    """Rows that are hidden when they are deleted."""

    def visible_to(self, actor: "Actor") -> Self:
        """What the actor's organization has and has not deleted."""
        return super().visible_to(actor).filter(deleted_at=None)


class AssistantQuerySet(_HiddenQuerySet):
    """Assistants that are still there."""


class Assistant(models.Model):
    """Who answers: a model under a name, the tools that it may use, and what it is told beforehand."""

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="assistants")
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True, max_length=2000)
    model = models.CharField(max_length=100, blank=True, help_text="Name of an instance that runs a model.")
    endpoint = models.CharField(max_length=2000, blank=True, help_text="URL of an OpenAI-compatible server elsewhere.")
    tools = models.JSONField(default=list, blank=True, help_text="Names of the tools that it may use.")
    instructions = models.TextField(blank=True, max_length=8000)
    metadata = models.JSONField(default=dict, blank=True)
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = AssistantQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["organization", "deleted_at", "id"], name="assistant_living")]
        constraints = [models.CheckConstraint(condition=Q(model="") | Q(endpoint=""), name="assistant_one_model")]

    def __str__(self) -> str:
        return self.name

    @property
    def stream(self) -> str:
        """The name of its events."""
        return f"agent:{self.uid}"


class ConversationQuerySet(_HiddenQuerySet):
    """Conversations that are still there."""


class Conversation(models.Model):
    """What was said, by a person and an assistant, or by a person and the planner."""

    class Status(models.TextChoices):
        OPEN = "open"
        ARCHIVED = "archived"

    MOVES: Mapping[Status, frozenset[Status]] = {
        Status.OPEN: frozenset({Status.ARCHIVED}),
        Status.ARCHIVED: frozenset(),
    }

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="conversations")
    assistant = models.ForeignKey(Assistant, models.PROTECT, null=True, blank=True, related_name="conversations")
    title = models.CharField(max_length=200, blank=True)
    reference = models.CharField(max_length=100, blank=True, editable=False, help_text="What a client calls it.")
    status = models.CharField(max_length=12, choices=Status, default=Status.OPEN, editable=False)
    metadata = models.JSONField(default=dict, blank=True)
    message_count = models.PositiveIntegerField(default=0, editable=False)
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["organization", "deleted_at", "-id"], name="conversation_living")]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "reference"], condition=Q(deleted_at=None) & ~Q(reference=""),
                name="conversation_reference",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.title or str(self.uid)

    @property
    def stream(self) -> str:
        """The name of its events."""
        return f"session:{self.uid}"

    def move(self, to: "Conversation.Status") -> None:
        """Change the status along MOVES. Raises WrongState."""
        if to not in self.MOVES[Conversation.Status(self.status)]:
            raise WrongState(f"A session that is {self.status} cannot become {to}.")
        same = Conversation.objects.filter(pk=self.pk, status=self.status, deleted_at=None)
        if not same.update(status=to, updated_at=timezone.now()):
            raise WrongState("This session has changed meanwhile; reload it.")
        self.refresh_from_db(fields=["status", "updated_at"])


class MessageQuerySet(models.QuerySet):
    """Messages by who may read them."""

    def visible_to(self, actor: "Actor") -> Self:
        """The messages of conversations that the actor sees."""
        return self.filter(conversation__in=Conversation.objects.visible_to(actor))


class Message(models.Model):
    """One thing that was said; it never changes."""

    class Role(models.TextChoices):
        USER = "user"
        ASSISTANT = "assistant"

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="messages", db_index=False)
    number = models.PositiveIntegerField(help_text="From 1, without gaps.")
    role = models.CharField(max_length=12, choices=Role)
    author = models.CharField(max_length=150)
    content = models.TextField()
    draft = models.JSONField(null=True, blank=True, help_text="The blueprint that an answer proposes.")
    changes = models.JSONField(default=list, blank=True, help_text="What an answer changed in the draft before it.")
    wish = models.TextField(blank=True, help_text="The words that an answer understood, with those it asked about.")
    created_at = models.DateTimeField(default=timezone.now)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["conversation_id", "number"]
        constraints = [models.UniqueConstraint(fields=["conversation", "number"], name="message_number")]

    def __str__(self) -> str:
        return f"{self.conversation_id}/{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Only once. Raises WrongState."""
        if not self._state.adding:
            raise WrongState("What was said stays as it was said.")
        super().save(*args, **kwargs)
