"""App configuration."""

from django.apps import AppConfig
from django.core.checks import register

from blueprints.checks import model_endpoint


class BlueprintsConfig(AppConfig):
    """Blueprints."""

    name = "blueprints"
    label = "blueprints"
    verbose_name = "Blueprints"

    def ready(self) -> None:
        """Register the checks."""
        register(model_endpoint)
