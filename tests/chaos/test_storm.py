"""A small storm in every run; `make chaos` does the large ones."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos import world

DEPLOYMENTS, FAULTS, PATIENCE = 5, 24, 120


@pytest.mark.processes
@pytest.mark.timeout(400)
def test_nothing_is_lost_or_made_twice_while_everything_is_killed(tmp_path: Path) -> None:
    """Each kind of fault at least once, in the order of the seed: 0 of everything that must not be."""
    scores = tmp_path / "scores.json"
    size = ["--deployments", str(DEPLOYMENTS), "--faults", str(FAULTS), "--seed", "7", "--patience", str(PATIENCE)]
    command = [sys.executable, "-m", "tests.chaos.storm", *size, "--keep", str(scores)]
    done = subprocess.run(command, cwd=world.ROOT, capture_output=True, text=True, timeout=390, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    zeros = json.loads(scores.read_text())[0]
    assert zeros["figure"] == f"SQLite: {DEPLOYMENTS} deployments x 3 guests, {FAULTS} of {FAULTS} faults"
    assert zeros["found"] == "0 orphans, 0 duplicates, 0 missing, 0 event gaps, 0 unfinished, 0 invariants broken"
