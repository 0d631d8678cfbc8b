"""App configuration."""

from django.apps import AppConfig
from django.core.checks import register

from alma.jobs.checks import failpoints, queue_kind, queue_settings


class JobsConfig(AppConfig):
    """Durable execution."""

    name = "alma.jobs"
    label = "jobs"
    verbose_name = "Jobs"

    def ready(self) -> None:
        """Register the system checks."""
        register(queue_settings)
        register(queue_kind)
        register(failpoints, deploy=True)
