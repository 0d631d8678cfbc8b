"""What an operator should know about the API before others reach it."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning

LOOSE = 100
"""Times the documented figures: more than any client of a shared installation needs."""


def unlimited_requests(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """No limits are for tests and measurements, and very loose ones for a laptop."""
    if 0 < settings.ALMA_RATE_LIMITS < LOOSE:
        return []
    much = (
        f"{settings.ALMA_RATE_LIMITS} times as often as documented"
        if settings.ALMA_RATE_LIMITS
        else "as often as they like"
    )
    hint = "Set ALMA_RATE_LIMITS=1, or say how many times the documented figures it should be."
    return [Warning(f"Everybody may ask {much}. (ALMA_RATE_LIMITS)", hint=hint, id="api.W001")]
