"""Making, changing and removing networks, on a sandbox over TLS."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.errors import DomainError, Invalid, Refused, Unavailable, WrongState
from alma.events.models import Event
from alma.jobs import engine
from alma.jobs.models import Job
from alma.jobs.services import cancel
from tests.factories.vms import make_cluster
from tests.vms.operations.conftest import see
from vms import networks as chore
from vms.models import Cluster, ClusterNetwork, ClusterNode, Guest, GuestDetails, PlaceClaim
from vms.operations import networks
from vms.operations.wishes import Network
from vms.services import read_cluster

Finish = Callable[[Job], Job]
VLAN = Network(
    name="development-vlan", kind="vlan", vlan_id=200, subnet="192.168.2.0/24", gateway="192.168.2.1",
    dns_servers=("8.8.8.8", "8.8.4.4"), has_dhcp=True, dhcp_range=("192.168.2.100", "192.168.2.200"),
)  # fmt: skip
VNET = replace(VLAN, name="lab", kind="vnet", vlan_id=None)
BRIDGE = Network(name="Printers", kind="bridge", node="pve2", subnet="10.7.0.0/24", gateway="10.7.0.1")
NARROW: dict[str, Any] = {"subnet": "192.168.3.0/24", "gateway": "", "has_dhcp": False, "dhcp_range": None}
POINTS = ("work.intended", "work.renewed", "work.called")


@pytest.fixture(autouse=True)
def known(cluster: Cluster) -> None:
    see(cluster)
    chore.read_due()
    rows = [GuestDetails(guest=guest, read_at=timezone.now()) for guest in Guest.objects.machines()]
    GuestDetails.objects.bulk_create(rows)


@pytest.fixture
def sdn(observer: Any) -> Any:
    return observer.cluster.sdn


def made(wish: Network, by: Actor, finish: Finish) -> ClusterNetwork:
    row, job = networks.create(wish, by=by)
    finish(job)
    assert job.error is None, job.error
    return ClusterNetwork.objects.select_related("cluster", "claim").get(pk=row.pk)


def left(sdn: Any) -> list[str]:
    """All that is configured, applied or not."""
    found = [row["zone"] for row in sdn.zones.get(pending=1)] + [row["vnet"] for row in sdn.vnets.get(pending=1)]
    return sorted(found)


# -- making ----------------------------------------------------------------------------------------
def test_a_vlan_is_there_at_once_and_runs_in_the_end(by: Actor, finish: Finish, sdn: Any, cluster: Cluster) -> None:
    row, job = networks.create(VLAN, by=by)
    assert (row.is_active, row.bridge, row.vlan_id, job.params["status"]) == (False, "developm", 200, "creating")
    chore.read_due()
    assert ClusterNetwork.objects.filter(pk=row.pk).exists(), "what is not there yet is not missing"
    finish(job)
    assert job.error is None
    assert read_cluster(cluster).bridges_on("pve1") == ("vmbr0", "developm"), "the usual one stays the usual one"
    row.refresh_from_db()
    (zone,), (vnet,) = sdn.zones.get(running=1), sdn.vnets.get(running=1)
    assert (zone["type"], zone["bridge"], zone["zone"]) == ("vlan", "vmbr0", row.zone)
    claim = PlaceClaim.objects.get()
    assert vnet == {
        "vnet": "developm", "type": "vnet", "zone": row.zone, "tag": 200, "alias": f"development-vlan ({claim.marker})",
    }  # fmt: skip
    (subnet,) = sdn.vnets("developm").subnets.get(running=1)
    assert (subnet["cidr"], subnet["gateway"], subnet["dhcp-dns-server"]) == (
        "192.168.2.0/24",
        "192.168.2.1",
        "8.8.8.8",
    )
    assert subnet["dhcp-range"] == [{"start-address": "192.168.2.100", "end-address": "192.168.2.200"}]
    assert (claim.state, row.is_active, row.claim_id, row.dhcp_enabled) == ("live", True, claim.pk, False)
    before = row.pk
    chore.read_due()
    told = ClusterNetwork.objects.get(bridge="developm")
    assert (told.pk, told.name, told.claim_id, told.is_active) == (before, "development-vlan", claim.pk, True)
    assert Event.objects.of(cluster.stream).filter(kind="network.created").count() == 1


def test_a_virtual_network_gives_out_addresses(by: Actor, finish: Finish, sdn: Any) -> None:
    row = made(VNET, by, finish)
    assert (row.kind, row.zone_kind, row.dhcp_enabled, row.vlan_id) == ("vnet", "simple", True, None)
    (zone,) = sdn.zones.get(running=1)
    assert (zone["type"], zone["dhcp"], zone["ipam"]) == ("simple", "dnsmasq", "pve")


def test_a_bridge_of_a_node(by: Actor, finish: Finish, observer: Any) -> None:
    row = made(BRIDGE, by, finish)
    assert (row.node, row.bridge, row.subnets) == ("pve2", "vmbr1", ["10.7.0.0/24"])
    told = observer.nodes("pve2").network("vmbr1").get()
    assert (told["type"], told["cidr"], told["active"], told["autostart"]) == ("bridge", "10.7.0.1/24", 1, 1)
    assert "gateway" not in told and PlaceClaim.objects.get().marker in told["comments"]
    finish(networks.delete(row, by=by))
    assert "vmbr1" not in {one["iface"] for one in observer.nodes("pve2").network.get()}
    assert not ClusterNetwork.objects.filter(pk=row.pk).exists()


def test_networks_share_a_zone_and_the_last_takes_it_along(by: Actor, finish: Finish, sdn: Any) -> None:
    first = made(VLAN, by, finish)
    second = made(replace(VLAN, name="development two", vlan_id=201, **NARROW), by, finish)
    assert (first.zone, first.bridge, second.bridge) == (second.zone, "developm", "devel1")
    finish(networks.delete(first, by=by))
    assert left(sdn) == sorted([second.zone, "devel1"])
    finish(networks.delete(second, by=by))
    assert (left(sdn), sdn.zones.get(running=1), sdn.vnets.get(running=1)) == ([], [], [])
    assert {claim.state for claim in PlaceClaim.objects.all()} == {"released"}


# -- changing --------------------------------------------------------------------------------------
def test_a_network_is_changed(by: Actor, finish: Finish, sdn: Any) -> None:
    row = made(VLAN, by, finish)
    given = {"name": "staging", "vlan_id": 300, "subnet": "10.3.0.0/16", "gateway": "10.3.0.1", "has_dhcp": False,
             "dhcp_range": None, "dns_servers": ()}  # fmt: skip
    job = finish(networks.change(row, given, by=by))
    assert job.error is None
    (vnet,), (subnet,) = sdn.vnets.get(running=1), sdn.vnets("developm").subnets.get(running=1)
    assert (vnet["tag"], vnet["alias"].split()[0], subnet["cidr"]) == (300, "staging", "10.3.0.0/16")
    assert subnet["dhcp-range"] == [] and "dhcp-dns-server" not in subnet
    row.refresh_from_db()
    assert (row.name, row.vlan_id, row.subnets) == ("staging", 300, ["10.3.0.0/16"])
    assert PlaceClaim.objects.get().wish["name"] == "staging"


def test_a_change_that_is_none_applies_nothing(by: Actor, finish: Finish, fresh_sandbox: Any) -> None:
    row = made(VLAN, by, finish)
    before = fresh_sandbox.count("PUT", "/cluster/sdn")
    job = finish(networks.change(row, {"vlan_id": 200}, by=by))
    assert job.error is None and fresh_sandbox.count("PUT", "/cluster/sdn") == before


# -- what is not ours ------------------------------------------------------------------------------
def others_zone(sdn: Any) -> None:
    sdn.zones.post(zone="theirs", type="simple")


def others_subnet(sdn: Any) -> None:
    sdn.zones.post(zone="theirs", type="simple")
    sdn.vnets.post(vnet="their", zone="theirs")
    sdn.put()
    sdn.vnets("their").subnets.post(subnet="10.0.0.0/24", type="subnet")


@pytest.mark.parametrize("leave", [others_zone, others_subnet])
def test_what_waits_of_others_is_never_published(by: Actor, finish: Finish, sdn: Any, leave: Any) -> None:
    leave(sdn)
    row, job = networks.create(VLAN, by=by)
    finish(job)
    assert job.error is not None and job.error["code"] == "PENDING_CHANGES"
    assert "their" in job.error["message"]
    assert {part for part in left(sdn) if not part.startswith("their")} == set()
    assert PlaceClaim.objects.get().state == "released" and not ClusterNetwork.objects.filter(pk=row.pk).exists()


def test_what_others_begin_meanwhile_is_not_published_and_ours_goes(by: Actor, finish: Finish, sdn: Any) -> None:
    _, job = networks.create(VLAN, by=by)
    engine.advance(job.pk, slot_seconds=0.001)
    while len(left(sdn)) < 2:
        engine.advance(job.pk, slot_seconds=0.001)
    others_zone(sdn)
    finish(job)
    assert job.error is not None
    assert (job.error["code"], "taken back" in job.error["message"]) == ("PENDING_CHANGES", True)
    assert left(sdn) == ["theirs"] and sdn.zones.get(running=1) == []


def test_pending_changes_of_a_node_are_not_loaded(by: Actor, finish: Finish, observer: Any) -> None:
    node = observer.nodes("pve2").network
    node.post(iface="vmbr9", type="bridge", autostart=1)
    _, job = networks.create(BRIDGE, by=by)
    finish(job)
    assert job.error is not None and job.error["code"] == "PENDING_CHANGES" and "vmbr9" in job.error["message"]
    assert {"vmbr1"} & {one["iface"] for one in node.get()} == set()


def test_a_network_that_lost_the_mark_is_left_alone(by: Actor, finish: Finish, sdn: Any) -> None:
    row = made(VLAN, by, finish)
    sdn.vnets("developm").put(alias="mine now")
    sdn.put()
    job = finish(networks.delete(row, by=by))
    assert job.error is not None and job.error["code"] == "PLACE_NOT_OURS"
    assert left(sdn) == sorted(["developm", row.zone])
    assert PlaceClaim.objects.get().state == "live"


def test_those_of_others_are_refused(by: Actor, cluster: Cluster) -> None:
    row = ClusterNetwork.objects.select_related("cluster").filter(bridge="vmbr0").first()
    assert row is not None
    for act in (lambda: networks.delete(row, by=by), lambda: networks.change(row, {"name": "mine"}, by=by)):
        refused(act, Refused, "PLACE_NOT_OURS")


# -- when things go wrong --------------------------------------------------------------------------
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_it_is_finished_wherever_a_worker_dies(
    by: Actor, finish: Finish, sdn: Any, monkeypatch: pytest.MonkeyPatch, point: str, nth: int
) -> None:
    _, job = networks.create(VLAN, by=by)
    die_once(monkeypatch, point, nth)
    with pytest.raises(Died):
        engine.advance(job.pk)
    Job.objects.update(lease_until=None)
    finish(job)
    assert job.error is None
    assert len(sdn.vnets.get(running=1)) == len(sdn.zones.get(running=1)) == 1
    assert all("state" not in row for row in sdn.vnets.get(pending=1))


class Died(BaseException):
    """A worker is gone."""


def die_once(monkeypatch: pytest.MonkeyPatch, point: str, nth: int) -> None:
    """The nth time that somebody comes by a failpoint, he dies."""
    seen: list[str] = []

    def die(name: str) -> None:
        if name == point:
            seen.append(name)
            if len(seen) == nth:
                raise Died

    monkeypatch.setattr("vms.steps.places.failpoint", die)


@pytest.mark.parametrize(
    ("wish", "method", "path"),
    [
        (VLAN, "POST", "/cluster/sdn/vnets/*/subnets"),
        (VLAN, "PUT", "/cluster/sdn"),
        (BRIDGE, "PUT", "/nodes/*/network"),
    ],
    ids=["subnet", "apply", "load"],
)
def test_what_fails_halfway_is_taken_back(
    by: Actor, finish: Finish, observer: Any, wish: Network, method: str, path: str
) -> None:
    observer.sandbox.faults.post(kind="answer", status=400, text="no", method=method, path=path, count=1)
    row, job = networks.create(wish, by=by)
    finish(job)
    assert job.error is not None
    assert (job.error["code"], "taken back" in job.error["message"]) == ("PVE_REFUSED", True)
    assert left(observer.cluster.sdn) == []
    assert "vmbr1" not in {one["iface"] for one in observer.nodes("pve2").network.get()}
    assert PlaceClaim.objects.get().state == "released" and not ClusterNetwork.objects.filter(pk=row.pk).exists()


def test_a_failed_reload_is_taken_back(by: Actor, finish: Finish, sdn: Any, observer: Any) -> None:
    observer.sandbox.faults.post(kind="fail_task", type="reloadnetworkall", text="ifreload failed", count=1)
    _, job = networks.create(VLAN, by=by)
    finish(job)
    assert job.error is not None and "ifreload failed" in job.error["message"]
    assert (left(sdn), sdn.vnets.get(running=1)) == ([], [])


def test_a_lost_answer_changes_nothing(by: Actor, finish: Finish, sdn: Any, observer: Any) -> None:
    observer.sandbox.faults.post(kind="lose_answer", method="POST", path="/cluster/sdn/*", count=2)
    observer.sandbox.faults.post(kind="lose_answer", method="PUT", path="/cluster/sdn", count=1)
    made(VLAN, by, finish)
    assert len(sdn.vnets.get(running=1)) == 1


def test_while_somebody_has_locked_the_networks(by: Actor, finish: Finish, sdn: Any) -> None:
    token = sdn.lock.post()
    _, job = networks.create(VLAN, by=by)
    finish(job)
    assert job.error is not None and job.error["code"] == "SDN_LOCKED"
    assert (left(sdn), PlaceClaim.objects.get().state) == ([], "released")
    sdn.lock.delete(**{"lock-token": token})
    made(VLAN, by, finish)


def test_a_lock_in_the_middle_leaves_it_unfinished_until_somebody_ends_that(
    by: Actor, finish: Finish, sdn: Any
) -> None:
    row, job = networks.create(VLAN, by=by)
    while len(left(sdn)) < 2:
        engine.advance(job.pk, slot_seconds=0.001)
    sdn.lock.post(**{"allow-pending": 1})
    finish(job)
    assert job.error is not None and "Taking it back failed as well" in job.error["message"]
    assert PlaceClaim.objects.get().state == "reserved"
    sdn.lock.delete(force=1)
    row = ClusterNetwork.objects.select_related("cluster", "claim").get(pk=row.pk)
    assert finish(networks.delete(row, by=by)).error is None
    assert (left(sdn), PlaceClaim.objects.get().state) == ([], "released")


def test_a_missing_privilege_is_named(by: Actor, finish: Finish, observer: Any) -> None:
    text = "Permission check failed (/sdn/zones, SDN.Allocate)"
    observer.sandbox.faults.post(
        kind="answer", status=403, text=text, method="POST", path="/cluster/sdn/zones", count=9
    )
    _, job = networks.create(VLAN, by=by)
    finish(job)
    assert job.error is not None and job.error["code"] == "MISSING_PRIVILEGE" and text in job.error["message"]


def test_a_cancel_before_it_began_leaves_nothing(by: Actor, finish: Finish, sdn: Any) -> None:
    row, job = networks.create(VLAN, by=by)
    cancel(job, by="ana")
    finish(job)
    assert (job.state, left(sdn), PlaceClaim.objects.get().state) == ("cancelled", [], "released")
    assert not ClusterNetwork.objects.filter(pk=row.pk).exists()
    made(VLAN, by, finish)


# -- what cannot be asked for ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "-x"}, "name"),
        ({"name": "a:b"}, "name"),
        ({"vlan_id": None}, "vlan_id"),
        ({"kind": "vnet"}, "vlan_id"),
        ({"kind": "bridge", "vlan_id": None}, "dhcp_enabled"),
        ({"subnet": "192.168.2.7/24"}, "subnet"),
        ({"subnet": "fd00::/64"}, "subnet"),
        ({"subnet": ""}, "gateway"),
        ({"gateway": "192.168.3.1"}, "gateway"),
        ({"gateway": "192.168.2.0"}, "gateway"),
        ({"gateway": ""}, "gateway"),
        ({"gateway": "192.168.2.150"}, "dhcp_range"),
        ({"dhcp_range": None}, "dhcp_range"),
        ({"has_dhcp": False}, "dhcp_range"),
        ({"dhcp_range": ("192.168.2.200", "192.168.2.100")}, "dhcp_range"),
        ({"dhcp_range": ("192.168.2.100", "192.168.9.1")}, "dhcp_range"),
        ({"dns_servers": ("dns.example.org",)}, "dns_servers"),
        ({"dns_servers": ("9.9.9.9",) * 5}, "dns_servers"),
        ({"uplink": "vmbr7"}, "uplink"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(by: Actor, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        networks.create(replace(VLAN, **changes), by=by)
    assert refusal.value.details[0]["field"] == field  # type: ignore[index, call-overload]
    assert not Job.objects.exists() and not PlaceClaim.objects.exists()


def refused(act: Callable[[], object], kind: type[DomainError], code: str) -> None:
    with pytest.raises(kind) as refusal:
        act()
    assert refusal.value.code == code


def test_names_and_numbers_are_used_once(by: Actor, finish: Finish) -> None:
    networks.create(VLAN, by=by)
    refused(lambda: networks.create(VNET, by=by), WrongState, "PLACE_BUSY")
    finish(Job.objects.get())
    refused(lambda: networks.create(VLAN, by=by), WrongState, "NAME_TAKEN")
    refused(lambda: networks.create(replace(VLAN, name="other"), by=by), WrongState, "VLAN_TAKEN")
    refused(lambda: networks.create(replace(VLAN, name="other", vlan_id=201), by=by), WrongState, "SUBNET_TAKEN")
    other = made(replace(VLAN, name="other", vlan_id=201, **NARROW), by, finish)
    refused(lambda: networks.change(other, {"vlan_id": 200}, by=by), WrongState, "VLAN_TAKEN")
    refused(lambda: networks.change(other, {"subnet": VLAN.subnet}, by=by), WrongState, "SUBNET_TAKEN")
    refused(lambda: networks.change(other, {"name": VLAN.name}, by=by), WrongState, "NAME_TAKEN")
    refused(lambda: networks.create(replace(VNET, name="vmbr0"), by=by), WrongState, "NAME_TAKEN")


def test_a_network_with_machines_stays(by: Actor, finish: Finish) -> None:
    row = made(VLAN, by, finish)
    GuestDetails.objects.filter(guest__name="gitlab").delete()
    refused(lambda: networks.delete(row, by=by), WrongState, "USE_UNKNOWN")
    GuestDetails.objects.filter(guest__name="dns-1").update(cards=[{"place": "net0", "bridge": "developm"}])
    with pytest.raises(WrongState) as refusal:
        networks.delete(row, by=by)
    assert (refusal.value.code, refusal.value.details) == ("IN_USE", {"machines": ["dns-1"]})


def test_who_may_not(by: Actor, cluster: Cluster, finish: Finish) -> None:
    refused(lambda: networks.create(VLAN, by=replace(by, scopes=frozenset({"network:read"}))), Refused, "MISSING_SCOPE")
    real = make_cluster(organization=cluster.organization, slug="real")
    ClusterNode.objects.create(cluster=real, name="pve1", is_online=True, seen_at="2026-01-01T00:00:00Z")
    test_key = replace(by, lane="test")
    refused(lambda: networks.create(VLAN, cluster="real", by=test_key), Refused, "TEST_KEY_ON_LIVE")
    refused(lambda: networks.create(VLAN, cluster="nowhere", by=by), Invalid, "VALIDATION_ERROR")
    Cluster.objects.filter(pk=cluster.pk).update(last_error="silent")
    refused(lambda: networks.create(VLAN, cluster=cluster.slug, by=by), Unavailable, "CLUSTER_UNREACHABLE")
    assert not Job.objects.exists()
