"""manage.py web: serve pages, API and websockets."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from alma.server.processes import end_with_supervisor
from alma.server.web import serve


class Command(BaseCommand):
    """The web role."""

    help = "Serve pages, API and websockets on ALMA_HTTP_HOST and ALMA_HTTP_PORT."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        end_with_supervisor()
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
        host, port = settings.ALMA_HTTP_HOST, settings.ALMA_HTTP_PORT
        try:
            serve(host, port)
        except OSError as error:
            raise CommandError(f"Cannot serve on {host}:{port}: {error.strerror or error}.", returncode=2) from error
