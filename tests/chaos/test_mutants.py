"""Proof of power: with each guard taken away, the test that is there for it fails; with all of them, it passes."""

import os
import subprocess
import sys

import pytest

from tests.chaos import world
from tests.chaos.mutants import GUARDS


def outcome(mutant: str) -> tuple[int, str]:
    """The exit status of the guard's own test, and what it printed."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "tests.chaos.mutants",
        "-p",
        "no:cacheprovider",
        "--no-migrations",
        GUARDS[mutant][1],
    ]
    environment = {**os.environ, "MUTANT": mutant}
    done = subprocess.run(
        command, cwd=world.ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.processes
@pytest.mark.timeout(330)
@pytest.mark.parametrize("mutant", GUARDS)
def test_a_missing_guard_is_noticed(mutant: str) -> None:
    status, output = outcome(mutant)
    assert status == 1, output  # 1: a test failed; other errors have other numbers
    assert " failed" in output
    assert "error" not in output.splitlines()[-1], output
