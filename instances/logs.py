"""What instances print. Each writes into a file of its own, so that its words outlive its supervisor; the file is kept
small from outside, and read from its end."""

import os
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

LARGEST = 8 * 1024 * 1024
KEPT = 4 * 1024 * 1024
READ = 1024 * 1024
"""Bytes of the end that are read at most."""
LONGEST_LINE = 8192
_BEGIN = "=== started at "
_LLAMA = re.compile(r"(\d+)\.(\d\d)\.(\d{3})\.(\d{3}) ([DIWE]) ?(.*)")
_LEVELS = {"D": "debug", "I": "info", "W": "warn", "E": "error"}
_WORDS = (
    (re.compile(r"\b(error|failed|fatal|traceback)\b", re.I), "error"),
    (re.compile(r"\bwarn(ing)?\b", re.I), "warn"),
)


@dataclass(frozen=True)
class LogLine:
    """One line: when it was written where that is known, how grave it is, and its words."""

    at: datetime | None
    level: str
    text: str


def path_of(pk: int) -> Path:
    """The file of an instance, named by its number: names of people are no file names."""
    return settings.ALMA_DATA_DIR / "instances" / f"{pk}.log"


def open_log(pk: int) -> int:
    """A descriptor to which a new process writes, after a line that says when it began."""
    path = path_of(pk)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.write(descriptor, f"{_BEGIN}{timezone.now().isoformat()} ===\n".encode())
    return descriptor


def keep_small(pk: int) -> None:
    """Cut a file that has grown too large to its end. Its process goes on writing behind that, for it only ever appends."""
    path = path_of(pk)
    try:
        if path.stat().st_size <= LARGEST:
            return
    except FileNotFoundError:
        return
    with path.open("rb+") as file:
        file.seek(-KEPT, os.SEEK_END)
        end = file.read()
        file.seek(0)
        file.write(end[end.find(b"\n") + 1 :])
        file.truncate()


def forget(pk: int) -> None:
    """Remove the file."""
    path_of(pk).unlink(missing_ok=True)


def tail(pk: int, most: int | None = None) -> list[str]:
    """The last lines, the oldest first; without a number all of the last megabyte."""
    try:
        with path_of(pk).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - READ))
            data = file.read(READ)
    except FileNotFoundError:
        return []
    if size > READ:
        data = data[data.find(b"\n") + 1 :]
    lines = (line.decode(errors="replace")[:LONGEST_LINE] for line in data.splitlines())
    return list(deque(lines, maxlen=most))


@dataclass(frozen=True)
class Piece:
    """Part of a log: its whole lines, each with the place in the file where it ends, and where the last one does. `begin` is the
    line before them that says when their process was started."""

    lines: tuple[tuple[int, str], ...] = ()
    end: int = 0
    begin: str = ""
    is_gone: bool = False
    """Whether there is no log."""


def read_on(pk: int, after: int | None = None) -> Piece:
    """The lines behind a place, or all of the last megabyte. One that was cut meanwhile is read on at its end."""
    try:
        with path_of(pk).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            if after is not None and after >= size:
                return Piece(end=size)
            start = file.seek(max(0, size - READ))
            data = file.read(READ)
    except FileNotFoundError:
        return Piece(is_gone=True)
    return _piece(data[: data.rfind(b"\n") + 1], start, -1 if after is None else after)


def _piece(data: bytes, start: int, after: int) -> Piece:
    at, begin, lines = start, "", []
    for number, row in enumerate(data.splitlines(keepends=True)):
        at += len(row)
        if number == 0 and start:  # what is left of a line
            continue
        line = row.decode(errors="replace").rstrip("\r\n")[:LONGEST_LINE]
        if at > after:
            lines.append((at, line))
        elif line.startswith(_BEGIN):
            begin = line
    return Piece(tuple(lines), at, begin)


def last_words(pk: int, most: int = 5) -> str:
    """The last lines since the last start that say something."""
    lines = tail(pk, 200)
    begins = max((number for number, line in enumerate(lines) if line.startswith(_BEGIN)), default=-1)
    return "\n".join([line for line in lines[begins + 1 :] if line.strip()][-most:])


class Parser:
    """Reads lines in turn. llama.cpp counts from its start, which stands in the file."""

    def __init__(self) -> None:
        self._start: datetime | None = None

    def read(self, line: str) -> LogLine:
        """A line with its time and level."""
        if line.startswith(_BEGIN):
            self._start = _started(line)
            return LogLine(self._start, "info", line.strip("= "))
        if match := _LLAMA.fullmatch(line):
            return LogLine(self._start and self._start + _since(match), _LEVELS[match[5]], match[6])
        return LogLine(None, next((level for words, level in _WORDS if words.search(line)), "info"), line)


def parsed(lines: list[str]) -> Iterator[LogLine]:
    """Lines with their time and level."""
    return map(Parser().read, lines)


def _started(line: str) -> datetime | None:
    try:
        return datetime.fromisoformat(line.removeprefix(_BEGIN).removesuffix(" ==="))
    except ValueError:  # words of a process that look like ours
        return None


def _since(match: re.Match[str]) -> timedelta:
    minutes, seconds, milliseconds, microseconds = (int(part) for part in match.groups()[:4])
    return timedelta(minutes=minutes, seconds=seconds, milliseconds=milliseconds, microseconds=microseconds)
