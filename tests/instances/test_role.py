"""`manage.py instances` as a process: killed again and again, it loses nothing, doubles nothing and ends nobody else's."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest

from instances.supervisor.processes import MARKER, OWNER, left_behind, spawn
from tests.fixtures.ports import free_port
from tests.instances.serving import ask
from tests.server.running import MANAGE, environment, manage, wait_for

pytestmark = pytest.mark.processes
PATIENCE = 90.0
KILLS = 4
NAMES = ("a", "b", "c")
CREATE = """
from alma.accounts.models import Organization
from alma.accounts.actors import Actor
from alma.accounts.scopes import SERVICE
from instances import services
home = Organization.objects.create(slug="default", name="Default")
for name, port in zip({names!r}, {ports!r}):
    draft = services.Draft(name=name, model="tiny.gguf", options={{"threads": 1, "ctx_size": 512}}, port=port,
                           settings={{"restart_seconds": 0}})
    services.create(draft, by=Actor(home.pk, "test", SERVICE), starts=True)
"""


class Role:
    """The role in a data directory of its own."""

    def __init__(self, data: Path, models: Path) -> None:
        self.data = data
        first = free_port(len(NAMES))
        self.ports = list(range(first, first + len(NAMES)))
        self.environment = environment(data, ALMA_MODELS_DIR=models, ALMA_INSTANCE_PORTS="20000-32767")
        manage("shell", "-c", CREATE.format(names=NAMES, ports=self.ports), env=self.environment)

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen([*MANAGE, "instances"], env=self.environment, start_new_session=True)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def rows(self) -> dict[str, tuple[str, int | None, int]]:
        """Status, process and number of restarts of each."""
        with closing(sqlite3.connect(self.data / "alma.sqlite3", timeout=20)) as database:
            return {
                name: tuple(rest)
                for name, *rest in database.execute("SELECT name, status, pid, restarts FROM instances_instance")
            }  # type: ignore[misc]

    def beats(self) -> list[str]:
        with closing(sqlite3.connect(self.data / "alma.sqlite3", timeout=20)) as database:
            return [at for (at,) in database.execute("SELECT at FROM jobs_beat WHERE name = 'instances'")]

    def all_run(self) -> bool:
        return [status for status, _, _ in self.rows().values()] == ["running"] * len(NAMES)

    def living(self) -> dict[str, int]:
        return left_behind(str(self.data))

    def answers(self) -> list[int]:
        return [ask(port, "/health")[0] for port in self.ports]


@pytest.fixture
def role(data: Path, models: Path) -> Iterator[Role]:
    one = Role(data, models)
    yield one
    for leader in one.living().values():
        os.killpg(leader, signal.SIGKILL)


def test_killed_again_and_again_it_takes_back_what_lives(role: Role) -> None:
    environment = {"PATH": os.environ["PATH"], OWNER: "/another/installation", MARKER: "alma-1-x"}
    bystander = spawn(
        [sys.executable, "-c", "import time; time.sleep(600)"], environment, subprocess.DEVNULL, Path("/")
    )
    try:
        with role.running():
            wait_for(role.all_run, PATIENCE, "the first start")
        before, living = role.rows(), role.living()
        assert len(living) == len(NAMES)
        for _ in range(KILLS):
            assert role.answers() == [200] * len(NAMES)  # nobody looks after them, and they serve
            beat = role.beats()
            with role.running():
                wait_for(lambda beat=beat: role.beats() != beat, PATIENCE, "a sign of life")
                assert role.answers() == [200] * len(NAMES)
            assert (role.rows(), role.living()) == (before, living)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_what_died_while_nobody_looked_is_started_again(role: Role) -> None:
    with role.running():
        wait_for(role.all_run, PATIENCE, "the first start")
    pids = {name: pid for name, (_, pid, _) in role.rows().items()}
    os.kill(pids["a"] or 0, signal.SIGKILL)
    with role.running():
        wait_for(lambda: role.rows()["a"][1] not in {None, pids["a"]} and role.all_run(), PATIENCE, "the restart")
        assert {name: pid for name, (_, pid, _) in role.rows().items() if name != "a"} == {
            "b": pids["b"],
            "c": pids["c"],
        }
        assert len(role.living()) == len(NAMES)


def test_asked_to_end_it_leaves_nothing(role: Role) -> None:
    with role.running() as process:
        wait_for(role.all_run, PATIENCE, "the start")
        process.terminate()
        process.wait(PATIENCE)
        assert process.returncode == 0
    assert role.living() == {}
    assert {status for status, _, _ in role.rows().values()} == {"stopped"}
    with role.running():
        wait_for(role.all_run, PATIENCE, "the next start")


def test_there_is_one_for_a_data_directory(role: Role) -> None:
    with role.running():
        wait_for(lambda: bool(role.beats()), PATIENCE, "a sign of life")
        second = subprocess.run(
            [*MANAGE, "instances"], env=role.environment, capture_output=True, text=True, timeout=90
        )
        assert second.returncode == 2
        assert "Another supervisor" in second.stderr


def test_none_of_them_is_a_zombie(role: Role) -> None:
    with role.running() as process:
        wait_for(role.all_run, PATIENCE, "the start")
        for _ in range(2):
            os.kill(role.rows()["a"][1] or 0, signal.SIGKILL)
            time.sleep(0.3)
            children = psutil.Process(process.pid).children()
            assert psutil.STATUS_ZOMBIE not in {child.status() for child in children}
            wait_for(role.all_run, PATIENCE, "the restart")
