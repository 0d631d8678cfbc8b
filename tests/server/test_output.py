"""Output of roles: cut into lines, bounded on disk, and never in the way of the one who prints."""

import os
import time
from pathlib import Path

import pytest

from alma.server import output
from alma.server.output import MAX_LINE, Lines, RoleLog, Terminal


def test_lines_are_cut_where_they_end() -> None:
    lines = Lines()
    assert lines.feed(b"one\ntw") == [b"one"]
    assert lines.feed(b"o\n\nthree") == [b"two", b""]
    assert lines.flush() == [b"three"]
    assert lines.flush() == []


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_without_end_is_cut(end: bytes) -> None:
    lines = Lines()
    pieces = lines.feed(b"x" * (3 * MAX_LINE) + end) + lines.flush()
    assert b"".join(pieces) == b"x" * (3 * MAX_LINE)
    assert max(map(len, pieces)) == MAX_LINE


def test_a_log_keeps_two_files_of_bounded_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "MAX_FILE", 1_000)
    log = RoleLog(tmp_path / "logs" / "web.log")
    for number in range(200):
        log.write(f"line {number:>4}\n".encode())
    log.close()
    files = sorted((tmp_path / "logs").iterdir())
    assert [file.name for file in files] == ["web.log", "web.log.1"]
    assert all(file.stat().st_size <= 1_100 for file in files)
    assert files[0].read_text().endswith("line  199\n")


def test_a_log_goes_on_where_it_was(tmp_path: Path) -> None:
    for word in (b"first\n", b"second\n"):
        log = RoleLog(tmp_path / "web.log")
        log.write(word)
        log.close()
    assert (tmp_path / "web.log").read_bytes() == b"first\nsecond\n"


def test_a_terminal_that_nobody_reads_holds_nobody_up() -> None:
    reader, writer = os.pipe()
    terminal = Terminal(writer)
    started = time.monotonic()
    for _ in range(5_000):
        terminal.relay("web", b"x" * 100)
    assert time.monotonic() - started < 2
    assert os.read(reader, 200).startswith(b"web        | xxx")
    os.close(reader)
    terminal.say("the reader is gone")
    terminal.say("and that is no fault")
    os.close(writer)
