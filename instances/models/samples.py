"""What instances took, and who waited for them, every half minute of the last day."""

from typing import TYPE_CHECKING, Self

from django.db import models

from instances.models.instance import Instance

if TYPE_CHECKING:
    from alma.accounts.actors import Actor


class SampleQuerySet(models.QuerySet):
    """Samples by whose they are."""

    def visible_to(self, actor: "Actor") -> Self:
        """Those of the instances of the actor's organization."""
        return self.filter(instance__organization_id=actor.organization_id or 0)


class Sample(models.Model):
    """One moment of one instance that ran."""

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="samples")
    at = models.DateTimeField(db_index=True)
    memory_bytes = models.BigIntegerField(null=True)
    cpu_percent = models.FloatField(null=True, help_text="100 is one core.")
    outstanding = models.PositiveIntegerField(default=0, help_text="Requests that were being answered.")
    waiting = models.PositiveIntegerField(default=0, help_text="Requests in line.")

    objects = SampleQuerySet.as_manager()

    class Meta:
        ordering = ["at"]
        constraints = [models.UniqueConstraint(fields=["instance", "at"], name="sample_once")]

    def __str__(self) -> str:
        return f"{self.instance_id} at {self.at}"
