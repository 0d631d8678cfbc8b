"""What must hold of the settings of the model that helps to understand words."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error


def model_endpoint(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """An address that is none would be found out only by those who wait for the model."""
    address = settings.ALMA_MODEL_URL
    if not address or is_address(address):
        return []
    words = "ALMA_MODEL_URL must be an address such as http://127.0.0.1:11434/v1, without a name or password in it."
    return [Error(words, id="blueprints.E001")]


def is_address(address: str) -> bool:
    """Whether it can be called."""
    try:
        parts = urlsplit(address)
        return (
            parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
        )
    except ValueError:
        return False
