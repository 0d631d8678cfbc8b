"""Watching a cluster: everything comes from the last reading, with its age, and no page asks the cluster."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alma.accounts.models import Organization
from alma.errors import Unavailable
from alma.events.models import Event
from tests.factories.accounts import make_organization, make_user
from tests.factories.vms import make_cluster, make_guest
from tests.fixtures.sandbox import RunningSandbox
from vms import inventory, sightings
from vms.models import Cluster, ClusterNode, ClusterStorage, ClusterTask
from vms.proxmox.readings import NodeReading, Sighting, TaskRow

pytestmark = pytest.mark.django_db
PAGES = ("", "guests/", "tasks/", "checks/")


@pytest.fixture
def site(client: Client) -> Client:
    client.force_login(make_user("viewer", organization=make_organization()))
    return client


def node(name: str, *, is_online: bool = True, **figures: Any) -> NodeReading:
    return NodeReading(name=name, is_online=is_online, **figures)


def task(number: int, status: str = "", log: str | None = None) -> TaskRow:
    now = timezone.now()
    return TaskRow(
        upid=f"UPID:pve1:{number}", node="pve1", kind="qmstart", subject="100", user="root@pam", started_at=now,
        ended_at=now if status else None, status=status, log=log,
    )  # fmt: skip


def see(cluster: Cluster, **seen: Any) -> None:
    inventory.store(cluster, [], Sighting(guests=(), **seen))


# -- what is stored --------------------------------------------------------------------------------
def test_one_reading_of_a_sandbox_fills_the_page(fresh_sandbox: RunningSandbox, site: Client) -> None:
    cluster = make_cluster(fresh_sandbox, organization=make_organization(), slug="lab")
    client = fresh_sandbox.proxmoxer()
    fresh_sandbox.wait(client.nodes("pve1").qemu(101).status.stop.post())
    client._store["session"].close()

    inventory.refresh_all()

    assert set(ClusterNode.objects.values_list("name", "is_online")) == {("pve1", True), ("pve2", True), ("pve3", True)}
    assert ClusterStorage.objects.filter(name="local-lvm", node="pve1", total_bytes__gt=0).exists()
    stop = ClusterTask.objects.get(kind="qmstop", subject="101")
    assert (stop.state, stop.is_log_whole) == ("succeeded", True)
    assert "TASK OK" in stop.log

    calls = fresh_sandbox.count("GET", "/cluster/resources")
    page = site.get("/clusters/lab/").content.decode()
    assert "pve3" in page
    assert "local-lvm" in page
    assert "qmstop" in page
    assert "TASK OK" in site.get(f"/clusters/lab/tasks/{stop.pk}/").content.decode()
    assert fresh_sandbox.count("GET", "/cluster/resources") == calls, "no page asks the cluster"

    inventory.refresh_all()
    assert fresh_sandbox.count("GET", "/nodes/{node}/tasks/{upid}/log") == 1, "a whole log is read once"
    cluster.refresh_from_db()
    assert cluster.unreachable_since is None


def test_an_offline_node_keeps_its_last_figures_and_is_told() -> None:
    cluster = make_cluster()
    see(cluster, nodes=(node("pve1", cores=8, memory_bytes=100, memory_used=60), node("pve2")))
    see(cluster, nodes=(node("pve1", is_online=False),))

    row = ClusterNode.objects.get()
    assert (row.name, row.is_online, row.cores, row.memory_used) == ("pve1", False, 8, 60)
    event = Event.objects.of(cluster.stream).get(kind="cluster.node_changed")
    assert (event.data["node"], event.data["is_online"]) == ("pve1", False)


def test_unread_tasks_are_not_taken_for_none() -> None:
    cluster = make_cluster()
    see(cluster, tasks=(task(1),))
    see(cluster, tasks=None)
    assert ClusterTask.objects.get().state == "running"


def test_a_task_is_followed_to_its_end_and_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sightings, "KEPT_TASKS", 2)
    cluster = make_cluster()
    see(cluster, tasks=(task(1, log="half"),))
    assert sightings.whole_logs(cluster) == frozenset()
    see(cluster, tasks=(task(1, "WARNINGS: 2", "half\nwhole"),))
    row = ClusterTask.objects.get()
    assert (row.state, row.log, row.is_log_whole) == ("succeeded_with_warnings", "half\nwhole", True)
    assert sightings.whole_logs(cluster) == {"UPID:pve1:1"}
    see(cluster, tasks=(task(2, "some error", ""), task(3)))
    assert set(ClusterTask.objects.values_list("upid", flat=True)) == {"UPID:pve1:2", "UPID:pve1:3"}
    ends = Event.objects.of(cluster.stream).filter(kind="cluster.tasks").values_list("data", flat=True)
    assert [(data["ended"], data["failed"]) for data in ends] == [(0, 0), (1, 0), (1, 1)]


def test_an_outage_has_a_beginning_and_an_end(site: Client) -> None:
    cluster = make_cluster(organization=make_organization(), slug="lab")
    see(cluster, nodes=(node("pve1"),))
    inventory.note_failure(cluster, Unavailable("It is silent."))
    cluster.refresh_from_db()
    since = cluster.unreachable_since
    inventory.note_failure(cluster, Unavailable("It is still silent."))
    cluster.refresh_from_db()
    assert cluster.unreachable_since == since
    page = site.get("/clusters/lab/").content.decode()
    assert "Unreachable since" in page
    assert "It is still silent." in page
    assert "pve1" in page
    see(cluster)
    cluster.refresh_from_db()
    assert cluster.unreachable_since is None


# -- pages -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", PAGES)
def test_others_see_nothing_of_it(client: Client, path: str) -> None:
    make_cluster(organization=make_organization("other"), slug="lab")
    assert client.get(f"/clusters/lab/{path}").status_code == 302
    client.force_login(make_user("viewer", organization=make_organization()))
    assert client.get(f"/clusters/lab/{path}").status_code == 404
    assert "lab" not in client.get("/clusters/").context["rows"]


@pytest.mark.parametrize("path", ["", "guests/", "tasks/"])
def test_htmx_gets_a_part(site: Client, path: str) -> None:
    make_cluster(organization=make_organization(), slug="lab")
    part = site.get(f"/clusters/lab/{path}", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert 'data-live="cluster:' in part
    assert "<html" in site.get(f"/clusters/lab/{path}").content.decode()


@pytest.mark.parametrize(
    ("words", "found"), [("web", ["web-1"]), ("running pve2", ["erp"]), ("4711", ["web-1"]), ("x", [])]
)
def test_guests_are_searched(site: Client, words: str, found: list[str]) -> None:
    cluster = make_cluster(organization=make_organization(), slug="lab")
    make_guest(cluster, name="web-1", vmid=4711)
    make_guest(cluster, name="erp", node="pve2")
    response = site.get("/clusters/lab/guests/", {"q": words})
    assert [guest.name for guest in response.context["page"]] == found


def test_tasks_are_filtered_by_how_they_ended(site: Client) -> None:
    cluster = make_cluster(organization=make_organization(), slug="lab")
    see(cluster, tasks=(task(1), task(2, "OK"), task(3, "WARNINGS: 1"), task(4, "no space left")))
    shown = {state: site.get("/clusters/lab/tasks/", {"state": state}) for state in ("", "running", "failed")}
    assert {state: len(page.context["tasks"]) for state, page in shown.items()} == {"": 4, "running": 1, "failed": 1}


def test_an_unverified_cluster_is_shown_in_red(site: Client) -> None:
    cluster = make_cluster(organization=make_organization(), slug="lab")
    Cluster.objects.filter(pk=cluster.pk).update(verifies_tls=False)
    for path in ("/clusters/", *(f"/clusters/lab/{path}" for path in PAGES)):
        assert "is not verified" in site.get(path).content.decode()


def test_pages_cost_the_same_however_much_there_is(site: Client) -> None:
    cluster = make_cluster(organization=make_organization(), slug="lab")

    def queries(path: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert site.get(path).status_code == 200
        return len(caught)

    def fill(start: int) -> None:
        for number in range(start, start + 8):
            make_guest(cluster, node=f"pve{number}")
        names = [f"pve{number}" for number in range(start + 8)]
        see(cluster, nodes=tuple(map(node, names)), tasks=tuple(task(number) for number in range(start, start + 8)))

    paths = ("/clusters/", *(f"/clusters/lab/{path}" for path in PAGES))
    fill(1)
    before = [queries(path) for path in paths]
    fill(20)
    make_cluster(organization=make_organization())
    assert [queries(path) for path in paths] == before


def test_the_default_is_a_real_cluster_before_a_sandbox(site: Client) -> None:
    organization: Organization = make_organization()
    make_cluster(organization=organization, is_sandbox=True)
    real = make_cluster(organization=organization)
    assert site.get("/clusters/").context["default"] == real.pk
