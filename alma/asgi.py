"""The ASGI application of the web role, and of runserver: made when the apps are ready."""

import os

import django
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alma.settings")
django.setup(set_prefix=False)

application = import_string("alma.application.application")
