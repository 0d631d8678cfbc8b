"""What an instance has printed, wherever it runs."""

from instances import logs
from instances.logs import Piece
from instances.models import Instance
from instances.remote.asking import ask, is_here


def tail(instance: Instance, most: int | None = None) -> list[str]:
    """Its last lines. Raises Unavailable."""
    if is_here(instance.node):
        return logs.tail(instance.pk, most)
    found: list[str] = ask(instance.node, "log.tail", pk=instance.pk, most=most)
    return found


def read_on(instance: Instance, after: int | None = None) -> Piece:
    """The lines behind a place. Raises Unavailable."""
    if is_here(instance.node):
        return logs.read_on(instance.pk, after)
    found = ask(instance.node, "log.read_on", pk=instance.pk, after=after)
    lines = tuple((int(end), str(line)) for end, line in found["lines"])
    return Piece(lines, found["end"], found["begin"], found["is_gone"])


def last_words(instance: Instance, most: int) -> str:
    """The last lines since its last start. Raises Unavailable."""
    if is_here(instance.node):
        return logs.last_words(instance.pk, most)
    return str(ask(instance.node, "log.last_words", pk=instance.pk, most=most))
