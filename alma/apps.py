"""The project package as an app: it holds the commands that start each role."""

from django.apps import AppConfig


class AlmaConfig(AppConfig):
    """Commands, template tags and wiring."""

    name = "alma"
    label = "alma"
