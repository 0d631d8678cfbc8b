"""Rows to measure over."""

from datetime import timedelta

from django.utils import timezone

from alma.accounts.models import ApiKey, Organization
from alma.accounts.scopes import SERVICE
from blueprints.models import Blueprint

_RESOURCES = [
    {"name": f"web-server-{number}", "type": "vm", "specs": {"cpu": 4, "memory": "8GB", "disk": "100GB"}}
    for number in range(1, 6)
]
_METADATA = {"environment": "production", "owner": "devops-team"}


def fill(count: int) -> str:
    """An organization with that many blueprints of five machines; returns the secret of a key."""
    organization = Organization.objects.create(slug="default", name="Default")
    fields = {
        "organization": organization,
        "version": "1.0",
        "created_by": "bench",
        "description": "Web tier of a shop",
    }
    fields["created_at"] = fields["updated_at"] = timezone.now() - timedelta(days=1)
    rows = (
        Blueprint(name=f"shop-{number}", resources=_RESOURCES, metadata=_METADATA, **fields)
        for number in range(1, count + 1)
    )
    Blueprint.objects.bulk_create(rows, batch_size=1000)
    return ApiKey.mint(organization, "bench", SERVICE)[1]
