"""App configuration."""

from django.apps import AppConfig


class InstancesConfig(AppConfig):
    """Language models."""

    name = "instances"
    label = "instances"
    verbose_name = "Language models"
