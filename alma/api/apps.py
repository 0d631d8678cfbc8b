"""App configuration."""

from django.apps import AppConfig
from django.core.checks import register

from alma.api.checks import unlimited_requests


class ApiConfig(AppConfig):
    """The dialects, and the answers that are kept for those who repeat a request."""

    name = "alma.api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        """Register the system check of `check --deploy`."""
        register(unlimited_requests, deploy=True)
