"""manage.py instances: run the language models of this machine."""

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from alma.errors import DomainError
from alma.server.processes import end_with_supervisor
from instances import nodes
from instances.remote.serving import answering
from instances.supervisor.supervising import AlreadyRunning, NodeTaken, Supervisor, only_one


class Command(BaseCommand):
    """The instances role."""

    help = "Start, watch and end the instances of this machine as they are wanted."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Which machine this is."""
        parser.add_argument("--node", default=settings.ALMA_NODE, help="its name among those that run instances")

    def handle(self, *args: Any, **options: Any) -> None:
        end_with_supervisor()
        try:
            with only_one(settings.ALMA_DATA_DIR):
                claim = nodes.claim(options["node"], settings.ALMA_NODE_TOKEN)
                with answering(nodes.find(claim.name)) as port:
                    Supervisor(replace(claim, ask_port=port)).run()
        except DomainError as error:
            raise CommandError(error.message, returncode=2) from error
        except (AlreadyRunning, NodeTaken) as error:
            raise CommandError(str(error), returncode=2) from error
