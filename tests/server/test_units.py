"""The units for systemd: they name commands that exist, keep the promises of `manage.py up`, and systemd takes them."""

import shutil
import socket
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from alma import liveness
from alma.server.hearing import Ear
from alma.server.supervisor import SILENCES

FOLDER = settings.BASE_DIR / "docs" / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
PYTHON = "/opt/alma/.venv/bin/python"


class Unit(RawConfigParser):
    """One unit file; the case of its keys is kept."""

    def __init__(self, path: Path) -> None:
        super().__init__(strict=True, delimiters="=")
        self.role = path.stem.removeprefix("alma-")
        self.read_string(path.read_text().replace("Environment=ALMA_DATA_DIR", "DataDirectory"))

    def optionxform(self, optionstr: str) -> str:
        return optionstr


units = pytest.mark.parametrize("unit", [Unit(path) for path in UNITS], ids=[path.stem for path in UNITS])


def test_there_is_one_for_each_role() -> None:
    assert [path.stem for path in UNITS] == [
        "alma-instances", "alma-reconciler", "alma-sandbox", "alma-web", "alma-worker",
    ]  # fmt: skip


@units
def test_a_unit_names_a_command_of_ours(unit: Unit) -> None:
    python, script, role = unit["Service"]["ExecStart"].split()
    assert (python, script, role) == (PYTHON, "manage.py", unit.role)
    assert get_commands()[role] in {"alma", "instances", "vms"}


@units
def test_a_unit_ends_its_whole_group_and_starts_it_again(unit: Unit) -> None:
    service = unit["Service"]
    assert (service["KillMode"], service["Restart"]) == ("control-group", "always")
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"  # however often it was killed


@units
def test_a_role_that_says_that_it_works_is_listened_to(unit: Unit) -> None:
    service = unit["Service"]
    assert (service["Type"] == "notify") is (unit.role in SILENCES)
    if unit.role in SILENCES:
        assert SILENCES[unit.role] <= int(service["WatchdogSec"]) <= 2 * SILENCES[unit.role]
        assert service["WatchdogSignal"] == "SIGKILL"


@units
def test_a_unit_may_write_its_data_and_nothing_else(unit: Unit) -> None:
    service = unit["Service"]
    assert service["ProtectSystem"] == "strict"
    assert service["NoNewPrivileges"] == "yes"
    assert service["CapabilityBoundingSet"] == ""
    assert service["DataDirectory"] == f"/var/lib/{service['StateDirectory']}"


def test_the_target_wants_what_a_real_installation_needs() -> None:
    wanted = Unit(FOLDER / "alma.target")["Unit"]["Wants"].split()
    assert wanted == [f"alma-{role}.service" for role in ("web", "worker", "reconciler")]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not there")
@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_systemd_takes_them(tmp_path: Path, path: Path) -> None:
    for one in FOLDER.iterdir():
        (tmp_path / one.name).write_text(one.read_text().replace(PYTHON, sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / path.name)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


# -- the protocol between a role and whoever started it -------------------------------------------
@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_a_role_says_that_it_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    address = str(tmp_path / "ear") if kind == "path" else f"@alma-test-{tmp_path.name}"
    monkeypatch.setenv(liveness.SOCKET, address)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(address.replace("@", "\0"))
        ear.settimeout(5)
        liveness.is_ready()
        assert ear.recv(100) == b"READY=1\nWATCHDOG=1"
        liveness.show_life()
        assert ear.recv(100) == b"WATCHDOG=1"
    liveness.show_life()  # nobody listens any more


def test_a_role_that_was_started_by_hand_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(liveness.SOCKET, raising=False)
    liveness.show_life()


def test_the_supervisor_hears_what_systemd_would(monkeypatch: pytest.MonkeyPatch) -> None:
    ear = Ear("unit-test")
    try:
        monkeypatch.setenv(liveness.SOCKET, ear.address)
        assert ear.silence() is None
        liveness.tell("STATUS=thinking")
        assert ear.silence() is None
        liveness.show_life()
        assert ear.silence() is not None
        ear.forget()  # another process of the role begins
        assert ear.silence() is None
    finally:
        ear.close()
    assert not Path(ear.address).exists()
