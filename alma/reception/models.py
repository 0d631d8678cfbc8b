"""What strangers left for the operators."""

import uuid

from django.db import models
from django.utils import timezone


class EnterpriseInquiry(models.Model):
    """Somebody wants to talk about ALMA for their company. It belongs to no tenant: only operators of the installation
    see it."""

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    email = models.EmailField(max_length=254, db_index=True)
    company = models.CharField(max_length=150)
    role = models.CharField(max_length=100, blank=True)
    team_size = models.PositiveIntegerField(null=True, blank=True)
    message = models.TextField(max_length=4000)
    created_at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)
    answered_at = models.DateTimeField(null=True, blank=True, editable=False)
    answered_by = models.CharField(max_length=150, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name_plural = "enterprise inquiries"

    def __str__(self) -> str:
        return f"{self.company}: {self.name}"
