"""A part of the sweep in every run; `make chaos` does the whole."""

import subprocess
import sys

import pytest
from pytest_django import Settings

from alma.jobs.checks import failpoints
from tests.chaos import sweep, world


def test_the_names_are_those_in_the_code() -> None:
    assert {"work.intended", "work.called", "create.reserved", "lease.taken", "step.succeeding"} <= set(sweep.names())


def test_an_installation_that_dies_on_purpose_is_warned_of(settings: Settings) -> None:
    assert failpoints() == []
    settings.ALMA_FAILPOINTS = "work.called=kill"
    assert [message.id for message in failpoints()] == ["jobs.W001"]


@pytest.mark.processes
def test_workers_that_die_between_effect_and_journal_make_each_guest_once() -> None:
    command = [sys.executable, "-m", "tests.chaos.sweep", "--only", "work.called"]
    done = subprocess.run(command, cwd=world.ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 cases, 0 failed, 0 invariants broken" in done.stdout
