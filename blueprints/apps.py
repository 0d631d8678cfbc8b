"""App configuration."""

from django.apps import AppConfig


class BlueprintsConfig(AppConfig):
    """Blueprints."""

    name = "blueprints"
    label = "blueprints"
    verbose_name = "Blueprints"
