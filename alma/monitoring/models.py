"""What was counted, for good: sums that outlive processes and cover all machines."""

from django.db import models


class Tally(models.Model):
    """One sum. Processes count for themselves and add what is new from time to time."""

    name = models.CharField(max_length=60, primary_key=True)
    value = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "tallies"

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"


class Examination(models.Model):
    """One look at everything that must hold. Asked for by somebody or by the day, carried out by a reconciler.

    It is open until `finished_at`; `token` belongs to the one copy that carries it out, and `seen_at` is its last sign."""

    requested_by = models.CharField(max_length=150, blank=True, help_text="Empty: by the day.")
    requested_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)
    token = models.PositiveIntegerField(default=0, editable=False)
    done = models.PositiveIntegerField(default=0, editable=False)
    total = models.PositiveIntegerField(default=0, editable=False)
    findings = models.JSONField(default=list, editable=False)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"examination {self.pk}"

    @property
    def percentage(self) -> int:
        """How much of it is done."""
        return 100 * self.done // self.total if self.total else 0
