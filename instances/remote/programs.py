"""What the programs of a machine say of themselves: another machine may have another build of llama-server."""

from instances.backends import asking as own
from instances.backends.checking import Checker
from instances.backends.helptext import Catalogue
from instances.backends.kinds import Backend
from instances.remote.asking import ask, can_ask, is_here


def checker_of(backend: Backend, node: str) -> Checker:
    """Judges options as that machine would. One that is away is judged for by this one; it judges itself at the start.
    Raises Invalid, Unavailable."""
    return Checker(backend.rules, catalogue_of(backend, node))


def catalogue_of(backend: Backend, node: str) -> Catalogue:
    """The options of the program there. Raises Invalid, Unavailable."""
    if is_here(node) or not can_ask(node):
        return own.catalogue_of(backend)
    return own.catalogue_from(ask(node, "program.help", seconds=own.SECONDS, backend=backend.kind), backend)
