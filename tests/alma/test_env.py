"""Reading the environment: every spelling, and a sentence that names the variable when it cannot be understood."""

import stat
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from alma import env
from tests.concurrency import together

NAME = "ALMA_TEST_VALUE"


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (NAME, f"{NAME}_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_text(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (env.text(NAME), env.text(NAME, "usual")) == ("", "usual")
    monkeypatch.setenv(NAME, "")
    assert env.text(NAME, "usual") == ""
    monkeypatch.setenv(NAME, " as written ")
    assert env.text(NAME) == " as written "


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1", True), ("true", True), ("YES", True), (" on ", True), ("0", False), ("False", False), ("no", False),
     ("off", False), ("", False)],
)  # fmt: skip
def test_flag(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    monkeypatch.setenv(NAME, value)
    assert env.flag(NAME, not expected) is expected


@pytest.mark.parametrize("default", [True, False])
def test_flag_that_is_unset(default: bool) -> None:
    assert env.flag(NAME, default) is default


@pytest.mark.parametrize("value", ["maybe", "2", "tru", "nein"])
def test_flag_that_is_neither(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(NAME, value)
    with pytest.raises(ImproperlyConfigured, match=NAME):
        env.flag(NAME)


@pytest.mark.parametrize(("value", "expected"), [("1", 1), (" 42 ", 42), ("100", 100), ("", 7), ("  ", 7)])
def test_number(monkeypatch: pytest.MonkeyPatch, value: str, expected: int) -> None:
    monkeypatch.setenv(NAME, value)
    assert env.number(NAME, 7, least=1, most=100) == expected


@pytest.mark.parametrize("value", ["0", "101", "-5", "3.5", "many", "0x10"])
def test_number_that_is_none_or_out_of_bounds(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(NAME, value)
    with pytest.raises(ImproperlyConfigured, match=NAME):
        env.number(NAME, 7, least=1, most=100)


def test_number_that_is_unset() -> None:
    assert env.number(NAME, 7) == 7


@pytest.mark.parametrize(
    ("value", "expected"), [("a,b", ["a", "b"]), (" a , ,b,", ["a", "b"]), ("", []), (",", []), ("a", ["a"])]
)
def test_listing(monkeypatch: pytest.MonkeyPatch, value: str, expected: list[str]) -> None:
    monkeypatch.setenv(NAME, value)
    assert env.listing(NAME, "usual") == expected


def test_listing_that_is_unset() -> None:
    assert env.listing(NAME, "x, y") == ["x", "y"]


def test_secret_from_the_variable_or_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert env.secret(NAME, "usual") == "usual"
    monkeypatch.setenv(NAME, "in the open")
    assert env.secret(NAME) == "in the open"
    (tmp_path / "secret").write_text("from a file\n")
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "secret"))
    assert env.secret(NAME) == "from a file"


def test_secret_file_that_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "nothing"))
    with pytest.raises(ImproperlyConfigured, match=f"{NAME}_FILE"):
        env.secret(NAME, "usual")


def test_kept_secret_is_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret_key"
    first = env.kept_secret(path)
    assert len(first) > 60
    assert env.kept_secret(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["secret_key"]


def test_kept_secret_is_one_when_many_start_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alma.env.os.getpid", _Numbers().next)
    assert len(set(together(8, lambda _: env.kept_secret(tmp_path / "secret_key")))) == 1


class _Numbers:
    """Another process id for each caller: threads stand for processes here."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        self._last += 1
        return self._last


def test_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.choice(NAME, "object", among=("object", "string")) == "object"
    monkeypatch.setenv(NAME, "string")
    assert env.choice(NAME, "object", among=("object", "string")) == "string"
    for word in ("", "String", "both"):
        monkeypatch.setenv(NAME, word)
        with pytest.raises(ImproperlyConfigured, match=NAME):
            env.choice(NAME, "object", among=("object", "string"))
