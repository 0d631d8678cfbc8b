"""What a machine answers to the others: each verb takes and gives what JSON knows, and uses no database."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from instances import logs, machine
from instances.backends.asking import said
from instances.backends.kinds import backend_of
from instances.library import places, scanning
from instances.library.devices import devices
from instances.library.hub import Denied, Entry, Silent
from instances.remote import disk
from instances.remote.library import below

LONGEST_TURN = 10.0
_BUSY: dict[str, object] = {}
"""Paths that are being fetched now."""


def tail(pk: int, most: int | None) -> list[str]:
    """The last lines of a log."""
    return logs.tail(int(pk), most)


def read_on(pk: int, after: int | None) -> dict[str, Any]:
    """The lines of a log behind a place."""
    piece = logs.read_on(int(pk), after)
    return {"lines": piece.lines, "end": piece.end, "begin": piece.begin, "is_gone": piece.is_gone}


def last_words(pk: int, most: int) -> str:
    """The last lines since the last start."""
    return logs.last_words(int(pk), most)


def scan() -> list[dict[str, Any]]:
    """The models of the folder."""
    return [asdict(one) for one in scanning.scan()]


def room() -> dict[str, Any]:
    """Memory and graphics cards."""
    return {"memory": asdict(machine.memory_bytes()), "devices": [asdict(one) for one in devices()]}


def program_help(backend: str) -> str:
    """What a program prints of its options."""
    found = backend_of(backend)
    return said(found, *found.help_words)


def room_for(needed: int) -> None:
    """Nothing where there is room on the disk of models. Raises Invalid."""
    places.refuse_without_room(needed)


def fetch(repo: str, commit: str, entry: dict[str, Any], token: str, for_seconds: float) -> dict[str, Any]:
    """Go on with a file of a repository for some seconds. Two never write the same file: who comes second waits a turn."""
    file = disk.File(repo, commit, Entry(**entry), token)
    with _lock_of(file.path) as is_ours:
        if not is_ours:
            return {"is_done": False, "come": file.come}
        try:
            is_done = file.turn(min(for_seconds, LONGEST_TURN), lambda come: None)
        except Silent as error:
            return {"silent": str(error)}
        except Denied as error:
            return {"denied": (error.code, error.message)}
        except OSError as error:
            return {"denied": ("DISK_FAILED", f"{file.entry.name} could not be written: {error.strerror}.")}
        return {"is_done": is_done, "come": file.entry.size if is_done else file.come}


@contextmanager
def _lock_of(path: str) -> Iterator[bool]:
    own = object()
    is_ours = _BUSY.setdefault(path, own) is own
    try:
        yield is_ours
    finally:
        if is_ours:
            del _BUSY[path]


VERBS: Mapping[str, Callable[..., Any]] = {
    "log.tail": tail, "log.read_on": read_on, "log.last_words": last_words,
    "library.scan": scan, "library.locate": below, "library.room": room, "program.help": program_help,
    "disk.present": disk.present_here, "disk.room": room_for, "disk.fetch": fetch, "disk.drop_parts": disk.drop_parts_here,
    "disk.remove": disk.remove_here,
}  # fmt: skip
