"""Who there is and what is theirs: organizations, their environments and projects, members and API keys."""

import hashlib
import secrets
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from alma.accounts.scopes import EVERYTHING, in_words

if TYPE_CHECKING:
    from alma.accounts.actors import Actor

PREFIX_LENGTH = 12
EXPIRY_WARNING = timedelta(days=14)


def new_token_id() -> str:
    """What a key is called in addresses and lists; it opens nothing."""
    return f"tok_{secrets.token_hex(8)}"


class OwnedQuerySet(models.QuerySet):
    """Rows that belong to one organization through a field of that name."""

    def visible_to(self, actor: "Actor") -> Self:
        """The rows of the actor's own organization; none for an actor without one."""
        return self.filter(organization_id=actor.organization_id) if actor.organization_id else self.none()


class Organization(models.Model):
    """A tenant. Nothing of it is visible to another."""

    slug = models.SlugField(unique=True, max_length=50)
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class Environment(models.Model):
    """Where a plan is carried out, with the rule of who must agree before."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="environments")
    slug = models.SlugField(max_length=50)
    name = models.CharField(max_length=100)
    required_approvals = models.PositiveSmallIntegerField(
        default=1, validators=[MaxValueValidator(10)], help_text="Counted reviews that a plan needs before it may run."
    )
    is_protected = models.BooleanField(
        default=False, help_text="Only verified people count, authors may not approve their own plans."
    )
    position = models.PositiveSmallIntegerField(default=0)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ["position", "slug"]
        constraints = [models.UniqueConstraint(fields=["organization", "slug"], name="environment_slug")]

    def __str__(self) -> str:
        return self.name


class ProjectQuerySet(OwnedQuerySet):
    """Projects that are still there."""

    def visible_to(self, actor: "Actor") -> Self:
        """What the actor's organization has and has not deleted."""
        return super().visible_to(actor).filter(deleted_at=None)


class Project(models.Model):
    """A group of blueprints within an organization, and what its machines may cost in a month."""

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="projects")
    slug = models.SlugField(max_length=50)
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True, max_length=2000)
    monthly_budget = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)],
        help_text="In the currency of the table of prices. Empty: no bound.",
    )  # fmt: skip
    metadata = models.JSONField(default=dict, blank=True)
    settings = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "slug"], condition=Q(deleted_at=None), name="project_slug_living"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's role in an organization."""

    class Role(models.TextChoices):
        VIEWER = "viewer"
        REQUESTER = "requester"
        REVIEWER = "reviewer"
        DEPLOYER = "deployer"
        OPERATOR = "operator"
        ADMIN = "admin"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role, default=Role.VIEWER)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ["organization_id", "user_id"]
        constraints = [models.UniqueConstraint(fields=["organization", "user"], name="one_membership")]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class ApiKeyQuerySet(OwnedQuerySet):
    """Keys by what may be done with them now."""

    def active(self) -> Self:
        """Neither revoked nor expired."""
        return self.filter(revoked_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


class ApiKey(models.Model):
    """A credential of a program: random bits, of which only the SHA-256 and the first 12 characters are kept."""

    class Lane(models.TextChoices):
        LIVE = "live"
        TEST = "test"

    class State(models.TextChoices):
        ACTIVE = "active"
        EXPIRING = "expiring"
        EXPIRED = "expired"
        REVOKED = "revoked"

    class Style(models.TextChoices):
        """How a secret begins, by the document that its holder goes by, and how many random bytes follow."""

        ALM = "alm"
        PXA = "pxa"
        SK = "sk"

    BYTES: Mapping[Style, int] = {Style.ALM: 24, Style.PXA: 16, Style.SK: 24}

    token_id = models.CharField(max_length=24, unique=True, default=new_token_id, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="api_keys")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="api_keys")
    created_by = models.CharField(max_length=150, blank=True, editable=False)
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=500, blank=True)
    lane = models.CharField(max_length=8, choices=Lane, default=Lane.LIVE)
    prefix = models.CharField(max_length=PREFIX_LENGTH, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list, help_text="Like blueprint:write; empty means nothing.")
    requests_per_minute = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="To models. Empty: no bound."
    )
    requests_at_once = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="To models. Empty: no bound."
    )
    tokens_per_day = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Of prompts and completions, in UTC. Empty: no bound."
    )
    tokens_per_month = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Of prompts and completions, in UTC. Empty: no bound."
    )
    instances = models.JSONField(default=list, blank=True, help_text="Names of the models that it may use. Empty: all.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_from = models.CharField(max_length=45, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @staticmethod
    def digest_of(secret: str) -> str:
        """What is stored of a secret, and looked up."""
        return hashlib.sha256(secret.encode()).hexdigest()

    @classmethod
    def mint(
        cls,
        organization: Organization,
        name: str,
        scopes: frozenset[str],
        *,
        style: "ApiKey.Style" = Style.ALM,
        **fields: Any,
    ) -> tuple["ApiKey", str]:
        """Make a key; its secret is returned this once and stored nowhere. `fields` are those of the row."""
        lane = fields.setdefault("lane", cls.Lane.LIVE)
        start = f"{style}_{lane}_" if style == cls.Style.ALM else f"{style}{'-' if style == cls.Style.SK else '_'}"
        secret = start + secrets.token_hex(cls.BYTES[style])
        key = cls.objects.create(
            organization=organization, name=name, prefix=secret[:PREFIX_LENGTH], digest=cls.digest_of(secret),
            scopes=sorted(scopes & EVERYTHING), **fields,
        )  # fmt: skip
        return key, secret

    @property
    def state(self) -> State:
        """What may be done with it now, and for how much longer."""
        now = timezone.now()
        if self.revoked_at:
            return self.State.REVOKED
        if self.expires_at and self.expires_at <= now:
            return self.State.EXPIRED
        if self.expires_at and self.expires_at <= now + EXPIRY_WARNING:
            return self.State.EXPIRING
        return self.State.ACTIVE

    @property
    def rights_in_words(self) -> str:
        """What it may do, for a row of a list."""
        return in_words(frozenset(self.scopes))

    def revoke(self) -> bool:
        """End the key for good; the next request with it is refused. False when that had happened before."""
        changed = ApiKey.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=timezone.now())
        self.refresh_from_db(fields=["revoked_at"])
        return bool(changed)


class SignInAttempts(models.Model):
    """Failed attempts of one name from one address. The pair is kept as a keyed digest: people type passwords into the
    field of the name."""

    pair = models.CharField(max_length=64, unique=True)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(db_index=True)
    blocked_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.failures} failures"
