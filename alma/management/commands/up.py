"""manage.py up: everything on this machine, with one command."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from alma import env
from alma.server import preparation
from alma.server.output import Terminal
from alma.server.processes import kill_survivors
from alma.server.supervisor import CannotStart, Supervisor, only_one


class Command(BaseCommand):
    """The supervisor."""

    help = "Prepare the database, start every role, and keep them running until Ctrl-C."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        terminal = Terminal()
        try:
            settings.ALMA_DATA_DIR.mkdir(parents=True, exist_ok=True)
            with only_one(settings.ALMA_DATA_DIR):
                code = self._run(terminal)
        except CannotStart as error:
            raise CommandError(str(error), returncode=2) from error
        raise SystemExit(code)

    def _run(self, terminal: Terminal) -> int:
        if kill_survivors(settings.ALMA_DATA_DIR):
            terminal.say("ended processes that an earlier start had left behind")
        names = preparation.roles()
        preparation.check_ports(names)
        supervisor = Supervisor(names, env.inherited(), terminal)
        supervisor.catch_signals()
        terminal.say(f"data in {settings.ALMA_DATA_DIR}")
        count = preparation.migrate()
        if count:
            terminal.say(f"applied {count} migrations")
        preparation.first_content()
        connections.close_all()
        terminal.say(f"starting {', '.join(names)}")
        return supervisor.run()
