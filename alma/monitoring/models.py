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
