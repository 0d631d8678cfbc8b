"""Files of models on the disk of a machine: what is fetched there, and what is taken away."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from django.conf import settings

from alma.errors import Invalid
from instances import folder
from instances.library import places
from instances.library.fetching import Fetch
from instances.library.hub import Denied, Entry, Silent
from instances.remote.asking import ask, is_here

MORE_SECONDS = 5.0
"""A machine may take so much longer for a piece than it was given. One that still waits for the endpoint then goes on alone, and
nobody else writes the same file; it is asked again a moment later."""


def present(node: str, paths: Sequence[str]) -> set[str]:
    """Those of these files that are there. Raises Unavailable."""
    return set(present_here(paths) if is_here(node) else ask(node, "disk.present", paths=list(paths)))


def refuse_without_room(node: str, needed: int) -> None:
    """Raises Invalid when so many bytes would not leave the reserve free there, and Unavailable."""
    if is_here(node):
        places.refuse_without_room(needed)
    else:
        ask(node, "disk.room", needed=needed)


def fetch(node: str, file: "File", seconds: float, pulse: Callable[[int], None]) -> bool:
    """Go on with a file for so long; whether it is there now, whole and right. `pulse` hears how much has come; of another
    machine after each turn. Raises Silent, Denied, Invalid, OSError, Unavailable."""
    if is_here(node):
        return file.turn(seconds, pulse)
    given = {"repo": file.repo, "commit": file.commit, "entry": asdict(file.entry), "token": file.token}
    said = ask(node, "disk.fetch", seconds=seconds + MORE_SECONDS, for_seconds=seconds, **given)
    if "silent" in said:
        raise Silent(said["silent"])
    if "denied" in said:
        raise Denied(*said["denied"])
    pulse(int(said["come"]))
    return bool(said["is_done"])


def drop_parts(node: str, paths: Sequence[str]) -> None:
    """Take away what has come of files that are not whole. Raises Unavailable."""
    if is_here(node):
        drop_parts_here(paths)
    else:
        ask(node, "disk.drop_parts", paths=list(paths))


def remove(node: str, paths: Sequence[str]) -> None:
    """Take files away, and the folders that are empty then. Raises Unavailable."""
    if is_here(node):
        remove_here(paths)
    else:
        ask(node, "disk.remove", paths=list(paths))


class File:
    """A file of a repository that shall come into the folder of models of this machine."""

    def __init__(self, repo: str, commit: str, entry: Entry, token: str) -> None:
        self.repo, self.commit, self.entry, self.token = repo, commit, entry, token
        self.path = places.path_of(repo, entry.name)

    @property
    def come(self) -> int:
        """Bytes that are there already."""
        part = places.part_of(Path(settings.ALMA_MODELS_DIR) / self.path)
        return part.stat().st_size if part.is_file() else 0

    def turn(self, seconds: float, pulse: Callable[[int], None]) -> bool:
        """Go on for so long; whether it is there now. Raises Silent, Denied, Invalid, OSError."""
        places.refuse_without_room(self.entry.size - self.come)
        place = places.made(self.path)
        return Fetch(self.repo, self.commit, self.entry, place, self.token, pulse).turn(max(0.1, seconds))


def present_here(paths: Sequence[str]) -> list[str]:
    """The same on this machine."""
    return [path for path in paths if (Path(settings.ALMA_MODELS_DIR) / _below(path)).exists()]


def drop_parts_here(paths: Sequence[str]) -> None:
    """The same on this machine."""
    for path in paths:
        places.part_of(Path(settings.ALMA_MODELS_DIR) / _below(path)).unlink(missing_ok=True)


def remove_here(paths: Sequence[str]) -> None:
    """The same on this machine."""
    for path in paths:
        places.remove(_below(path))


def _below(path: str) -> str:
    if path.startswith("/"):
        raise Invalid("A file of a model lies in the folder of models.", code="INVALID_MODEL")
    return folder.written(path)
