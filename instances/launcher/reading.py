"""A command line into settings, with no library at hand: a wrong flag is said before a model is touched."""

from dataclasses import dataclass
from typing import Any

from instances.launcher.flags import FLAGS, Flag


class WrongFlag(ValueError):
    """A flag that is not known, or whose value cannot be read; a sentence as llama-server says it."""


@dataclass(frozen=True)
class Setting:
    """A value and the place in the parameters where it goes; `-` before the place sets the opposite."""

    place: str
    value: Any


_SWITCHES = {word: (flag, True) for flag in FLAGS for word in flag.spellings}
_SWITCHES |= {word: (flag, False) for flag in FLAGS for word in flag.negatives}


def read(words: list[str]) -> list[Setting]:
    """The settings of a command line, in its order. Raises WrongFlag."""
    settings: list[Setting] = []
    rest = list(words)
    while rest:
        word, has_value, value = rest.pop(0).partition("=")
        if word not in _SWITCHES:
            raise WrongFlag(f"error: invalid argument: {word}")
        flag, is_on = _SWITCHES[word]
        if flag.read is None:
            settings += _switched(flag, is_on)
        else:
            settings += _valued(flag, word, value if has_value else _next(flag, word, rest))
    return settings


def _next(flag: Flag, word: str, rest: list[str]) -> str:
    """The word after a flag; a flag whose value may be left out means on."""
    if flag.hint.startswith("[") and (not rest or rest[0] in _SWITCHES):
        return "on"
    if not rest:
        raise WrongFlag(f"error: expected value for argument: {word}")
    return rest.pop(0)


def _switched(flag: Flag, is_on: bool) -> list[Setting]:
    return [Setting(place.lstrip("-"), is_on != place.startswith("-")) for place in flag.places]


def _valued(flag: Flag, word: str, text: str) -> list[Setting]:
    assert flag.read is not None
    try:
        return [Setting(place, flag.read(text)) for place in flag.places]
    except (ValueError, KeyError, ZeroDivisionError) as error:
        raise WrongFlag(f"error: invalid value for argument: {word} {text}") from error
