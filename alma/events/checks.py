"""What must hold of the settings of outbound requests before anything starts."""

import ssl
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from alma.outbound.addresses import allowances


def outbound_settings(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """The operator's list can be read, and so can the certificate authorities."""
    messages: list[CheckMessage] = []
    try:
        allowances()
    except ImproperlyConfigured as error:
        messages.append(Error(str(error), id="events.E001"))
    try:
        ssl.create_default_context(cafile=settings.ALMA_OUTBOUND_CA or None)
    except OSError as error:
        text = f"ALMA_OUTBOUND_CA names {settings.ALMA_OUTBOUND_CA}, which holds no certificates: {error}."
        messages.append(Error(text, id="events.E002"))
    return messages
