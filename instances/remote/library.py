"""The folder of models and the memory of a machine, be it this one or another."""

from pathlib import Path
from typing import Any

from django.conf import settings

from alma.errors import Unavailable
from instances import folder, machine
from instances.library import scanning
from instances.library.devices import Device, devices
from instances.library.facts import Facts
from instances.library.scanning import Found, Part
from instances.machine import Memory
from instances.remote.asking import ask, is_here


def models(node: str) -> list[Found]:
    """All models there, by path. Raises Unavailable."""
    if is_here(node):
        return scanning.scan()
    try:
        return [_found(one) for one in ask(node, "library.scan")]
    except (KeyError, TypeError) as error:
        raise Unavailable(f"The machine {node} runs another version of ALMA.", code="NODE_UNREADABLE") from error


def located(node: str, path: str, *, is_file: bool) -> str:
    """A model's path as a scan there writes it. Raises Invalid when there is none, Unavailable."""
    if is_here(node):
        return below(path, is_file=is_file)
    return str(ask(node, "library.locate", path=path, is_file=is_file))


def below(path: str, *, is_file: bool) -> str:
    """The same on this machine."""
    return folder.located(path, is_file=is_file).relative_to(Path(settings.ALMA_MODELS_DIR).resolve()).as_posix()


def room(node: str) -> tuple[Memory, tuple[Device, ...]]:
    """Its memory and its graphics cards. Raises Unavailable."""
    if is_here(node):
        return machine.memory_bytes(), devices()
    told = ask(node, "library.room")
    return Memory(**told["memory"]), tuple(Device(**one) for one in told["devices"])


def _found(told: dict[str, Any]) -> Found:
    parts = tuple(Part(**one) for one in told["parts"])
    return Found(told["path"], told["format"], parts, Facts(**told["facts"]), told["problem"])
