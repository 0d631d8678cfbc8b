"""A web server that the tests of this folder share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.ports import free_port
from tests.server.running import MANAGE, answers, environment, running, wait_for


@pytest.fixture(scope="session")
def installation(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty installation."""
    return Path(shutil.copytree(migrated, tmp_path_factory.mktemp("alma") / "data"))


@pytest.fixture(scope="session")
def web_port(installation: Path) -> Iterator[int]:
    """The port of a running web role."""
    port = free_port()
    with running([*MANAGE, "web"], environment(installation, ALMA_HTTP_PORT=port)):
        wait_for(lambda: answers(port), what="the web role")
        yield port
