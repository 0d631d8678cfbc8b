"""Blueprints: what somebody wants to exist, and every version of it that was ever saved."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from alma.accounts.models import Organization, OwnedQuerySet, Project
from alma.errors import WrongState
from blueprints.schema import BlueprintDocument, parse_document

if TYPE_CHECKING:
    from alma.accounts.actors import Actor


class BlueprintQuerySet(OwnedQuerySet):
    """Blueprints that are still there."""

    def visible_to(self, actor: "Actor") -> Self:
        """What the actor's organization has and has not deleted."""
        return super().visible_to(actor).filter(deleted_at=None)

    def page(self, window: slice) -> "BlueprintQuerySet":
        """A window of these rows by id. Skipped rows are passed in the index and never read."""
        ids = self.order_by("id").values("id")[window]
        return Blueprint.objects.filter(id__in=ids).order_by("id")


class Blueprint(models.Model):
    """The newest version of a wish, flat for reading; its history is in `revisions`."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="blueprints", db_index=False)
    project = models.ForeignKey(Project, models.SET_NULL, null=True, blank=True, related_name="blueprints")
    name = models.CharField(max_length=200)
    version = models.CharField(max_length=20)
    description = models.TextField(blank=True)
    resources = models.JSONField(default=list)
    metadata = models.JSONField(default=dict, blank=True)
    revision_number = models.PositiveIntegerField(default=1)
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = BlueprintQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            # Holds all that the list filters and sorts by, so that the ids of a page come from the index alone.
            models.Index(fields=["organization", "deleted_at", "id"], name="blueprint_living"),
            models.Index(fields=["organization", "deleted_at", "-updated_at"], name="blueprint_recent"),
        ]
        constraints = [models.CheckConstraint(condition=Q(revision_number__gte=1), name="blueprint_revision_counts")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("blueprints:detail", args=[self.pk])

    @property
    def stream(self) -> str:
        """The name of its events."""
        return f"blueprint:{self.pk}"

    def current_revision(self) -> "BlueprintRevision":
        """The revision that the fields of this row show."""
        return self.revisions.get(number=self.revision_number)

    def show(self, document: BlueprintDocument) -> None:
        """Take over the content of a document; the caller saves."""
        content = document.as_dict()
        self.name, self.version, self.description = document.name, document.version, document.description
        self.resources, self.metadata = content["resources"], content["metadata"]


class BlueprintRevisionQuerySet(models.QuerySet):
    """Revisions by who may read them."""

    def visible_to(self, actor: "Actor") -> Self:
        """The revisions of blueprints that the actor sees."""
        return self.filter(blueprint__in=Blueprint.objects.visible_to(actor))


class BlueprintRevision(models.Model):
    """One saved version. What reviewers approve points here, so that nothing of it changes, ever."""

    blueprint = models.ForeignKey(Blueprint, models.CASCADE, related_name="revisions", db_index=False)
    number = models.PositiveIntegerField()
    document = models.JSONField()
    digest = models.CharField(max_length=64)
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now)

    objects = BlueprintRevisionQuerySet.as_manager()

    class Meta:
        ordering = ["blueprint_id", "number"]
        constraints = [models.UniqueConstraint(fields=["blueprint", "number"], name="blueprint_revision_number")]

    def __str__(self) -> str:
        return f"{self.blueprint_id} r{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Only once. Raises WrongState."""
        if not self._state.adding:
            raise WrongState("A saved revision never changes; save a new one.")
        super().save(*args, **kwargs)

    def parsed(self) -> BlueprintDocument:
        """The document with its sizes, counts and references read."""
        return parse_document(self.document)


class Removals(models.Model):
    """How often a blueprint of an organization was deleted: while the number stands, positions in its list stand too."""

    organization = models.OneToOneField(Organization, models.CASCADE, primary_key=True, related_name="+")
    number = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "removals"

    def __str__(self) -> str:
        return f"{self.number} removals"

    @classmethod
    def note(cls, organization_id: int) -> None:
        """Count one more, in the transaction of the removal; two removals of one organization wait for each other."""
        cls.objects.get_or_create(organization_id=organization_id)
        cls.objects.filter(organization_id=organization_id).update(number=F("number") + 1)
