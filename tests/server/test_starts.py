"""A role starts with what it needs: a module more is paid at each start, and at each restart after a kill."""

import os
import subprocess
import sys
from pathlib import Path

from tests.server.running import environment
from tests.source import ROOT

OURS = "alma.management.commands"
FACELESS = (f"{OURS}.up", f"{OURS}.worker", f"{OURS}.reconciler", "vms.management.commands.sandbox")
OF_THE_WEB = {"alma.urls", "alma.asgi", "daphne", "twisted", "uvicorn", "strawberry", "rest_framework.renderers", "jwt"}
LOAD = """
import importlib, sys
import django
django.setup()
for name in sys.argv[1:]:
    importlib.import_module(name)
print(*sys.modules)
"""


def loaded(folder: Path, *names: str) -> set[str]:
    """All modules of a process that has imported these."""
    command = [sys.executable, "-c", LOAD, *names]
    done = subprocess.run(command, cwd=ROOT, env=environment(folder), capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_roles_without_a_face_load_nothing_of_the_web(tmp_path: Path) -> None:
    assert loaded(tmp_path, *FACELESS) & OF_THE_WEB == set()


def test_the_web_is_known_when_it_is_loaded(tmp_path: Path) -> None:
    names = loaded(tmp_path, f"{OURS}.web", f"{OURS}.runserver", "alma.asgi", "alma.urls")
    assert names >= OF_THE_WEB


def test_make_lets_processes_keep_what_they_compiled() -> None:
    shell = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "ALMA_SHOWN": "1"}
    command = ["make", "--silent", "--eval=shown:; @env", "shown"]
    seen = subprocess.run(command, cwd=ROOT, env=shell, capture_output=True, text=True, check=True).stdout
    assert "ALMA_SHOWN=1" in seen
    assert "PYTHONDONTWRITEBYTECODE" not in seen
