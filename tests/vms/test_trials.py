"""The page on which operators let a sandbox go wrong: for staff, on sandboxes alone, one click per fault."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from alma.events.models import Event
from tests.factories.accounts import make_organization, make_user
from tests.factories.vms import make_cluster
from tests.fixtures.sandbox import RunningSandbox
from vms import inventory
from vms.models import Cluster
from vms.proxmox.client import disconnect

pytestmark = pytest.mark.django_db


@pytest.fixture
def cluster(fresh_sandbox: RunningSandbox) -> Iterator[Cluster]:
    yield make_cluster(fresh_sandbox, organization=make_organization(), slug="lab")
    disconnect()


@pytest.fixture
def site(client: Client, cluster: Cluster) -> Client:
    user = make_user("operator", organization=make_organization())
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client.force_login(user)
    return client


def titles(site: Client) -> list[str]:
    return [fault.title for fault in site.get("/clusters/lab/faults/").context["trial"].faults]


FAULTS = [
    ({"kind": "offline_node", "target": "pve2"}, "pve2 is offline"),
    ({"kind": "full_storage", "target": "local-lvm"}, "local-lvm is full"),
    ({"kind": "no_quorum"}, "The cluster has no quorum"),
    ({"kind": "fail_task", "type": "qmstart", "text": "no", "count": "2"}, "The next qmstart fails"),
    ({"kind": "fail_task", "type": "*", "text": "no"}, "The next task fails"),
    ({"kind": "slow_tasks", "type": "*", "factor": "10"}, "All tasks take 10 times as long"),
    ({"kind": "lose_request", "method": "POST", "path": "/nodes/*"}, "A request is lost before its effect"),
    ({"kind": "lose_answer", "method": "*", "count": "3"}, "An answer is lost after the effect"),
    ({"kind": "unauthorized"}, "A session is refused with 401"),
    ({"kind": "answer", "status": "596"}, "An answer is 596 instead of the effect"),
    ({"kind": "latency", "seconds": "0.2"}, "Every answer takes 0.2 s longer"),
    ({"kind": "lag", "seconds": "10"}, "The list of the cluster is 10 s old"),
]


def test_every_fault_by_a_form_listed_healed_one_by_one_and_all_at_once(
    site: Client, cluster: Cluster, fresh_sandbox: RunningSandbox
) -> None:
    for values, title in FAULTS:
        assert site.post("/clusters/lab/faults/", values).status_code == 302
        assert title in titles(site)
    assert len(titles(site)) == len(FAULTS)
    active = fresh_sandbox.core.faults.active()
    site.post("/clusters/lab/faults/heal/", {"fault": active[0]["id"]})
    assert len(titles(site)) == len(FAULTS) - 1
    site.post("/clusters/lab/faults/heal/")
    assert titles(site) == []
    kinds = [event.kind for event in Event.objects.of(cluster.stream)]
    assert kinds.count("sandbox.fault_added") == len(FAULTS) and kinds.count("sandbox.healed") == 2


def test_htmx_gets_what_has_changed(site: Client) -> None:
    answer = site.post("/clusters/lab/faults/", {"kind": "no_quorum"}, HTTP_HX_REQUEST="true")
    assert answer.status_code == 200 and answer.content.decode().strip().startswith('<div class="stack" id="trial"')
    assert "The cluster has no quorum" in answer.content.decode()


def test_pace_and_beginning_anew(site: Client, fresh_sandbox: RunningSandbox) -> None:
    site.post("/clusters/lab/faults/speed/", {"speed": "100"})
    assert fresh_sandbox.core.world.time_scale == 100
    assert site.post("/clusters/lab/faults/speed/", {"speed": "5000"}).status_code == 422
    client = fresh_sandbox.proxmoxer()
    client.nodes("pve1").qemu(101).config.put(description="mine")
    site.post("/clusters/lab/faults/reset/")
    assert "description" not in client.nodes("pve1").qemu(101).config.get()
    client._store["session"].close()


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "offline_node"}, {"kind": "offline_node", "target": "nosuch"}, {"kind": "bogus"}, {},
        {"kind": "latency", "seconds": "-1"}, {"kind": "fail_task", "text": "a", "type": "bogus"},
        {"kind": "answer", "status": "200"},
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_a_sentence(site: Client, values: dict[str, str]) -> None:
    answer = site.post("/clusters/lab/faults/", values)
    assert answer.status_code == 422 and titles(site) == []


def test_the_page_offers_what_the_cluster_has(site: Client, cluster: Cluster) -> None:
    inventory.refresh_all()
    page = site.get("/clusters/lab/faults/")
    assert page.context["nodes"] == ["pve1", "pve2", "pve3"] and "local-lvm" in page.context["storages"]
    assert 'href="/clusters/lab/faults/" aria-current="page"' in page.content.decode()


def test_a_silent_sandbox_is_told_on_the_page(site: Client, fresh_sandbox: RunningSandbox) -> None:
    fresh_sandbox.stop()
    disconnect()
    page = site.get("/clusters/lab/faults/")
    assert page.status_code == 200 and "The sandbox does not answer" in page.content.decode()


def test_for_staff_on_sandboxes_of_their_own_alone(site: Client, client: Client, cluster: Cluster) -> None:
    make_cluster(organization=cluster.organization, slug="real")
    assert site.get("/clusters/real/faults/").status_code == 404
    other = make_cluster(slug="theirs")
    Cluster.objects.filter(pk=other.pk).update(is_sandbox=True)
    assert site.get("/clusters/theirs/faults/").status_code == 404
    client.force_login(make_user("operator", organization=make_organization()))
    assert client.post("/clusters/lab/faults/", {"kind": "no_quorum"}).status_code == 403
    assert "/clusters/lab/faults/" not in client.get("/clusters/lab/").content.decode()
    viewer = make_user("viewer", organization=make_organization())
    User.objects.filter(pk=viewer.pk).update(is_staff=True)
    client.force_login(viewer)
    assert client.get("/clusters/lab/faults/").status_code == 403
    client.logout()
    assert client.get("/clusters/lab/faults/").status_code == 302
