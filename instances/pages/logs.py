"""The log of an instance as the page shows it: the last lines that fit a search, and what comes after them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from alma.errors import Unavailable
from instances import logs
from instances.models import Instance
from instances.pages.listing import asked
from instances.remote import logs as remote_logs

MOST = 500
"""Lines that are shown at a time; the whole log can be downloaded."""
LEVELS = {"debug": "debug", "info": "info", "warn": "warning", "error": "error"}
"""As the style of logs names them."""
_RANK = list(LEVELS)


@dataclass(frozen=True)
class Shown:
    """A line with the place in the file at which it ends."""

    key: int
    line: logs.LogLine

    @property
    def level(self) -> str:
        """As the style names it."""
        return LEVELS[self.line.level]


class LogPage:
    """What is shown of it. `after` is the place in the file up to which the page has read."""

    levels = _RANK
    problem = ""
    """Why nothing is shown, once its lines were read."""

    def __init__(self, instance: Instance, params: Mapping[str, str]) -> None:
        self.instance = instance
        self.asked = asked(params, ("q", "level"))
        after = params.get("after", "")
        self.after = int(after) if after.isascii() and after.isdigit() and len(after) < 12 else None

    @cached_property
    def _read(self) -> logs.Piece:
        try:
            return remote_logs.read_on(self.instance, self.after)
        except Unavailable as error:
            self.problem = error.message
            return logs.Piece(end=self.after or 0)

    @cached_property
    def lines(self) -> list[Shown]:
        """The last ones that fit."""
        parser, found = logs.Parser(), list[Shown]()
        if self._read.begin:
            parser.read(self._read.begin)
        for end, text in self._read.lines:
            line = parser.read(text)
            if self._fits(line):
                found.append(Shown(end, line))
        return found[-MOST:]

    @property
    def end(self) -> int:
        """Up to where was read."""
        return self._read.end

    def _fits(self, line: logs.LogLine) -> bool:
        level = self.asked["level"]
        if level in _RANK and _RANK.index(line.level) < _RANK.index(level):
            return False
        return all(word in line.text.lower() for word in self.asked["q"].lower().split())
