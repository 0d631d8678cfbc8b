"""What the routes of instances refuse, in the words and shapes of their documents; nothing runs here."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from instances import logs
from instances.models import Instance
from tests.factories.accounts import make_key, make_organization
from tests.factories.instances import make_instance

pytestmark = pytest.mark.django_db
NEW, OLD = "/api/v1/instances", "/api/instances"


@pytest.fixture
def client() -> Client:
    return Client(headers={"Authorization": f"Bearer {make_key()[1]}"})


def send(client: Client, method: str, path: str, body: Any = None) -> Any:
    return getattr(client, method)(path, data=body, content_type="application/json")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "model is required"),
        ({"model": 5}, "model"),
        ({"model": "../x.gguf"}, "no «..»"),
        ({"model": "x.gguf", "rpc": "evil:1"}, "The option rpc is not a known option."),
        ({"model": "x.gguf", "ctxsize": 5}, "did you mean ctx_size?"),
        ({"model": "x.gguf", "backend_options": {"api_key_file": "/etc/passwd"}}, "each start has a key of its own"),
        ({"model": "x.gguf", "backend_options": []}, "backend_options"),
        ({"model": "x.gguf", "backend_type": "vllm"}, "not set up here"),
        ({"model": "x.gguf", "port": 80}, "ports from"),
        ({"model": "x.gguf", "port": True}, "port"),
        ({"model": "x.gguf", "max_restarts": -1}, "max_restarts"),
        ([], "object"),
    ],
    ids=str,
)
def test_creation_that_is_refused(client: Client, body: Any, words: str) -> None:
    answer = send(client, "post", f"{NEW}/one", body)
    assert answer.status_code == 400, answer.content
    assert words in answer.json()["error"]
    assert not Instance.objects.exists()


def test_options_beside_and_inside(client: Client) -> None:
    body = {"backend_type": "llama_cpp", "backend_options": {"model": "x.gguf", "gpu_layers": 0}, "temp": 0, "group": "g",
            "auto_restart": False, "pinned": True, "restart_delay": 1}  # fmt: skip
    answer = send(client, "post", f"{NEW}/one", body).json()
    assert (
        answer.items()
        >= {"model": "x.gguf", "options": {"temp": 0, "gpu_layers": 0}, "group": "g", "pinned": True}.items()
    )
    row = Instance.objects.get()
    assert (row.restarts_itself, row.restart_seconds, row.max_restarts) == (False, 1, 3)


LIFE = {
    "on_demand_start": False, "idle_timeout": 2, "preload": True, "aliases": ["gpt"], "unlisted": True, "concurrency": 3,
    "request_defaults": {"temperature": 0}, "stop_seconds": 5, "pinned": True, "group": "g",
}  # fmt: skip


def test_settings_of_its_life(client: Client) -> None:
    """Minutes as llamactl counts them, and seconds, which go before."""
    shown = send(client, "post", f"{NEW}/one", {"model": "x.gguf", **LIFE}).json()
    assert shown.items() >= {**LIFE, "idle_seconds": 120}.items()
    assert (shown["draining_since"], shown["kept_until"], shown["last_used"]) == (None, None, None)
    shown = send(client, "put", f"{NEW}/one", {"idle_seconds": 90, "idle_timeout": 5, "concurrency": None}).json()
    assert (shown["idle_seconds"], shown["idle_timeout"], shown["concurrency"]) == (90, 2, None)  # 0 would be for ever
    assert shown.items() >= {name: LIFE[name] for name in ("aliases", "preload", "stop_seconds")}.items()
    send(client, "post", f"{NEW}/two", {"model": "y.gguf"})
    assert send(client, "put", f"{NEW}/two", {"aliases": ["gpt"]}).status_code == 409


@pytest.mark.parametrize("name", ["start-all", "a..b", "-x", "x" * 51, "%20", "a%0Ab"])
def test_name_that_can_be_none(client: Client, name: str) -> None:
    assert send(client, "post", f"{NEW}/{name}", {"model": "x.gguf"}).status_code in {400, 404}
    assert not Instance.objects.exists()


def test_second_creation_is_a_conflict(client: Client) -> None:
    assert send(client, "post", f"{NEW}/one", {"model": "x.gguf"}).status_code == 201
    answer = send(client, "post", f"{NEW}/one", {"model": "x.gguf"})
    assert (answer.status_code, list(answer.json())) == (409, ["error"])
    answer = send(client, "post", OLD, {"name": "one", "model_path": "x.gguf"})
    assert (answer.status_code, answer.json()["code"]) == (409, "INSTANCE_EXISTS")


def test_limit_is_a_conflict_in_both(client: Client, settings) -> None:
    settings.ALMA_INSTANCES_RUNNING = 1
    send(client, "post", f"{NEW}/one", {"model": "x.gguf"})
    make_instance("two")
    assert send(client, "post", f"{NEW}/two/start").status_code == 409
    answer = send(client, "post", f"{OLD}/two/start")
    assert (answer.status_code, answer.json()["code"]) == (409, "MAX_INSTANCES_REACHED")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", NEW), ("put", NEW), ("delete", NEW), ("post", f"{NEW}/start"), ("post", f"{NEW}/stop"),
        ("post", f"{NEW}/restart"), ("get", f"{NEW}/logs"), ("get", OLD), ("put", OLD), ("delete", OLD),
        ("post", f"{OLD}/start"), ("post", f"{OLD}/stop"), ("post", f"{OLD}/restart"), ("get", f"{OLD}/logs"), ("get", f"{OLD}/health"),
    ],
)  # fmt: skip
def test_instance_of_somebody_else_is_not_there(client: Client, method: str, path: str) -> None:
    theirs = make_instance("theirs", organization=make_organization("other"))
    base, _, verb = path.removeprefix("/api/").partition("instances")
    for name in ("theirs", "none"):
        answer = send(client, method, f"/api/{base}instances/{name}{verb}", {} if method != "get" else None)
        assert answer.status_code == 404
    theirs.refresh_from_db()
    assert (theirs.wanted, theirs.wanted_run) == ("stopped", 0)


def test_without_a_key(client: Client) -> None:
    for path in (NEW, OLD):
        answer = Client().get(path)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("body", [{"backend_type": "vllm"}, {"port": 9000}])
def test_what_stays(client: Client, body: dict[str, Any]) -> None:
    make_instance("one")
    assert send(client, "put", f"{NEW}/one", body).status_code == 400


def test_change_of_what_runs_needs_a_restart(client: Client) -> None:
    make_instance("one", wanted="running", status="running")
    answer = send(client, "put", f"{NEW}/one", {"threads": 2, "group": "g"}).json()
    assert (answer["restart_required"], answer["options"], answer["group"]) == (True, {"threads": 2}, "g")
    assert send(client, "put", f"{OLD}/one", {"options": {"threads": None}}).json()["restart_required"] is True
    assert Instance.objects.get().options == {}


@pytest.mark.parametrize("lines", ["x", "-2", "1e3", "9999999", "1.5"])
def test_lines_that_are_no_number(client: Client, lines: str) -> None:
    make_instance("one")
    assert client.get(f"{NEW}/one/logs?lines={lines}").status_code == 400
    assert client.get(f"{OLD}/one/logs?lines={lines}").status_code == 400


def test_logs_in_both_forms(client: Client, tmp_path, settings) -> None:
    settings.ALMA_DATA_DIR = tmp_path
    row = make_instance("one")
    assert client.get(f"{NEW}/one/logs").content == b""
    assert client.get(f"{OLD}/one/logs").json() == {"logs": []}
    logs.path_of(row.pk).parent.mkdir()
    logs.path_of(row.pk).write_text("first\n0.00.000.001 E it broke\n<b>last</b>\n")
    assert client.get(f"{NEW}/one/logs?lines=1").content == b"<b>last</b>\n"
    assert client.get(f"{NEW}/one/logs?lines=0").content == b""
    assert client.get(f"{NEW}/one/logs?lines=-1").content.count(b"\n") == 3
    told = client.get(f"{OLD}/one/logs?lines=5&level=error").json()["logs"]
    assert told == [{"timestamp": None, "level": "error", "message": "it broke"}]
    assert client.get(f"{OLD}/one/logs?level=loud").status_code == 400
    assert client.get(f"{OLD}/one/logs?follow=perhaps").status_code == 400


@pytest.mark.parametrize(
    ("status", "word", "checks"),
    [
        ("running", "healthy", ("running", "open", "ok")),
        ("unhealthy", "unhealthy", ("running", "unknown", "none")),
        ("starting", "starting", ("running", "unknown", "none")),
        ("failed", "unhealthy", ("stopped", "closed", "none")),
        ("stopped", "stopped", ("stopped", "closed", "none")),
    ],
)
def test_health_is_the_last_that_is_known(client: Client, status: str, word: str, checks: tuple[str, ...]) -> None:
    make_instance("one", status=status, checked_at=timezone.now() if status == "running" else None)
    told = client.get(f"{OLD}/one/health").json()
    assert (told["status"], tuple(told["checks"].values())) == (word, checks)
    assert (told["last_check"] is None) is (status != "running")


@pytest.mark.parametrize("path", [NEW, OLD])
def test_list_costs_the_same_for_many(client: Client, django_assert_max_num_queries, path: str) -> None:
    for number in range(30):
        make_instance(f"m{number}")
    client.get(path)
    with django_assert_max_num_queries(8):
        assert client.get(path).status_code == 200


def test_reason_of_a_failure_is_shown(client: Client) -> None:
    make_instance("one", wanted="running", status="failed", reason="one ended with exit code 1\nlast words")
    assert (
        client.get(f"{NEW}/one").json().items()
        >= {"status": "failed", "reason": "one ended with exit code 1\nlast words"}.items()
    )


def test_no_key_of_a_backend_is_told(client: Client) -> None:
    make_instance("one", key_sealed="sealed-text", marker="alma-1-marker")
    for path in (NEW, f"{NEW}/one", OLD, f"{OLD}/one"):
        content = client.get(path).content.decode()
        assert "sealed-text" not in content
        assert "marker" not in content
