"""The supervisor with the real llama.cpp: what is wanted comes about, and what is known is true."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from alma.accounts.actors import Actor
from alma.events.models import Event
from alma.jobs import beats
from instances import logs, services
from instances.models import Instance
from instances.services import Draft
from instances.supervisor import keeper as keeping
from instances.supervisor.processes import Held, started_at
from instances.supervisor.supervising import Supervisor
from tests.factories.accounts import make_actor
from tests.fixtures.ports import free_port
from tests.instances.serving import ask

pytestmark = [pytest.mark.django_db, pytest.mark.processes]
Status, Wish = Instance.Status, Instance.Wish
PATIENCE = 60


@pytest.fixture(autouse=True)
def installation(models: Path, tmp_path: Path, settings, monkeypatch) -> None:
    settings.ALMA_DATA_DIR = tmp_path
    settings.ALMA_INSTANCE_PORTS = (20_000, 32_000)
    monkeypatch.setattr(keeping, "PROBE_SECONDS", dict.fromkeys(Status, 0.05))


@pytest.fixture
def actor() -> Actor:
    return make_actor("operator")


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    one = Supervisor()
    yield one
    for keeper in one.keepers.values():
        if keeper.held is not None:
            keeper.held.signal(signal.SIGCONT)
            keeper.held.signal(signal.SIGKILL)
    one.end_all()


def create(
    actor: Actor, name: str = "one", *, starts: bool = True, model: str = "tiny.gguf", **more: object
) -> Instance:
    options = {"threads": 1, "ctx_size": 512, **more.pop("options", {})}  # type: ignore[dict-item]
    draft = Draft(name=name, model=model, options=options, port=free_port(), settings={"restart_seconds": 0, **more})
    return services.create(draft, by=actor, starts=starts)


def turn_until(supervisor: Supervisor, condition: Callable[[], bool], what: str = "it") -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, (
            f"{what} did not happen: {list(Instance.objects.values('status', 'reason'))}"
        )
        supervisor.turn()
        time.sleep(0.02)


def turn_to(supervisor: Supervisor, row: Instance, status: "Instance.Status") -> None:
    def is_there() -> bool:
        row.refresh_from_db()
        return row.status == status

    turn_until(supervisor, is_there, what=status)


def statuses(row: Instance) -> list[str]:
    told = Event.objects.of(row.stream).filter(kind="instance.status_changed")
    return [event.data["status"] for event in told]


def test_instance_runs_and_ends(supervisor: Supervisor, actor: Actor) -> None:
    row = create(actor)
    turn_to(supervisor, row, Status.RUNNING)
    assert ask(row.port, "/v1/models", key=row.key)[1]["data"][0]["id"] == "one"
    assert ask(row.port, "/props")[0] == 401
    assert row.pid is not None
    assert row.pid_started == started_at(row.pid)
    assert row.ready_at is not None
    turn_until(supervisor, lambda: bool(Instance.objects.get().memory_bytes), what="a measurement")
    pid = row.pid
    services.stop(row, by=actor)
    turn_to(supervisor, row, Status.STOPPED)
    assert not psutil.pid_exists(pid)
    assert row.pid is None
    assert statuses(row) == ["starting", "running", "stopping", "stopped"]


def test_nothing_of_it_can_be_read_from_its_command_line(supervisor: Supervisor, actor: Actor, monkeypatch) -> None:
    monkeypatch.setenv("LLAMA_ARG_RPC", "evil")
    row = create(actor, options={"gpu_layers": 0, "temp": 0, "kv_offload": False})
    turn_to(supervisor, row, Status.RUNNING)
    process = psutil.Process(row.pid)
    words = process.cmdline()
    assert row.key
    assert row.key not in " ".join(words)
    assert words[words.index("--gpu-layers") + 1] == "0"
    assert words[words.index("--temp") + 1] == "0"
    assert "--no-kv-offload" in words
    assert {"--no-slots", "--no-ui", "--metrics"} <= set(words) or "--no-webui" in words
    names = {name for name in process.environ() if name not in {"PATH", "HOME", "LANG", "TMPDIR"}}
    assert names == {"ALMA_INSTANCE", "ALMA_INSTANCES_OF", "LLAMA_API_KEY", "GGML_NO_BACKTRACE"}


def test_crash_is_made_good(supervisor: Supervisor, actor: Actor) -> None:
    row = create(actor)
    turn_to(supervisor, row, Status.RUNNING)
    first = row.pid
    os.kill(first or 0, signal.SIGKILL)
    turn_to(supervisor, row, Status.RESTARTING)
    assert "was ended by SIGKILL" in row.reason
    turn_to(supervisor, row, Status.RUNNING)
    assert row.pid != first
    assert row.restarts == 1


def test_crash_loop_ends_in_failed_with_its_last_words(supervisor: Supervisor, actor: Actor, models: Path) -> None:
    (models / "broken.gguf").write_bytes(b"GGUF" + b"\xff" * 64)
    row = create(actor, model="broken.gguf", max_restarts=2)
    turn_to(supervisor, row, Status.FAILED)
    assert statuses(row) == ["starting", "restarting", "starting", "restarting", "starting", "failed"]
    assert "one ended with exit code 1" in row.reason
    assert "error" in row.reason.splitlines()[-1].lower()
    supervisor.turn()
    assert statuses(row)[-1] == "failed"
    (models / "broken.gguf").write_bytes((models / "tiny.gguf").read_bytes())
    services.start(row, by=actor)
    turn_to(supervisor, row, Status.RUNNING)
    assert row.restarts == 0
    (models / "broken.gguf").unlink()


def test_who_shall_not_be_started_again_is_not(supervisor: Supervisor, actor: Actor) -> None:
    row = create(actor, restarts_itself=False)
    turn_to(supervisor, row, Status.RUNNING)
    os.kill(row.pid or 0, signal.SIGTERM)
    turn_to(supervisor, row, Status.FAILED)
    assert row.reason.startswith("one was ended by SIGTERM")


@pytest.mark.parametrize("model", ["none.gguf", "/etc/passwd"])
def test_model_that_is_not_there(supervisor: Supervisor, actor: Actor, model: str) -> None:
    """One that was there when it was named, and has gone since."""
    row = create(actor, starts=False)
    Instance.objects.filter(pk=row.pk).update(model=model)
    services.start(row, by=actor)
    turn_to(supervisor, row, Status.FAILED)
    assert row.reason == f"There is no model {model} in the folder of models."
    assert statuses(row) == ["failed"]


def test_port_of_a_stranger_is_not_taken_for_ours(supervisor: Supervisor, actor: Actor) -> None:
    row = create(actor, max_restarts=1)
    with stranger(row.port):
        turn_to(supervisor, row, Status.FAILED)
    assert f"port {row.port} is in use by another program" in row.reason


def test_stranger_who_answers_in_its_place_is_not_taken_for_it(
    supervisor: Supervisor, actor: Actor, settings, tmp_path: Path
) -> None:
    settings.ALMA_LLAMA_COMMAND = program(tmp_path, "exec sleep 600")
    row = create(actor)
    turn_to(supervisor, row, Status.STARTING)
    turn_until(supervisor, lambda: bool(Instance.objects.get().pid), what="a process")
    with stranger(row.port) as asked:
        turn_until(supervisor, lambda: len(asked) > 3, what="questions")
    row.refresh_from_db()
    assert row.status == Status.STARTING


def test_it_is_starting_for_as_long_as_it_starts(
    supervisor: Supervisor, actor: Actor, settings, tmp_path: Path
) -> None:
    settings.ALMA_LLAMA_COMMAND = program(tmp_path, f'while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; exec "$@"')
    row = create(actor)
    turn_to(supervisor, row, Status.STARTING)
    for _ in range(20):
        supervisor.turn()
        time.sleep(0.02)
    row.refresh_from_db()
    assert (row.status, row.shown_status) == (Status.STARTING, "starting")
    (tmp_path / "go").touch()
    turn_to(supervisor, row, Status.RUNNING)


def test_start_that_takes_too_long_is_ended(supervisor: Supervisor, actor: Actor, settings, tmp_path: Path) -> None:
    settings.ALMA_LLAMA_COMMAND = program(tmp_path, "exec sleep 600")
    settings.ALMA_INSTANCE_START_SECONDS = 0
    row = create(actor, restarts_itself=False)
    turn_to(supervisor, row, Status.FAILED)
    assert "was ended by SIGKILL" in row.reason


def test_who_does_not_answer_is_unhealthy_until_it_does(supervisor: Supervisor, actor: Actor) -> None:
    row = create(actor)
    turn_to(supervisor, row, Status.RUNNING)
    os.kill(row.pid or 0, signal.SIGSTOP)
    turn_to(supervisor, row, Status.UNHEALTHY)
    assert row.reason == "does not answer"
    os.kill(row.pid or 0, signal.SIGCONT)
    turn_to(supervisor, row, Status.RUNNING)
    assert row.restarts == 0


def test_who_does_not_want_to_end_is_killed(supervisor: Supervisor, actor: Actor, settings, tmp_path: Path) -> None:
    settings.ALMA_LLAMA_COMMAND = program(tmp_path, "trap '' TERM; while true; do sleep 0.1; done")
    row = create(actor)
    turn_until(supervisor, lambda: bool(Instance.objects.get().pid), what="a process")
    row.refresh_from_db()
    pid = row.pid or 0
    services.stop(row, by=actor, seconds=0)
    turn_to(supervisor, row, Status.STOPPED)
    assert not list(Held(pid, 0, row.marker).members())


def test_restart_is_another_process(supervisor: Supervisor, actor: Actor) -> None:
    row = create(actor)
    turn_to(supervisor, row, Status.RUNNING)
    first = (row.pid, row.marker, row.key_sealed)
    services.restart(row, by=actor)
    turn_to(supervisor, row, Status.STARTING)
    turn_to(supervisor, row, Status.RUNNING)
    assert statuses(row) == ["starting", "running", "stopping", "stopped", "starting", "running"]
    assert not set(first) & {row.pid, row.marker, row.key_sealed}
    assert row.restarts == 0


def test_deleted_one_ends_before_its_row_goes(supervisor: Supervisor, actor: Actor) -> None:
    row = create(actor)
    turn_to(supervisor, row, Status.RUNNING)
    services.remove(row, by=actor, stops_first=True)
    turn_until(supervisor, lambda: not Instance.objects.exists(), what="the end of the row")
    assert not psutil.pid_exists(row.pid or 0)
    assert not logs.path_of(row.pk).exists()
    assert statuses(row)[-1] == "stopped"


def test_process_of_a_row_that_went_is_ended(supervisor: Supervisor, actor: Actor) -> None:
    row = create(actor)
    turn_to(supervisor, row, Status.RUNNING)
    Instance.objects.all().delete()
    turn_until(supervisor, lambda: not supervisor.keepers, what="letting go")
    deadline = time.monotonic() + PATIENCE
    while psutil.pid_exists(row.pid or 0) and psutil.Process(row.pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline


def test_instances_of_other_nodes_are_left_alone(supervisor: Supervisor, actor: Actor) -> None:
    row = create(actor)
    Instance.objects.update(node="elsewhere")
    supervisor.turn()
    row.refresh_from_db()
    assert (row.status, supervisor.keepers) == (Status.STOPPED, {})


def test_next_supervisor_takes_back_what_lives(supervisor: Supervisor, actor: Actor) -> None:
    row = create(actor)
    turn_to(supervisor, row, Status.RUNNING)
    heir = Supervisor()
    heir.recover()
    assert heir.keepers[row.pk].held is not None
    heir.turn()
    row.refresh_from_db()
    assert (row.status, heir.keepers[row.pk].held.pid) == (Status.RUNNING, row.pid)  # type: ignore[union-attr]
    services.stop(row, by=actor)
    turn_to(heir, row, Status.STOPPED)
    assert statuses(row) == ["starting", "running", "stopping", "stopped"]


def test_process_whose_number_was_not_written_down_is_taken_back(supervisor: Supervisor, actor: Actor) -> None:
    """The supervisor died between the start and the note of it."""
    row = create(actor)
    turn_to(supervisor, row, Status.RUNNING)
    pid = row.pid
    row.note(pid=None, pid_started=None)
    heir = Supervisor()
    heir.recover()
    heir.turn()
    row.refresh_from_db()
    assert (row.pid, row.pid_started) == (pid, started_at(pid or 0))


def test_process_that_nobody_stands_for_is_ended(supervisor: Supervisor, actor: Actor) -> None:
    row = create(actor)
    turn_to(supervisor, row, Status.RUNNING)
    pid = row.pid or 0
    Instance.objects.update(marker="alma-another")
    heir = Supervisor()
    heir.recover()
    turn_until(supervisor, lambda: started_at(pid) is None, what="its end")
    assert heir.keepers == {}


def test_process_that_ended_meanwhile_is_started_anew(supervisor: Supervisor, actor: Actor) -> None:
    row = create(actor)
    turn_to(supervisor, row, Status.RUNNING)
    keeper = supervisor.keepers.pop(row.pk)
    assert keeper.held is not None
    keeper.held.signal(signal.SIGKILL)
    turn_until(supervisor, lambda: not keeper.held.is_alive(), what="its end")  # type: ignore[union-attr]
    supervisor.keepers.clear()
    heir = Supervisor()
    heir.recover()
    heir.turn()
    row.refresh_from_db()
    assert "while nobody looked" in row.reason or row.status in {Status.STARTING, Status.RUNNING}
    turn_to(heir, row, Status.RUNNING)
    heir.end_all()


def test_end_of_the_role_ends_all_and_fails_none(actor: Actor) -> None:
    one = Supervisor()
    rows = [create(actor, name) for name in ("a", "b")]
    for row in rows:
        turn_to(one, row, Status.RUNNING)
    one.end_all()
    for row in rows:
        row.refresh_from_db()
        assert (row.status, row.wanted, row.shown_status) == (Status.STOPPED, Wish.RUNNING, "starting")
    heir = Supervisor()
    turn_to(heir, rows[0], Status.RUNNING)
    turn_to(heir, rows[1], Status.RUNNING)
    heir.end_all()


def test_it_shows_life(supervisor: Supervisor) -> None:
    supervisor.turn()
    assert beats.ages()[beats.INSTANCES] < PATIENCE


def program(folder: Path, lines: str) -> str:
    """The command of a backend that lists the options of the embedded one, and then does something else first."""
    path = folder / "backend"
    launcher = f"{sys.executable} -m instances.launcher"
    path.write_text(f'#!/bin/sh\n[ "$1" = --help ] && exec {launcher} --help\nset -- {launcher} "$@"\n{lines}\n')
    path.chmod(0o755)
    return str(path)


@contextmanager
def stranger(port: int) -> Iterator[list[str]]:
    """Somebody else who answers every question with 200; what was asked."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
