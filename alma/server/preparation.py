"""What must be true before the roles start: free ports, a database of this version, and the first content."""

import errno
import socket

from django.apps import apps
from django.conf import settings
from django.core.management import call_command, get_commands
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.module_loading import import_string

from alma.server.supervisor import CannotStart

_PORTS = {
    "web": ("ALMA_HTTP_HOST", "ALMA_HTTP_PORT"),
    "sandbox": ("ALMA_SANDBOX_HOST", "ALMA_SANDBOX_PORT"),
}


def roles() -> list[str]:
    """The roles of ALMA_ROLES. Raises CannotStart for one that is no command of ours."""
    commands = get_commands()
    ours = {config.name for config in apps.get_app_configs()}
    unknown = [name for name in settings.ALMA_ROLES if commands.get(name) not in ours]
    if unknown:
        raise CannotStart(f"ALMA_ROLES names what is no role: {', '.join(unknown)}.")
    return list(settings.ALMA_ROLES)


def check_ports(names: list[str]) -> None:
    """Whether the roles will be able to listen. Raises CannotStart."""
    for name in names:
        if name in _PORTS:
            host, port = (getattr(settings, setting) for setting in _PORTS[name])
            _check_port(host, port, _PORTS[name][1])


def _check_port(host: str, port: int, setting: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            why = "in use by another program" if error.errno == errno.EADDRINUSE else f"not to be had: {error.strerror}"
            raise CannotStart(f"Port {port} on {host} is {why}. Free it, or choose another with {setting}.") from error


def migrate() -> int:
    """Bring the database to this version; how many migrations that took. Quick when there are none."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        call_command("migrate", interactive=False, verbosity=0)
    return len(plan)


def first_content() -> None:
    """Organization, credentials and examples, unless they are there."""
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    import_string("alma.bootstrap.run")()
