"""Who outside is told of events, and how far each telling has come."""

import base64
import secrets
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from alma.accounts.models import Organization, OwnedQuerySet
from alma.errors import WrongState
from alma.events.models.log import Event
from alma.sealing import Seal

if TYPE_CHECKING:
    from alma.accounts.actors import Actor

SECRET = Seal(
    b"alma events: secret of a webhook",
    "The secret of this webhook was stored under another secret key; make a new one.",
    "SECRET_UNREADABLE",
)
SECRET_PREFIX = "whsec_"
OVERLAP = timedelta(hours=24)
"""How long both secrets sign after a change."""
MOST_DEAD = 20
"""Deliveries in a row that were given up, after which a webhook is turned off."""
HISTORY = 25


def new_secret() -> str:
    """256 random bits in the form of Standard Webhooks."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def new_message_id() -> str:
    """What `webhook-id` says, the same at every attempt."""
    return f"msg_{secrets.token_hex(16)}"


class EndpointQuerySet(OwnedQuerySet):
    """Webhooks by use."""

    def visible_to(self, actor: "Actor") -> Self:
        """What the actor's organization has and has not deleted."""
        return super().visible_to(actor).living()

    def living(self) -> Self:
        """Those that were not deleted."""
        return self.filter(deleted_at=None)

    def active(self) -> Self:
        """Those that are told of events."""
        return self.filter(is_active=True)


class WebhookEndpoint(models.Model):
    """A URL that is told of an organization's events."""

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=2000)
    description = models.CharField(max_length=200, blank=True)
    kinds = models.JSONField(default=list, help_text="Names of events; empty means all.")
    secret_sealed = models.TextField(editable=False)
    previous_secret_sealed = models.TextField(blank=True, editable=False)
    previous_until = models.DateTimeField(null=True, blank=True, editable=False)
    is_active = models.BooleanField(default=True, editable=False)
    disabled_reason = models.CharField(max_length=300, blank=True, editable=False)
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    dead_count = models.PositiveIntegerField(default=0, editable=False, help_text="Given up in a row.")
    resume_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Not before then; set when the receiver asked for a pause."
    )
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.public_id

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("webhooks:detail", args=[self.pk])

    @property
    def public_id(self) -> str:
        """Its id for clients: `webhook-001`."""
        return f"webhook-{self.pk:03d}"

    @property
    def stream(self) -> str:
        """Where its own story is told."""
        return f"webhook:{self.pk}"

    def seal(self, secret: str) -> None:
        """Take a first secret; save() stores it."""
        self.secret_sealed = SECRET.seal(secret)

    def replace_secret(self, secret: str) -> None:
        """Take a new secret; until the overlap ends the one before it signs as well. save() stores it."""
        self.previous_secret_sealed, self.previous_until = self.secret_sealed, timezone.now() + OVERLAP
        self.seal(secret)

    @property
    def is_overlapping(self) -> bool:
        """Whether two secrets sign now."""
        return bool(self.previous_until and self.previous_secret_sealed and self.previous_until > timezone.now())

    def forget(self) -> None:
        """Delete it: it is told of nothing more and keeps no secret. save() stores that."""
        self.is_active, self.deleted_at = False, timezone.now()
        self.secret_sealed = self.previous_secret_sealed = ""

    def signing_secrets(self) -> list[str]:
        """The secrets that sign now, the newest first. Raises Unavailable when they cannot be opened any more."""
        sealed = [self.secret_sealed, *([self.previous_secret_sealed] if self.is_overlapping else [])]
        return [SECRET.unseal(one) for one in sealed]


class Outcome(models.TextChoices):
    """All that is kept of an attempt: the class of the answer, or why there was none."""

    SUCCESS = "2xx", "Accepted (2xx)"
    REDIRECT = "3xx", "Redirect (3xx), not followed"
    REFUSED = "4xx", "Refused (4xx)"
    ERROR = "5xx", "Receiver's error (5xx)"
    ODD = "odd", "No usual status"
    NO_ADDRESS = "no_address", "No allowed address"
    NO_CONNECTION = "no_connection", "No connection"
    TLS = "tls", "TLS not verified"
    TIMEOUT = "timeout", "Too slow"
    NO_ANSWER = "no_answer", "No answer"
    NOT_CALLED = "not_called", "URL not allowed"
    DISABLED = "disabled", "Webhook is off"
    NO_SECRET = "no_secret", "Secret unreadable"
    INTERRUPTED = "interrupted", "Sender was interrupted"


