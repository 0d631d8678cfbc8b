"""What was proposed because of a drift."""

from typing import Self

from django.db import models

from iprs.models.ipr import IPR
from vms.models import Drift


class AnswerQuerySet(models.QuerySet):
    """Answers by what became of their IPRs."""

    def standing(self) -> Self:
        """Those that people still have to decide about."""
        ended = [IPR.Status.DEPLOYED, IPR.Status.REJECTED, IPR.Status.CANCELLED, IPR.Status.ROLLED_BACK]
        return self.exclude(ipr__status__in=ended)


class DriftAnswer(models.Model):
    """An IPR that answers a drift: by taking what is there into the blueprint, or by undoing it."""

    class Kind(models.TextChoices):
        ADOPT = "adopt"
        RESTORE = "restore"

    drift = models.ForeignKey(Drift, models.CASCADE, related_name="answers")
    ipr = models.OneToOneField(IPR, models.CASCADE, related_name="drift_answer")
    kind = models.CharField(max_length=16, choices=Kind)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AnswerQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.drift_id} by #{self.ipr_id}"
