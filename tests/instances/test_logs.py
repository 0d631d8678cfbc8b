"""Logs of instances: kept small from outside, read from the end, with times and levels where they are told."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from instances import logs


@pytest.fixture(autouse=True)
def data(tmp_path: Path, settings) -> Path:
    settings.ALMA_DATA_DIR = tmp_path
    return tmp_path


def write(pk: int, text: str) -> None:
    descriptor = logs.open_log(pk)
    os.write(descriptor, text.encode())
    os.close(descriptor)


def test_tail_is_the_end() -> None:
    write(1, "".join(f"line {number}\n" for number in range(50)))
    assert logs.tail(1, 2) == ["line 48", "line 49"]
    assert len(logs.tail(1)) == 51
    assert logs.tail(2) == []


def test_line_without_an_end_is_no_trouble() -> None:
    write(1, "x" * 3 * logs.READ)
    write(1, "the last words\n")
    assert logs.tail(1, 1) == ["the last words"]
    assert all(len(line) <= logs.LONGEST_LINE for line in logs.tail(1))


def test_what_is_no_text_is_shown_all_the_same() -> None:
    write(1, "")
    with logs.path_of(1).open("ab") as file:
        file.write(b"\xff\xfe bytes\n")
    assert logs.tail(1, 1) == ["\ufffd\ufffd bytes"]


def test_file_is_for_us_alone() -> None:
    write(1, "words\n")
    assert logs.path_of(1).stat().st_mode & 0o777 == 0o600
    assert logs.path_of(1).parent.stat().st_mode & 0o777 == 0o700


def test_file_is_cut_while_its_process_writes(monkeypatch) -> None:
    monkeypatch.setattr(logs, "LARGEST", 1000)
    monkeypatch.setattr(logs, "KEPT", 500)
    descriptor = logs.open_log(1)
    try:
        os.write(descriptor, b"an old line\n" * 200)
        logs.keep_small(1)
        os.write(descriptor, b"a new line\n")
    finally:
        os.close(descriptor)
    lines = logs.tail(1)
    assert logs.path_of(1).stat().st_size < 600
    assert set(lines[:-1]) == {"an old line"}
    assert lines[-1] == "a new line"


def test_small_file_is_left_alone_and_none_is_none() -> None:
    write(1, "words\n")
    logs.keep_small(1)
    logs.keep_small(2)
    assert logs.tail(1, 1) == ["words"]
    logs.forget(1)
    logs.forget(1)
    assert not logs.path_of(1).exists()


def test_last_words_are_those_of_the_last_start() -> None:
    write(1, "of the first start\n")
    write(1, "one\n\n\ntwo\nthree\n")
    assert logs.last_words(1, 2) == "two\nthree"
    write(1, "")
    assert logs.last_words(1) == ""


def test_lines_of_llama_cpp_have_a_time_and_a_level() -> None:
    lines = [
        "=== started at 2026-01-02T03:04:05+00:00 ===",
        "0.01.002.003 I srv  load_model: loading",
        "0.01.002.003 W something odd",
        "0.01.002.003 E it broke",
        "Traceback (most recent call last):",
        "warning: flags ignored",
        "plain words",
        "=== started at yesterday ===",
    ]
    told = [(line.at, line.level, line.text) for line in logs.parsed(lines)]
    later = datetime(2026, 1, 2, 3, 4, 6, 2003, UTC)
    assert told == [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "info", "started at 2026-01-02T03:04:05+00:00"),
        (later, "info", "srv  load_model: loading"),
        (later, "warn", "something odd"),
        (later, "error", "it broke"),
        (None, "error", "Traceback (most recent call last):"),
        (None, "warn", "warning: flags ignored"),
        (None, "info", "plain words"),
        (None, "info", "started at yesterday"),
    ]
