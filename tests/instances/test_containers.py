"""Containers, and the other programs that are not the embedded llama.cpp: each as the command that is run for it."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from alma.accounts.actors import Actor
from instances import services
from instances.backends.kinds import BACKENDS
from instances.models import Instance, Node
from instances.supervisor import keeper as keeping
from instances.supervisor import starting
from instances.supervisor.supervising import Supervisor
from tests.factories.accounts import make_actor
from tests.factories.instances import make_instance
from tests.instances.serving import ask
from tests.instances.test_supervisor import create, stranger, turn_to, turn_until

Status = Instance.Status
LLAMA, VLLM, MLX = BACKENDS["llama_cpp"], BACKENDS["vllm"], BACKENDS["mlx_lm"]
HOST, MODELS = ["--network", "host"], ["-v", "/srv/models:/srv/models:ro"]
WHERE = ["--host", "127.0.0.1", "--port", "8085"]
ASKED = "vllm serve [options]\n  --max-model-len N   how long\n  --dtype {auto,half}   which\n"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("docker run img", ["docker", "run", "--rm", *HOST, *MODELS, "--name", "m", "-e", "LLAMA_API_KEY", "img"]),
        ("/usr/bin/podman run --gpus all img x", ["/usr/bin/podman", "run", "--rm", *HOST, *MODELS, "--name", "m",
         "-e", "LLAMA_API_KEY", "--gpus", "all", "img", "x"]),
        ("docker --context far run --rm --net=none -v /a:/b --name {marker} img",
         ["docker", "--context", "far", "run", "-e", "LLAMA_API_KEY", "--rm", "--net=none", "-v", "/a:/b", "--name", "m", "img"]),
        ("docker run -p {port}:{port} --mount type=bind,src={models},dst=/m img",
         ["docker", "run", "--rm", "--name", "m", "-e", "LLAMA_API_KEY", "-p", "8081:8081", "--mount", "type=bind,src=/srv/models,dst=/m", "img"]),
        ("/opt/run llama-server", ["/opt/run", "llama-server"]),
        ("env CUDA_VISIBLE_DEVICES=0 llama-server", ["env", "CUDA_VISIBLE_DEVICES=0", "llama-server"]),
    ],
)  # fmt: skip
def test_weak_point_11_container_has_our_name_our_key_and_an_end(settings, command: str, words: list[str]) -> None:
    """The key is named, and its value stands in no command line."""
    settings.ALMA_LLAMA_COMMAND, settings.ALMA_MODELS_DIR = command, "/srv/models"
    assert LLAMA.command(port=8081, marker="m") == words
    assert LLAMA.is_container is ("docker" in command or "podman" in command)


def test_container_that_is_asked_for_help_has_no_name(settings) -> None:
    settings.ALMA_LLAMA_COMMAND, settings.ALMA_MODELS_DIR = "docker run img", "/srv/models"
    assert LLAMA.command() == ["docker", "run", "--rm", *HOST, *MODELS, "img"]


def program(folder: Path, text: str) -> str:
    path = folder / "program"
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("backend", "command", "help_text", "options", "words"),
    [
        ("vllm", "{program} serve", ASKED, {"max_model_len": 4096, "dtype": "half"},
         ["serve", "{folder}", *WHERE, "--served-model-name", "one", "--max-model-len", "4096", "--dtype", "half"]),
        ("vllm", "{program}", ASKED, {}, ["--model", "{folder}", *WHERE, "--served-model-name", "one"]),
        ("mlx_lm", "{program}", "  --temp T   how warm\n", {"temp": 0}, ["--model", "{folder}", *WHERE, "--temp", "0"]),
    ],
    ids=["vllm serve", "vllm in a container", "mlx"],
)  # fmt: skip
def test_weak_points_11_12_14_command_lines(
    settings, tmp_path: Path, backend: str, command: str, help_text: str, options: dict[str, Any], words: list[str]
) -> None:
    """What the configured program lists is what is said to it, zero included."""
    folder = tmp_path / "models" / "org"
    folder.mkdir(parents=True)
    settings.ALMA_MODELS_DIR = tmp_path / "models"
    path, key = program(tmp_path, help_text), BACKENDS[backend].key_variable  # type: ignore[index]
    setattr(settings, BACKENDS[backend].setting, command.format(program=path))  # type: ignore[index]
    start = starting.prepared(make_instance("one", backend=backend, model="org", options=options, port=8085), Node())
    assert start.command == [path, *(word.format(folder=folder) for word in words)]
    assert {name for name in start.environment if name.endswith("_KEY")} == ({key} if key else set())
    assert (len(start.key) >= 24) is bool(key)


@pytest.fixture
def actor() -> Actor:
    return make_actor("operator")


@pytest.fixture
def docker(models: Path, tmp_path: Path, settings, monkeypatch) -> Path:
    """A program of that name, in a folder where it notes what it is asked."""
    folder = tmp_path / "docker"
    folder.mkdir()
    (folder / "docker").write_text((Path(__file__).parent / "docker.sh").read_text())
    (folder / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setattr(keeping, "PROBE_SECONDS", dict.fromkeys(Status, 0.05))
    settings.ALMA_DATA_DIR = tmp_path
    settings.ALMA_INSTANCE_PORTS = (20_000, 32_000)
    settings.ALMA_LLAMA_COMMAND = f"{folder}/docker run image"
    return folder


@pytest.fixture
def supervisor(docker: Path) -> Iterator[Supervisor]:
    one = Supervisor()
    yield one
    one.end_all()
    for path in docker.glob("*.pid"):
        if psutil.pid_exists(int(path.read_text())):
            os.kill(int(path.read_text()), signal.SIGKILL)


def contained(docker: Path, row: Instance) -> int:
    return int((docker / f"{row.marker}.pid").read_text())


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.django_db
@pytest.mark.processes
def test_container_is_known_by_its_key_and_ends_with_its_command(
    supervisor: Supervisor, actor: Actor, docker: Path
) -> None:
    row = create(actor)
    turn_to(supervisor, row, Status.RUNNING)
    assert ask(row.port, "/props", key=row.key)[0] == 200
    assert ask(row.port, "/props")[0] == 401
    assert row.key not in (docker / "asked").read_text()
    pid = contained(docker, row)
    assert pid not in set(supervisor.keepers[row.pk].held.members())  # type: ignore[union-attr]
    services.stop(row, by=actor)
    turn_to(supervisor, row, Status.STOPPED)
    turn_until(supervisor, lambda: is_gone(pid), what="its end")


@pytest.mark.django_db
@pytest.mark.processes
def test_weak_point_11_container_whose_command_was_killed_is_removed(
    supervisor: Supervisor, actor: Actor, docker: Path
) -> None:
    row = create(actor)
    turn_to(supervisor, row, Status.RUNNING)
    pid = contained(docker, row)
    os.killpg(row.pid or 0, signal.SIGKILL)
    turn_until(supervisor, lambda: is_gone(pid), what="the removal")
    turn_to(supervisor, row, Status.RUNNING)
    assert contained(docker, row) != pid


@pytest.mark.django_db
@pytest.mark.processes
def test_stranger_on_the_port_of_a_container_does_not_know_its_key(
    supervisor: Supervisor, actor: Actor, docker: Path
) -> None:
    (docker / "docker").write_text(
        '#!/bin/sh\ncase "$*" in *--help) exec python3 -m instances.launcher --help;; rm*) exit 0;; esac\nexec sleep 60\n'
    )
    row = create(actor)
    turn_to(supervisor, row, Status.STARTING)
    turn_until(supervisor, lambda: bool(Instance.objects.get().pid), what="a process")
    with stranger(row.port) as asked:
        turn_until(supervisor, lambda: len(asked) > 6, what="questions")
        assert asked.count("/props") > 3, asked
    row.refresh_from_db()
    assert row.status == Status.STARTING
