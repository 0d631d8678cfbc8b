"""Machines: who may be one, who has one, and what is said of their instances."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from alma.errors import Invalid, Refused, WrongState
from instances import nodes, services
from instances.models import Instance, Node
from instances.services import Draft
from instances.supervisor import starting
from instances.supervisor.supervising import NodeTaken, Supervisor
from tests.factories.accounts import make_actor, make_key
from tests.factories.instances import make_instance

pytestmark = pytest.mark.django_db
Status, Wish = Instance.Status, Instance.Wish
LONG_AGO = timedelta(seconds=11)


@pytest.fixture
def client() -> Client:
    return Client(headers={"Authorization": f"Bearer {make_key()[1]}"})


def lose(name: str) -> None:
    Node.objects.update_or_create(name=name, defaults={"seen_at": timezone.now() - LONG_AGO})


def test_machine_is_added_with_a_token_that_is_not_kept() -> None:
    printed = StringIO()
    call_command("node", "add", "gpu1", "--address", "10.0.0.7", stdout=printed)
    token = printed.getvalue().strip()
    assert len(token) >= 32
    assert token not in str(Node.objects.values().get())
    with pytest.raises(Refused, match="not the token of the node gpu1"):
        nodes.claim("gpu1", "another")
    assert nodes.claim("gpu1", token).keep() == Node.objects.get()


@pytest.mark.parametrize(
    ("name", "address"), [("gpu1", "10.0.0.8"), ("", "10.0.0.8"), ("a b", "10.0.0.8"), ("b", "host.example"), ("b", "")]
)
def test_machine_that_cannot_be(name: str, address: str) -> None:
    nodes.add("gpu1", "10.0.0.7")
    with pytest.raises(CommandError):
        call_command("node", "add", name, "--address", address)


def test_machine_without_instances_is_removed() -> None:
    nodes.add("gpu1", "10.0.0.7")
    row = make_instance(node="gpu1")
    with pytest.raises(CommandError, match="has instances"):
        call_command("node", "remove", "gpu1")
    row.delete()
    call_command("node", "remove", "gpu1")
    with pytest.raises(CommandError, match="There is no node"):
        call_command("node", "remove", "gpu1")


def test_machine_has_one_supervisor_at_a_time(settings, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(nodes, "LOST_AFTER", timedelta(seconds=-1.5))
    settings.ALMA_DATA_DIR = tmp_path / "one"
    first = nodes.claim("main", "")
    assert nodes.claim("main", "") == first  # it comes back at once after a death
    settings.ALMA_DATA_DIR = tmp_path / "two"
    monkeypatch.setattr(nodes, "LOST_AFTER", timedelta(seconds=0.5))
    Node.objects.update(seen_at=timezone.now() + timedelta(seconds=60))
    monkeypatch.setattr(nodes, "_PAUSE", 0.05)
    with pytest.raises(WrongState, match="Another supervisor looks after the node main"):
        nodes.claim("main", "")
    lose("main")
    second = nodes.claim("main", "")
    assert second.keep() is not None
    assert first.keep() is None
    with pytest.raises(NodeTaken):
        Supervisor(first).turn()


def test_figures_are_told(client: Client) -> None:
    assert client.get("/api/v1/nodes").json() == {}
    nodes.claim("main", "").keep()
    nodes.add("gpu1", "10.0.0.7")
    shown = client.get("/api/v1/nodes").json()
    assert {name: (row["address"], row["status"]) for name, row in shown.items()} == {
        "gpu1": ("10.0.0.7", "new"), "main": ("127.0.0.1", "online"),
    }  # fmt: skip
    main = client.get("/api/v1/nodes/main").json()
    assert 0 < main["memory_free_bytes"] < main["memory_bytes"]
    assert main["cpu_count"] >= 1
    lose("main")
    assert client.get("/api/v1/nodes/main").json()["status"] == "lost"
    assert client.get("/api/v1/nodes/none").status_code == 404


@pytest.mark.parametrize(
    ("wanted", "status", "shown"),
    [
        ("running", "running", "unknown"), ("running", "stopped", "unknown"), ("stopped", "running", "unknown"),
        ("stopped", "stopped", "stopped"), ("stopped", "failed", "stopped"), ("running", "failed", "unknown"),
    ],
)  # fmt: skip
def test_of_a_machine_that_is_lost_nobody_knows(client: Client, wanted: str, status: str, shown: str) -> None:
    make_instance("one", node="gpu1", wanted=wanted, status=status)
    lose("gpu1")
    assert client.get("/api/v1/instances/one").json()["status"] == shown
    assert client.get("/api/instances/one").json()["status"] == shown
    assert client.get("/api/v1/instances").json()[0]["status"] == shown
    health = client.get("/api/instances/one/health").json()
    assert (health["status"] == "unknown") is (shown == "unknown")
    Node.objects.update(seen_at=timezone.now())
    assert client.get("/api/v1/instances/one").json()["status"] != "unknown"


def test_instance_is_placed_on_a_machine_and_stays_there(client: Client) -> None:
    nodes.add("gpu1", "10.0.0.7")
    path = "/api/v1/instances/one"

    def send(method: str, body: dict[str, Any]) -> Any:
        return getattr(client, method)(path, data=body, content_type="application/json")

    assert "There is no node gpu2" in send("post", {"model": "x.gguf", "nodes": ["gpu2"]}).json()["error"]
    assert send("post", {"model": "x.gguf", "nodes": ["gpu1"]}).json()["node"] == "gpu1"
    assert send("put", {"nodes": ["main"]}).status_code == 400
    assert send("put", {"nodes": ["gpu1"], "group": "g"}).status_code == 200
    assert client.get(f"{path}/logs").status_code == 503
    other = client.post("/api/v1/instances/two", {"model": "tiny.gguf"}, content_type="application/json").json()
    assert (other["node"], other["port"]) == ("main", 8081)  # each machine has ports of its own


def test_it_listens_where_its_machine_is_reached_and_never_without_a_key(models, settings) -> None:
    settings.ALMA_MLX_COMMAND = "mlx_lm.server"
    node = Node(name="gpu1", address="10.0.0.7")
    start = starting.prepared(make_instance(node="gpu1"), node)
    assert start.command[start.command.index("--host") + 1] == "10.0.0.7"
    assert len(start.key) >= 24
    with pytest.raises(starting.CannotStart, match="asks for no key"):
        starting.prepared(make_instance(backend="mlx_lm", model="m"), node)


def test_unknown_machine_is_refused_to_services() -> None:
    with pytest.raises(Invalid):
        services.create(Draft("one", "x.gguf", node="none"), by=make_actor("operator"), starts=False)
