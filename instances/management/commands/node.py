"""manage.py node: machines that run instances."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from alma.errors import DomainError
from instances import nodes


class Command(BaseCommand):
    """Adds and removes them."""

    help = "Add a machine that shall run instances, and print the token for its ALMA_NODE_TOKEN; or remove one."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        added = verbs.add_parser("add")
        added.add_argument("name")
        added.add_argument("--address", required=True, help="where routers reach its instances, an IP address")
        verbs.add_parser("remove").add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["verb"] == "add":
                self.stdout.write(nodes.add(options["name"], options["address"]))
            else:
                nodes.remove(options["name"])
        except DomainError as error:
            raise CommandError(error.message) from error