class DeliveryQuerySet(models.QuerySet):
    """Deliveries by what they wait for."""

    def visible_to(self, actor: "Actor") -> Self:
        """Those of the webhooks of the actor's own organization."""
        if not actor.organization_id:
            return self.none()
        return self.filter(endpoint__organization_id=actor.organization_id)

    def open(self) -> Self:
        """Neither delivered nor given up."""
        return self.filter(state__in=WebhookDelivery.OPEN)

    def due(self) -> Self:
        """To be sent now, the longest waiting first. Reads one index as far as there is something to do."""
        is_resumed = Q(endpoint__resume_at=None) | Q(endpoint__resume_at__lte=Now())
        return self.filter(is_resumed, next_at__lte=Now()).order_by("next_at", "pk")

    def move(self, to: "WebhookDelivery.State", outcome: Outcome) -> int:
        """Move all of them that may; how many did. Whoever is sending one of them right now can no longer record it."""
        froms = [state for state, targets in WebhookDelivery.MOVES.items() if to in targets]
        stamps = {
            "last_outcome": outcome,
            "next_at": None,
            "ended_at": Now(),
            "lease_token": models.F("lease_token") + 1,
        }
        return self.filter(state__in=froms).update(state=to, **stamps)


class WebhookDelivery(models.Model):
    """One event on its way to one webhook. Written with the event itself; tried until it is delivered or dead."""

    class State(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        RETRYING = "retrying"
        DEAD = "dead"

    OPEN = (State.PENDING, State.RETRYING)
    MOVES = {
        State.PENDING: {State.DELIVERED, State.RETRYING, State.DEAD},
        State.RETRYING: {State.RETRYING, State.DELIVERED, State.DEAD},
        State.DELIVERED: {State.PENDING},
        State.DEAD: {State.PENDING},
    }

    event = models.ForeignKey(Event, models.CASCADE, related_name="deliveries")
    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="deliveries")
    message_id = models.CharField(max_length=40, unique=True, default=new_message_id, editable=False)
    kind = models.CharField(max_length=60, editable=False, help_text="The event's name for this receiver.")
    state = models.CharField(max_length=12, choices=State, default=State.PENDING, editable=False)
    attempt = models.PositiveIntegerField(default=0, editable=False, help_text="Attempts that were begun.")
    round_began = models.PositiveIntegerField(default=0, editable=False, help_text="Attempts before it was sent anew.")
    next_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When it is due.")
    lease_token = models.PositiveBigIntegerField(default=0, editable=False)
    last_outcome = models.CharField(max_length=16, choices=Outcome, blank=True, editable=False)
    history = models.JSONField(default=list, editable=False, help_text="The last attempts: when, outcome, how long.")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="one_delivery"),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "retrying"], next_at__isnull=False, ended_at=None)
                | Q(state__in=["delivered", "dead"], next_at=None, ended_at__isnull=False),
                name="delivery_due_while_open",
            ),
        ]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="delivery_due"),
            models.Index(fields=["endpoint", "-id"], name="delivery_log"),
            models.Index(fields=["ended_at"], name="delivery_ended"),
        ]

    def __str__(self) -> str:
        return self.message_id

    @property
    def is_open(self) -> bool:
        """Whether it will be tried (again)."""
        return self.state in self.OPEN

    @property
    def tries(self) -> int:
        """Attempts of this round; the schedule counts these."""
        return self.attempt - self.round_began

    def move(self, to: "WebhookDelivery.State", **stamps: Any) -> None:
        """Change the state, from what was read and along MOVES only. Raises WrongState when it moved on meanwhile."""
        if to not in self.MOVES[WebhookDelivery.State(self.state)]:
            raise WrongState(f"A delivery that is {self.state} cannot become {to}.")
        same = WebhookDelivery.objects.filter(pk=self.pk, state=self.state, lease_token=self.lease_token)
        ended = {} if to in self.OPEN else {"next_at": None}
        stamps = {"ended_at": None if to in self.OPEN else Now(), **ended, **stamps}
        if not same.update(state=to, lease_token=self.lease_token + 1, **stamps):
            raise WrongState("This delivery has changed meanwhile; reload it.")
        self.refresh_from_db()
