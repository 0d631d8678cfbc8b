"""App configuration."""

from django.apps import AppConfig
from django.core.checks import register

from vms.checks import cluster_settings


class VmsConfig(AppConfig):
    """Clusters and guests."""

    name = "vms"
    label = "vms"
    verbose_name = "Clusters and guests"

    def ready(self) -> None:
        """Register the system check."""
        register(cluster_settings)
