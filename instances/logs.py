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


def last_words(pk: int, most: int = 5) -> str:
    """The last lines since the last start that say something."""
    lines = tail(pk, 200)
    begins = max((number for number, line in enumerate(lines) if line.startswith(_BEGIN)), default=-1)
    return "\n".join([line for line in lines[begins + 1 :] if line.strip()][-most:])


def parsed(lines: list[str]) -> Iterator[LogLine]:
    """Lines with their time and level. llama.cpp counts from its start, which stands in the file."""
    start: datetime | None = None
    for line in lines:
        if line.startswith(_BEGIN):
            start = _started(line)
            yield LogLine(start, "info", line.strip("= "))
        elif match := _LLAMA.fullmatch(line):
            yield LogLine(start and start + _since(match), _LEVELS[match[5]], match[6])
        else:
            yield LogLine(None, next((level for words, level in _WORDS if words.search(line)), "info"), line)


def _started(line: str) -> datetime | None:
    try:
        return datetime.fromisoformat(line.removeprefix(_BEGIN).removesuffix(" ==="))
    except ValueError:  # words of a process that look like ours
        return None


def _since(match: re.Match[str]) -> timedelta:
    minutes, seconds, milliseconds, microseconds = (int(part) for part in match.groups()[:4])
    return timedelta(minutes=minutes, seconds=seconds, milliseconds=milliseconds, microseconds=microseconds)
