"""Objects kept as sections of the cluster's configuration files: read, made, changed and removed alike."""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from vms.sandbox.core.errors import ApiError, die, wrong
from vms.sandbox.core.model import Entry, Json
from vms.sandbox.core.parameters import Table
from vms.sandbox.core.world import World

MODIFIED = "detected modified configuration - file changed by other user? Try again."


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of object. `lock` is how an error within its lock names the lock; `{}` in texts is the object's name."""

    name: str
    key: str
    missing: str
    taken: str
    lock: str = ""
    noun: str = ""
    gone: str = ""
    """What a change or removal says of an object that is missing, when that differs."""
    nouns: Mapping[str, str] = field(default_factory=dict)
    """What a verb (`update`) is told to have failed on, when that differs."""

    blames: str = ""
    """The parameter that a missing object is the error of; empty where it is an error of the method."""
    built_in: tuple[Entry, ...] = ()
    """What is there without anybody having made it; a change of one is kept in its stead."""

    def not_there(self, name: str) -> ApiError:
        """A change of what is missing."""
        return self._error(self.gone or self.missing, name)

    def unknown(self, name: str) -> ApiError:
        return self._error(self.missing, name)

    def _error(self, words: str, name: str) -> ApiError:
        return wrong({self.blames: words.format(name)}) if self.blames else die(words.format(name))


def rows(world: World, section: Section) -> list[Entry]:
    """All objects of a kind, by name."""
    index = world.derived("entries", world.state.entries, _index)
    found: list[Entry] = index.get(section.name, [])
    if section.built_in:
        own = {entry.name for entry in found}
        return sorted(
            [*found, *(entry for entry in section.built_in if entry.name not in own)], key=lambda entry: entry.name
        )
    return found


def _index(world: World) -> dict[str, list[Entry]]:
    index: dict[str, list[Entry]] = {}
    for entry in sorted(world.state.entries, key=lambda entry: entry.name):
        index.setdefault(entry.section, []).append(entry)
    return index


def find(world: World, section: Section, name: str) -> Entry | None:
    built_in = next((entry for entry in section.built_in if entry.name == name), None)
    return world.state.entries.get(f"{section.name} {name}") or built_in


def require(world: World, section: Section, name: str) -> Entry:
    entry = find(world, section, name)
    if entry is None:
        raise section.unknown(name)
    return entry


def digest(world: World, section: Section) -> str:
    """The SHA-1 of the file."""
    return digest_of([(entry.name, entry.values) for entry in rows(world, section)])


def digest_of(value: Json) -> str:
    return hashlib.sha1(repr(value).encode(), usedforsecurity=False).hexdigest()


def check_digest(current: str, given: str) -> None:
    if given and given != current:
        raise die(MODIFIED)


@contextlib.contextmanager
def locked(verb: str, section: Section) -> Iterator[None]:
    """What goes wrong while the file of a section is locked: a 500 with what failed and the name of the lock."""
    noun = section.nouns.get(verb, section.noun)
    with locked_as(f"{verb} {noun} failed" if noun else "", section.lock):
        yield


@contextlib.contextmanager
def locked_as(failed: str, lock: str) -> Iterator[None]:
    """Like `locked`, with what is said to have failed spelt out; nothing is wrapped without either."""
    try:
        yield
    except ApiError as error:
        if not (failed or lock):
            raise
        raise die(_wrapped(error, f"{failed}: " if failed else "", lock)) from error


@contextlib.contextmanager
def plain_locked(lock: str) -> Iterator[None]:
    """Like `locked` for files whose refused parameters stay what they are."""
    try:
        yield
    except ApiError as error:
        raise error if error.status != 500 else die(_wrapped(error, "", lock)) from error


def _wrapped(error: ApiError, prefix: str, lock: str) -> str:
    """An error with a status of its own is shown with it; only plain ones name the lock."""
    if error.status == 500:
        return (
            f"{prefix}error during cfs-locked '{lock}' operation: {error.message}" if lock else prefix + error.message
        )
    return "\n".join(
        [f"{prefix}{error.status} {error.message}", *(f"{key}: {text}" for key, text in error.errors.items())]
    )


def drop_options(values: dict[str, Json], options: Table, given: Mapping[str, Json], names: list[str]) -> None:
    """What `delete` means: only optional settings, and none that is set in the same call."""
    for name in names:
        param = options.get(name)
        if param is None:
            raise die(f"no such option '{name}'")
        if param.is_required:
            raise die(f"unable to delete required option '{name}'")
        if name in given:
            raise die(f"cannot set and delete property '{name}' at the same time!")
        values.pop(name, None)
