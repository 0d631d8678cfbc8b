"""What is written about ALMA is true of it."""

import os
import re
import stat
import tomllib
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.urls import Resolver404, resolve

from tests.source import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
RECORDS = sorted((ROOT / "docs" / "adr").glob("*.md"))
FOR_TESTS = {"ALMA_TEST_DATABASE_URL", "ALMA_TEST_REDIS_URL", "ALMA_CHROMIUM"}
FROM_ENVIRONMENT = re.compile(r"""env\.\w+\(\s*"(ALMA_\w+)\"""")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def text(name: str) -> str:
    return (ROOT / name).read_text()


def variables() -> set[str]:
    """What the settings read from the environment."""
    return set(FROM_ENVIRONMENT.findall(text("alma/settings.py")))


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))


def test_every_variable_is_in_the_readme_and_no_other() -> None:
    rows = re.findall(r"^\| `(ALMA_\w+)`", text("README.md"), re.MULTILINE)
    assert len(variables()) > 20
    assert sorted(rows) == sorted(variables())


@pytest.mark.parametrize(("name", "default"), re.findall(r"^\| `(ALMA_\w+)` \| `(\w+)` ", text("README.md"), re.M))
def test_plain_defaults_are_those_of_the_settings(name: str, default: str) -> None:
    assert re.search(rf'"{name}", "?{default}\b', re.sub(r"(?<=\d)_(?=\d)", "", text("alma/settings.py")))


def test_documents_name_no_variable_that_is_not_read() -> None:
    constants = {name for name in dir(settings) if name.startswith("ALMA_")}
    known = variables() | constants | FOR_TESTS | {f"{name}_FILE" for name in variables()}
    named = {(path.name, name) for path in DOCUMENTS for name in re.findall(r"\bALMA_[A-Z_]+\b", path.read_text())}
    assert named
    assert [f"{document}: {name}" for document, name in sorted(named) if name not in known] == []


def test_documents_name_no_command_that_is_not_made() -> None:
    named = {(path.name, name) for path in DOCUMENTS for name in re.findall(r"`make ([a-z-]+)`", path.read_text())}
    assert {"up", "test"} <= {name for _, name in named}
    assert [f"{document}: make {name}" for document, name in sorted(named) if name not in targets()] == []


def test_every_target_says_what_it_does_or_is_a_file() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", text("Makefile"), re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == targets()
    assert re.findall(r"^([a-z-]+):(?!.*##)", text("Makefile"), re.MULTILINE) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    local = [link for link in LINK.findall(path.read_text()) if not link.startswith(("http://", "https://"))]
    assert [link for link in local if not (path.parent / link).exists()] == []


def test_routes_of_the_readme_exist() -> None:
    routes = set(re.findall(r"(?:localhost:8000|`)(/(?:api|ws|swagger)[^\s`?]*)", text("README.md")))
    assert len(routes) > 6
    assert [route for route in sorted(routes) if not _is_routed(route.replace("{id}", "deploy-1"))] == []


def _is_routed(route: str) -> bool:
    if route.startswith("/ws/"):
        return f'"{route}"' in text("alma/application.py")
    try:
        resolve(route)
    except Resolver404:
        return False
    return True


def test_the_state_tables_are_those_of_the_code() -> None:
    written = StringIO()
    call_command("states", stdout=written)
    assert written.getvalue() == text("docs/states.md"), "run `make states`"
    assert written.getvalue().count("stateDiagram") >= 5


def test_decisions_are_numbered_and_short() -> None:
    assert len(RECORDS) >= 6
    for number, path in enumerate(RECORDS, start=1):
        lines = path.read_text().splitlines()
        assert path.name.startswith(f"{number:04}-")
        assert lines[0].startswith(f"# {number}. ")
        assert [line for line in lines if line.startswith("## ")] == ["## Context", "## Decision", "## Consequences"]
        assert len(lines) <= 25


def test_the_changelog_has_a_place_for_what_comes() -> None:
    assert re.search(r"^## Unreleased$", text("CHANGELOG.md"), re.MULTILINE)


def test_one_version() -> None:
    project = tomllib.loads(text("pyproject.toml"))["project"]
    assert project["version"] == settings.ALMA_VERSION
    assert project["requires-python"] == ">=3.11"


def test_continuous_integration_runs_what_everybody_runs() -> None:
    path = ROOT / ".ci" / "run"
    assert os.stat(path).st_mode & stat.S_IXUSR
    commands = [line for line in path.read_text().splitlines() if line and not line.startswith(("#", "set ", "cd "))]
    assert commands == ["exec make test"]
