"""What people said of a plan."""

from django.conf import settings
from django.db import models

from alma.accounts.models import OwnedQuerySet
from iprs.models.ipr import IPR
from iprs.models.plan import Plan


class Review(models.Model):
    """A verdict on one plan by one identity. It is never changed; a later one of the same identity replaces it."""

    class Action(models.TextChoices):
        APPROVE = "approve"
        REJECT = "reject"
        REQUEST_CHANGES = "request_changes"
        COMMENT = "comment"

    VERDICTS = (Action.APPROVE, Action.REJECT, Action.REQUEST_CHANGES)

    organization = models.ForeignKey("accounts.Organization", models.CASCADE, related_name="reviews")
    ipr = models.ForeignKey(IPR, models.CASCADE, related_name="reviews")
    plan = models.ForeignKey(Plan, models.CASCADE, null=True, related_name="reviews")
    plan_digest = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=20, choices=Action)
    comments = models.TextField(blank=True, max_length=20_000)
    reviewer = models.CharField(max_length=150, help_text="The name shown; what the caller said when unverified.")
    identity = models.CharField(max_length=170, help_text="user:7, key:3 or name:jane")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="reviews")
    is_verified = models.BooleanField(default=False, help_text="A signed-in person, not a name in a request.")
    acknowledged = models.JSONField(default=list, help_text="Keys of the destructive items that were ticked.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.reviewer}: {self.action}"
