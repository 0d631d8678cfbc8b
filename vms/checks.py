"""What must hold of the settings of clusters before anything starts."""

from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from vms.proxmox.addresses import allowances


def cluster_settings(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """The operator's list of networks can be read."""
    try:
        allowances()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="vms.E001")]
    return []
