"""Networks are read in the background: interfaces of nodes now and then, virtual networks as they run."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from alma.jobs.models import Job
from alma.jobs.services import create_job
from tests.factories.vms import make_cluster
from tests.fixtures.sandbox import RunningSandbox
from vms import inventory, networks
from vms.models import Cluster, ClusterNetwork, ClusterNode, PlaceClaim
from vms.networks import Found
from vms.proxmox.networks import NetworkReading

REMOVAL = {"noun": "network", "verb": "delete", "network": 1}


def put_vnet(running: RunningSandbox, observer: Any) -> None:
    """A VLAN with a subnet and a rule, and a network that gives out addresses; one more that nobody has applied."""
    sdn = observer.cluster.sdn
    sdn.zones.post(zone="lans", type="vlan", bridge="vmbr0", nodes="pve1")
    sdn.zones.post(zone="plain", type="simple", dhcp="dnsmasq", ipam="pve")
    sdn.vnets.post(vnet="dev", zone="lans", tag=200, alias="development-vlan")
    sdn.vnets.post(vnet="lab", zone="plain")
    sdn.vnets("dev").subnets.post(subnet="192.168.2.0/24", type="subnet", gateway="192.168.2.1")
    span = "start-address=10.9.0.100,end-address=10.9.0.200"
    sdn.vnets("lab").subnets.post(**{"subnet": "10.9.0.0/24", "type": "subnet", "dhcp-range": span, "dhcp-dns-server": "9.9.9.9"})  # fmt: skip
    observer.cluster.sdn.vnets("dev").firewall.rules.post(
        type="forward", action="ACCEPT", proto="tcp", dport="22", source="192.168.0.0/16", enable=1
    )
    running.wait(sdn.put())
    sdn.vnets.post(vnet="later", zone="plain")


def kept(bridge: str) -> ClusterNetwork:
    return ClusterNetwork.objects.get(bridge=bridge, node="")


def age(by: timedelta) -> None:
    ClusterNode.objects.update(networks_asked_at=timezone.now() - by)


def test_what_the_sandbox_tells(cluster: Cluster, observer: Any, fresh_sandbox: RunningSandbox) -> None:
    put_vnet(fresh_sandbox, observer)
    node = observer.nodes("pve1").network
    node.post(iface="vmbr0.30", type="vlan", cidr="10.30.0.2/16", comments="Printers")
    inventory.refresh_all()
    networks.read_due()
    bridges = ClusterNetwork.objects.filter(bridge="vmbr0", kind="bridge")
    listed = {one["node"]: observer.nodes(one["node"]).network("vmbr0").get() for one in observer.nodes.get()}
    assert {row.node: row.gateway for row in bridges} == {name: one["gateway"] for name, one in listed.items()}
    assert not ClusterNetwork.objects.filter(bridge="nic0").exists()
    vlan = ClusterNetwork.objects.get(node="pve1", bridge="vmbr0.30")
    assert (vlan.kind, vlan.vlan_id, vlan.subnets) == ("vlan", 30, ["10.30.0.0/16"])
    dev, lab = kept("dev"), kept("lab")
    assert (dev.name, dev.kind, dev.vlan_id, dev.zone, dev.nodes) == ("development-vlan", "vlan", 200, "lans", ["pve1"])
    assert (dev.subnets, dev.gateway, dev.dns_servers, dev.dhcp_enabled) == (
        ["192.168.2.0/24"], "192.168.2.1", [], False,
    )  # fmt: skip
    assert dev.firewall_rules == [
        {"id": "rule-001", "action": "allow", "protocol": "tcp", "port": 22, "source": "192.168.0.0/16",
         "destination": None, "enabled": True}
    ]  # fmt: skip
    assert (lab.name, lab.kind, lab.vlan_id, lab.dns_servers, lab.dhcp_enabled) == (
        "lab",
        "vnet",
        None,
        ["9.9.9.9"],
        True,
    )
    assert not ClusterNetwork.objects.filter(bridge="later").exists()


def test_nothing_is_read_twice_within_a_minute(cluster: Cluster, fresh_sandbox: RunningSandbox) -> None:
    def calls() -> int:
        return fresh_sandbox.count("GET", "/cluster/sdn/vnets")

    inventory.refresh_all()
    networks.read_due()
    before = calls()
    networks.read_due()
    age(timedelta(seconds=50))
    networks.read_due()
    assert calls() == before
    age(timedelta(seconds=61))
    networks.read_due()
    assert calls() == before + 1


def test_what_is_gone_is_forgotten(cluster: Cluster, observer: Any, fresh_sandbox: RunningSandbox) -> None:
    put_vnet(fresh_sandbox, observer)
    inventory.refresh_all()
    networks.read_due()
    number = kept("lab").pk
    vnet = observer.cluster.sdn.vnets("dev")
    vnet.subnets("lans-192.168.2.0-24").delete()
    vnet.delete()
    fresh_sandbox.wait(observer.cluster.sdn.put())
    age(timedelta(hours=1))
    networks.read_due()
    assert list(ClusterNetwork.objects.filter(node="").order_by("bridge").values_list("bridge", "pk")) == [
        ("lab", number), ("later", kept("later").pk),
    ]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("found", "left"),
    [
        (Found(), ["vmbr0", "dev"]),
        (Found({}, ["", "pve1"]), ["vmbr0", "dev"]),
        (Found({"pve1": []}, ["", "pve1"]), ["dev"]),
        (Found({"": []}, ["", "pve1"]), ["vmbr0"]),
    ],
    ids=["not asked", "no answer", "node has none", "cluster has none"],
)
def test_what_was_not_told_stays(found: Found, left: list[str]) -> None:
    cluster, now = make_cluster(), timezone.now()
    ClusterNode.objects.create(cluster=cluster, name="pve1", is_online=True, seen_at=now)
    known = {"pve1": [reading("vmbr0")], "": [reading("dev")], "pve2": [reading("vmbr9")]}
    networks.store(cluster, Found(known, list(known)), now - timedelta(minutes=2))
    networks.store(cluster, found, now)
    assert list(ClusterNetwork.objects.order_by("-pk").values_list("bridge", flat=True)) == left[::-1]
    assert networks.due(cluster) == ([] if "pve1" in found.asked else ["pve1"])


@pytest.mark.django_db
@pytest.mark.parametrize("listed", [[], ["lan"]], ids=["gone", "still there"])
@pytest.mark.parametrize(("state", "changed", "is_left"), [
    ("queued", -60, True), ("completed", 1, True), ("completed", -60, False),
])  # fmt: skip
def test_what_a_job_works_on_is_left_to_the_job(listed: list[str], state: str, changed: int, is_left: bool) -> None:
    cluster, found = make_cluster(), Found({"": [reading(bridge) for bridge in listed]}, [""])
    job = create_job("network_deletion", [], organization_id=cluster.organization_id, params=REMOVAL)
    claim = PlaceClaim.objects.create(
        organization=cluster.organization, cluster=cluster, kind="vlan", handle="lan", name="lan", job=job.public_id,
        state="live",
    )  # fmt: skip
    row = ClusterNetwork.objects.create(
        cluster=cluster, bridge="lan", name="wished", kind="vlan", claim=claim, seen_at=found.began
    )
    Job.objects.update(state=state)
    PlaceClaim.objects.update(state="released", updated_at=found.began + timedelta(seconds=changed))
    networks.store(cluster, found, found.began + timedelta(seconds=2))
    kept_rows = [(one.pk, one.name, one.claim_id) for one in ClusterNetwork.objects.all()]
    now_told = [(row.pk, bridge, None) for bridge in listed]
    assert kept_rows == ([(row.pk, "wished", claim.pk)] if is_left else now_told)


def reading(bridge: str) -> NetworkReading:
    return NetworkReading(bridge=bridge, name=bridge, kind="bridge", is_active=True)


@pytest.mark.django_db
def test_a_silent_cluster_is_left_alone() -> None:
    cluster = make_cluster(is_sandbox=True)
    ClusterNode.objects.create(cluster=cluster, name="pve1", is_online=True, seen_at=timezone.now())
    Cluster.objects.filter(pk=cluster.pk).update(last_read_at=timezone.now())
    networks.read_due()
    assert networks.due(cluster) == []
    assert not ClusterNetwork.objects.exists()
