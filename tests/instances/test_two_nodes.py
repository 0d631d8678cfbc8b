"""Two supervisors of one database, each with a machine of its own: two data directories and two loopback addresses here."""

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from instances.models import LOST_AFTER
from instances.supervisor.processes import left_behind
from tests.fixtures.ports import free_port
from tests.instances.serving import ask
from tests.server.running import MANAGE, environment, manage, wait_for

pytestmark = [pytest.mark.processes, pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2"])]
PATIENCE = 120.0
CREATE = """
from alma.accounts.models import Organization
from alma.accounts.actors import Actor
from alma.accounts.scopes import SERVICE
from instances import services
home = Organization.objects.create(slug="default", name="Default")
for node in ("main", "second"):
    settings = {{"restart_seconds": 0, "idle_seconds": 0, "aliases": ["replica"]}}
    draft = services.Draft(name=node, model="tiny.gguf", options={{"threads": 1, "ctx_size": 512}}, port={port}, node=node,
                           settings=settings)
    services.create(draft, by=Actor(home.pk, "test", SERVICE), starts=True)
"""
SHOWN = """
from alma.accounts.models import Organization
from alma.accounts.actors import Actor
from instances.models import Instance
actor = Actor(Organization.objects.get().pk, "test")
print(" ".join(f"{row.name}={row.shown_status}" for row in Instance.objects.visible_to(actor)))
print(Instance.objects.get(name="second").key)
"""


class Machines:
    """Two data directories over one database and one secret key."""

    def __init__(self, folder: Path, models: Path) -> None:
        self.folders = {"main": folder / "main", "second": folder / "second"}
        for one in self.folders.values():
            one.mkdir()
        (self.folders["second"] / "alma.sqlite3").symlink_to(self.folders["main"] / "alma.sqlite3")
        more = {"ALMA_MODELS_DIR": models, "ALMA_INSTANCE_PORTS": "20000-32767", "ALMA_SECRET_KEY": "x" * 60}
        self.env = {name: environment(one, **more) for name, one in self.folders.items()}
        manage("migrate", "-v0", env=self.env["main"])
        self.token = manage("node", "add", "second", "--address", "127.0.0.2", env=self.env["main"]).strip()
        self.port = free_port()
        manage("shell", "-c", CREATE.format(port=self.port), env=self.env["main"])

    @contextmanager
    def running(self, node: str, token: str = "") -> Iterator[subprocess.Popen[bytes]]:
        command = [*MANAGE, "instances", "--node", node]
        process = subprocess.Popen(command, env={**self.env[node], "ALMA_NODE_TOKEN": token}, start_new_session=True)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def rows(self) -> dict[str, tuple[str, int, int]]:
        """Status, process and restarts of each."""
        with closing(sqlite3.connect(self.folders["main"] / "alma.sqlite3", timeout=20)) as database:
            found = database.execute("SELECT name, status, pid, restarts FROM instances_instance")
            return {name: tuple(rest) for name, *rest in found}  # type: ignore[misc]

    def both_run(self) -> bool:
        return {status for status, _, _ in self.rows().values()} == {"running"}

    def seen(self, node: str) -> str:
        with closing(sqlite3.connect(self.folders["main"] / "alma.sqlite3", timeout=20)) as database:
            return str(database.execute("SELECT seen_at FROM instances_node WHERE name = ?", [node]).fetchone()[0])

    def shown(self) -> tuple[dict[str, str], str]:
        """The statuses as the API says them, and the key of the second one."""
        lines = manage("shell", "-v0", "-c", SHOWN, env=self.env["main"]).splitlines()
        return dict(word.split("=") for word in lines[0].split()), lines[1]


@pytest.fixture
def machines(tmp_path: Path, tiny: Path) -> Iterator[Machines]:
    both = Machines(tmp_path, tiny.parent)
    yield both
    for folder in both.folders.values():
        for leader in left_behind(str(folder)).values():
            os.killpg(leader, signal.SIGKILL)


def test_each_supervisor_runs_what_is_its_own(machines: Machines) -> None:
    refused = subprocess.run(
        [*MANAGE, "instances", "--node", "second"],
        env=machines.env["second"],
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert (refused.returncode, "is not the token of the node second" in refused.stderr) == (2, True)
    with machines.running("main"):
        with machines.running("second", machines.token):
            wait_for(machines.both_run, PATIENCE, "both to run")
            assert [len(left_behind(str(folder))) for folder in machines.folders.values()] == [1, 1]
            before = machines.rows()
            assert listens(machines, "127.0.0.1") == listens(machines, "127.0.0.2") == 200  # one port, two addresses
        seen = machines.seen("second")
        time.sleep(LOST_AFTER.total_seconds() + 0.5)
        statuses, key = machines.shown()
        assert statuses == {"main": "running", "second": "unknown"}
        assert ask(machines.port, "/v1/models", address="127.0.0.2")[0] == 401
        assert (
            ask(machines.port, "/v1/models", key=key, address="127.0.0.2")[0] == 200
        )  # for whoever would still find it
        with machines.running("second", machines.token):
            wait_for(lambda: machines.seen("second") != seen, PATIENCE, "its return")
            assert machines.shown()[0] == {"main": "running", "second": "running"}
            assert machines.rows() == before


def listens(machines: Machines, address: str) -> int:
    return ask(machines.port, "/health", address=address)[0]
