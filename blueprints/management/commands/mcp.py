"""manage.py mcp: the tools over stdin and stdout, for a client that starts the server itself."""

import asyncio
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from mcp.server.stdio import stdio_server

from alma.accounts.actors import Actor
from alma.accounts.keys import resolve
from alma.errors import DomainError
from blueprints import tools
from blueprints.mcp.server import server_for


def _caller() -> Actor:
    """The actor of the key, read anew for each call: a key that was revoked ends at once."""
    return resolve(settings.ALMA_MCP_KEY)


class Command(BaseCommand):
    """Ends with its input."""

    help = "Serve the tools over the Model Context Protocol on stdin and stdout, with the rights of the key in ALMA_MCP_KEY."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.ALMA_MCP_KEY:
            raise CommandError("Set ALMA_MCP_KEY (or ALMA_MCP_KEY_FILE) to a key that may use tools.")
        try:
            _caller().require(tools.READ)
        except DomainError as error:
            raise CommandError(error.message) from error
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        server = server_for(_caller, settings.ALMA_VERSION)
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())
