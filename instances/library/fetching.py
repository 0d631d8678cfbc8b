"""A file from the endpoint, a piece of it in each turn: resumed where it was, and looked at whole before it gets its name."""

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from instances.library import hub
from instances.library.hub import Denied, Entry
from instances.library.places import part_of

BLOCK = 1024 * 1024


@dataclass
class _Sum:
    """The checksum of the first `at` bytes of a file; `is_sure` when it was begun after all of them had come."""

    made: Any
    at: int = 0
    is_sure: bool = False


@dataclass
class Fetch:
    """One file on its way. `pulse` is called between pieces with the bytes that have come, and may raise to end the turn."""

    repo: str
    commit: str
    entry: Entry
    place: Path
    token: str
    pulse: Callable[[int], None]
    _sums: dict[str, _Sum] = field(default_factory=lambda: _SUMS)

    def turn(self, seconds: float) -> bool:
        """Go on for so long; whether the file is there now, whole and right. Raises Silent, Denied, OSError."""
        until = time.monotonic() + seconds
        part = part_of(self.place)
        if self.place.is_file():
            return self._adopt(self.place, until)
        if part.exists() and part.stat().st_size > self.entry.size:
            part.unlink()
        if not part.exists() or part.stat().st_size < self.entry.size:
            self._fetch(part, until)
        if part.stat().st_size < self.entry.size or not self._is_summed(part, until):
            return False
        if not self._is_right(part):
            return False
        os.replace(part, self.place)
        return True

    def _adopt(self, place: Path, until: float) -> bool:
        """A file that is there already counts when it is the very same."""
        if place.stat().st_size != self.entry.size:
            raise Denied("FILE_EXISTS", f"There is another file {self.entry.name} already; delete it first.")
        if not self._is_summed(place, until):
            return False
        if self._sums.pop(str(place)).made.hexdigest() != (self.entry.sha256 or self.entry.blob):
            raise Denied("FILE_EXISTS", f"There is another file {self.entry.name} already; delete it first.")
        return True

    def _fetch(self, part: Path, until: float) -> None:
        """Append what comes. An answer that does not begin where we asked begins anew."""
        start = part.stat().st_size if part.exists() else 0
        with hub.opened(self.repo, self.commit, self.entry, start=start, token=self.token) as answer:
            is_resumed = answer.status == 206
            if is_resumed and not answer.headers.get("content-range", "").startswith(f"bytes {start}-"):
                raise Denied("HUB_UNREADABLE", f"The endpoint answers with another part of {self.entry.name}.")
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(part, flags | (os.O_APPEND if is_resumed else os.O_TRUNC), 0o640)
            if not is_resumed:
                self._sums.pop(str(part), None)
            with os.fdopen(descriptor, "wb") as file:
                self._copy(answer, file, start if is_resumed else 0, until)

    def _copy(self, answer: hub.Incoming, file: Any, at: int, until: float) -> None:
        for piece in answer.parts():
            at += len(piece)
            if at > self.entry.size:
                file.truncate(0)
                raise Denied(
                    "SIZE_MISMATCH", f"{self.entry.name} is larger than the {self.entry.size} bytes that were said."
                )
            file.write(piece)
            self.pulse(at)
            if time.monotonic() > until:
                return

    def _is_summed(self, path: Path, until: float) -> bool:
        """Whether the checksum is known up to the end; it is reckoned on in each turn of this process."""
        known = self._sums.setdefault(str(path), _Sum(self._begun()))
        with path.open("rb") as file:
            file.seek(known.at)
            while block := file.read(BLOCK):
                known.made.update(block)
                known.at += len(block)
                self.pulse(self.entry.size)
                if time.monotonic() > until:
                    break
        return known.at >= self.entry.size

    def _begun(self) -> Any:
        if self.entry.sha256:
            return hashlib.sha256()
        return hashlib.sha1(f"blob {self.entry.size}\0".encode(), usedforsecurity=False)

    def _is_right(self, part: Path) -> bool:
        """Whether the content is what was said. What was summed while it came is summed once more before it is dropped: another
        process may have begun it anew meanwhile. Raises Denied."""
        known = self._sums.pop(str(part))
        if known.made.hexdigest() == (self.entry.sha256 or self.entry.blob):
            return True
        if not known.is_sure:
            self._sums[str(part)] = _Sum(self._begun(), is_sure=True)
            return False
        part.unlink()
        raise Denied(
            "CHECKSUM_MISMATCH", f"{self.entry.name} came with other content than its checksum says; it was dropped."
        )


_SUMS: dict[str, _Sum] = {}
"""By path, in this process: another one that goes on reads what it has not seen from the disk."""
