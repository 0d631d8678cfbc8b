"""App configuration."""

from django.apps import AppConfig


class ReceptionConfig(AppConfig):
    """Reception."""

    name = "alma.reception"
    label = "reception"
    verbose_name = "Reception"
