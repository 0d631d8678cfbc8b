"""Both documented life cycles, as they stand in the documents, with the real llama.cpp behind them."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from instances.models import AT_ONCE, Instance
from instances.supervisor import keeper as keeping
from instances.supervisor.supervising import Supervisor
from instances.tiny import model
from tests.factories.accounts import make_key
from tests.instances.test_supervisor import turn_until

pytestmark = [pytest.mark.django_db, pytest.mark.processes]
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
CREATE = {
    "name": "my-instance", "model_path": "/path/to/model.gguf", "port": 8081,
    "options": {"threads": 4, "context_size": 2048, "gpu_layers": 0},
}  # fmt: skip


class Caller:
    """A client with a management key, and a supervisor that turns when something is waited for."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.client = Client(headers={"Authorization": f"Bearer {make_key()[1]}"})

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        """As curl does: without a body there is no type of it."""
        if body is None:
            return self.client.generic(method.upper(), path)
        return getattr(self.client, method)(path, data=body, content_type="application/json")

    def until(self, condition: Callable[[], bool]) -> None:
        turn_until(self.supervisor, condition)


@pytest.fixture
def call(tmp_path: Path, settings, monkeypatch) -> Iterator[Caller]:
    settings.ALMA_DATA_DIR = tmp_path
    settings.ALMA_MODELS_DIR = tmp_path / "models"
    (tmp_path / "models" / "path" / "to").mkdir(parents=True, exist_ok=True)
    for name in ("llama-2-7b", "example", "path/to/model"):
        model.write(tmp_path / "models" / f"{name}.gguf")
    monkeypatch.setattr(keeping, "PROBE_SECONDS", dict.fromkeys(Instance.Status, 0.05))
    supervisor = Supervisor()
    yield Caller(supervisor)
    supervisor.end_all()


