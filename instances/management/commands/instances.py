"""manage.py instances: run the language models of this machine."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from alma.server.processes import end_with_supervisor
from instances.supervisor.supervising import AlreadyRunning, Supervisor, only_one


class Command(BaseCommand):
    """The instances role."""

    help = "Start, watch and end the instances of this machine as they are wanted."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        end_with_supervisor()
        try:
            with only_one(settings.ALMA_DATA_DIR):
                Supervisor().run()
        except AlreadyRunning as error:
            raise CommandError(str(error), returncode=2) from error
