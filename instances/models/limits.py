"""How many instances of an organization may run at a time."""

from django.core.validators import MinValueValidator
from django.db import models

from alma.accounts.models import Organization, OwnedQuerySet


class Limit(models.Model):
    """The limit of a group, or of all where it names none."""

    MOST_ROWS = 100

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="instance_limits")
    group = models.CharField(max_length=50, blank=True, help_text="Empty for all together.")
    most = models.PositiveIntegerField(validators=[MinValueValidator(1)])

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ["group"]
        constraints = [models.UniqueConstraint(fields=["organization", "group"], name="limit_once")]

    def __str__(self) -> str:
        return f"{self.group or 'all'}: {self.most}"