def test_life_cycle_of_the_newer_document(call: Caller) -> None:
    path = "/api/v1/instances/my-model"
    created = call("post", path, {"model": "/models/llama-2-7b.gguf"})
    assert created.status_code == 201
    body = created.json()
    assert (body["name"], body["status"]) == ("my-model", "starting")
    assert type(body["created"]) is int
    call.until(lambda: call("get", path).json()["status"] == "running")
    assert [row["name"] for row in call("get", "/api/v1/instances").json()] == ["my-model"]
    logs = call("get", f"{path}/logs?lines=50")
    assert logs["Content-Type"].startswith("text/plain")
    assert "server is listening" in call("get", f"{path}/logs").content.decode()
    assert len(logs.content.decode().splitlines()) <= 50
    assert call("post", f"{path}/restart").json()["status"] == "restarting"
    call.until(lambda: call("get", path).json()["status"] == "starting")
    call.until(lambda: call("get", path).json()["status"] == "running")
    stopped = call("post", f"{path}/stop")
    assert (stopped.status_code, stopped.json()["status"]) == (200, "stopping")
    deleted = call("delete", path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert call("get", path).status_code == 404
    call.until(lambda: not Instance.objects.exists())


def test_start_and_stop_of_the_newer_document(call: Caller) -> None:
    path = "/api/v1/instances/my-model"
    call("post", path, {"model": "/models/llama-2-7b.gguf"})
    call("post", f"{path}/stop")
    call.until(lambda: call("get", path).json()["status"] == "stopped")
    assert call("post", f"{path}/start").json()["status"] == "starting"
    call.until(lambda: call("get", path).json()["status"] == "running")
    again = call("post", f"{path}/start")
    assert (again.status_code, again.json()["status"]) == (200, "running")


def test_life_cycle_of_the_older_document(call: Caller) -> None:
    body = {"name": "example", "model_path": "/models/example.gguf", "port": 8081}
    created = call("post", "/api/instances", body)
    assert created.status_code == 201
    assert created.json()["message"] == "Instance created successfully"
    assert created.json()["instance"].items() >= {
        "name": "example", "status": "stopped", "model_path": "/models/example.gguf", "port": 8081,
    }.items()  # fmt: skip
    started = call("post", "/api/instances/example/start")
    assert (started.status_code, started.json()) == (
        200, {"message": "Instance start initiated", "status": "starting"},
    )  # fmt: skip
    call.until(lambda: call("get", "/api/instances/example").json()["status"] == "running")
    call.until(lambda: call("get", "/api/instances/example").json()["stats"]["memory_usage"] is not None)
    shown = call("get", "/api/instances/example").json()
    assert type(shown["pid"]) is int
    assert {name: type(value) for name, value in shown["stats"].items()} == {
        "memory_usage": int, "cpu_usage": float, "uptime": int,
    }  # fmt: skip
    assert ISO.fullmatch(shown["created_at"])
    health = call("get", "/api/instances/example/health").json()
    assert (health["status"], health["checks"]) == ("healthy", {"process": "running", "port": "open", "response": "ok"})
    assert ISO.fullmatch(health["last_check"])
    lines = call("get", "/api/instances/example/logs").json()["logs"]
    assert {"timestamp", "level", "message"} == set(lines[0])
    assert "server is listening" in " ".join(line["message"] for line in lines)
    refused = call("delete", "/api/instances/example")
    assert (refused.status_code, refused.json()["code"]) == (409, "INSTANCE_RUNNING")
    stopped = call("post", "/api/instances/example/stop")
    assert stopped.json() == {"message": "Instance stop initiated", "status": "stopping"}
    deleted = call("delete", "/api/instances/example")
    assert (deleted.status_code, deleted.json()) == (200, {"message": "Instance deleted successfully"})
    call.until(lambda: not Instance.objects.exists())


def test_creation_of_the_older_document(call: Caller) -> None:
    created = call("post", "/api/instances", CREATE)
    assert created.status_code == 201
    assert set(created.json()["instance"]) >= {"name", "status", "model_path", "port", "created_at"}
    shown = call("get", "/api/instances/my-instance").json()
    assert shown["options"] == CREATE["options"]
    assert (shown["pid"], shown["stats"]) == (None, {"memory_usage": None, "cpu_usage": None, "uptime": None})
    changed = call("put", "/api/instances/my-instance", {"options": {"threads": 8, "context_size": 4096}})
    assert changed.status_code == 200
    assert call("get", "/api/instances/my-instance/").json()["options"] == {
        "threads": 8, "context_size": 4096, "gpu_layers": 0,
    }  # fmt: skip
    listed = call("get", "/api/instances").json()["instances"]
    assert [set(row) for row in listed] == [{"name", "status", "model_path", "port", "created_at", "updated_at"}]


def test_all_of_them_of_the_older_document(call: Caller) -> None:
    for name in ("a", "b"):
        call("post", "/api/instances", {"name": name, "model_path": "example.gguf", "options": {"context_size": 512}})
    assert call("post", "/api/instances/start-all").json()["instances"] == ["a", "b"]
    call.until(lambda: {row["status"] for row in call("get", "/api/instances").json()["instances"]} == {"running"})
    stopped = call("post", "/api/instances/stop-all", {})
    assert (stopped.status_code, stopped.json()["instances"]) == (200, ["a", "b"])
    call.until(lambda: {row["status"] for row in call("get", "/api/instances").json()["instances"]} == {"stopped"})


def test_stop_by_force(call: Caller) -> None:
    call("post", "/api/v1/instances/one", {"model": "example.gguf"})
    call.until(lambda: call("get", "/api/v1/instances/one").json()["status"] == "running")
    call("post", "/api/instances/one/stop", {"force": True, "timeout": 30})
    assert (Instance.objects.get().stop_seconds, Instance.objects.get().stop_by) == (30, AT_ONCE)
    call.until(lambda: call("get", "/api/v1/instances/one").json()["status"] == "stopped")
