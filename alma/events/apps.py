"""App configuration."""

from django.apps import AppConfig
from django.core.checks import register

from alma.events.checks import outbound_settings


class EventsConfig(AppConfig):
    """Events."""

    name = "alma.events"
    label = "events"
    verbose_name = "Events"

    def ready(self) -> None:
        """Register the system check."""
        register(outbound_settings)
