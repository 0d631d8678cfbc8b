"""App configuration."""

from django.apps import AppConfig


class IprsConfig(AppConfig):
    """Infrastructure Pull Requests."""

    name = "iprs"
    label = "iprs"
    verbose_name = "Infrastructure Pull Requests"
