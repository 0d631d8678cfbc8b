"""App configuration."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """Monitoring."""

    name = "alma.monitoring"
    label = "monitoring"
    verbose_name = "Monitoring"
