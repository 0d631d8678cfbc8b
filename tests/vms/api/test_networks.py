"""`GET /v1/networks`: the documented shape, and null for what nobody tells."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from alma.accounts.models import Organization
from tests.factories.accounts import make_key, make_organization
from tests.factories.vms import make_cluster
from vms.models import Cluster, ClusterNetwork, ClusterNode, PlaceClaim
from vms.operations.places import claimed
from vms.operations.wishes import Network, kept

pytestmark = pytest.mark.django_db
PAGINATION = {
    "total", "limit", "offset", "pages", "current_page", "has_next", "has_previous", "next_cursor", "previous_cursor",
}  # fmt: skip
RULE = {
    "id": "rule-001", "action": "allow", "protocol": "tcp", "port": 22, "source": "192.168.0.0/16", "destination": None,
    "enabled": True,
}  # fmt: skip
VLAN = {
    "node": "", "bridge": "prod", "name": "production-vlan", "kind": "vlan", "is_active": True, "zone": "lans",
    "zone_kind": "vlan", "vlan_id": 100, "subnets": ["192.168.1.0/24"], "gateway": "192.168.1.1",
    "dns_servers": ["8.8.8.8"], "dhcp_enabled": False, "firewall_rules": [RULE],
}  # fmt: skip
TOLD = {
    "name": "production-vlan", "type": "vlan", "vlan_id": 100, "subnet": "192.168.1.0/24", "gateway": "192.168.1.1",
    "dns_servers": ["8.8.8.8"], "dhcp_enabled": False, "firewall_rules": [RULE], "created_at": None, "bridge": "prod",
    "description": None, "subnets": ["192.168.1.0/24"], "zone": "lans", "zone_type": "vlan", "active": True, "dhcp_range": None,
    "managed": False, "status": "active", "job_id": None,
}  # fmt: skip
UNKNOWN = (
    "vlan_id", "subnet", "gateway", "dns_servers", "dhcp_enabled", "firewall_rules", "created_at", "description", "zone",
    "zone_type",
)  # fmt: skip


@pytest.fixture
def organization() -> Organization:
    return make_organization()


@pytest.fixture
def cluster(organization: Organization) -> Cluster:
    cluster = make_cluster(organization=organization)
    for node in ("pve2", "pve1"):
        ClusterNode.objects.create(cluster=cluster, name=node, is_online=True, seen_at=timezone.now())
    return cluster


@pytest.fixture
def site(organization: Organization) -> Client:
    return Client(headers={"X-API-Key": make_key(frozenset({"network:read"}), organization=organization)[1]})


def put(cluster: Cluster, **overrides: Any) -> ClusterNetwork:
    values = {"node": "pve1", "bridge": "vmbr0", "kind": "bridge", "is_active": True, "seen_at": timezone.now()}
    given = values | overrides
    return ClusterNetwork.objects.create(cluster=cluster, **({"name": given["bridge"]} | given))


def listed(site: Client, query: str = "") -> Any:
    answer = site.get(f"/v1/networks?{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


@pytest.mark.parametrize(
    ("overrides", "nodes"), [({}, ["pve1", "pve2"]), ({"nodes": ["pve2"]}, ["pve2"])], ids=["all nodes", "its zone's"]
)
def test_the_documented_shape(site: Client, cluster: Cluster, overrides: dict[str, Any], nodes: list[str]) -> None:
    row = put(cluster, **VLAN, **overrides)
    answer = site.get("/v1/networks").json()
    (told,) = answer["data"]["networks"]
    assert told == {
        **TOLD, "id": f"net-{row.pk:03d}", "nodes": nodes, "cluster": cluster.slug,
        "seen_at": row.seen_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }  # fmt: skip
    assert answer["data"]["pagination"].keys() == PAGINATION
    assert {"request_id", "timestamp", "execution_time_ms", "age_seconds"} <= answer["meta"].keys()
    assert site.get(f"/v1/networks/{told['id']}").json()["data"] == {"network": told}


def test_what_nobody_told_is_null(site: Client, cluster: Cluster) -> None:
    put(cluster)
    (row,) = listed(site)["networks"]
    assert {name: row[name] for name in UNKNOWN} == dict.fromkeys(UNKNOWN)
    assert (row["name"], row["type"], row["nodes"], row["subnets"]) == ("vmbr0", "bridge", ["pve1"], None)


def test_while_its_cluster_is_silent(site: Client, cluster: Cluster) -> None:
    put(cluster)
    since = timezone.now() - timedelta(minutes=5)
    Cluster.objects.filter(pk=cluster.pk).update(unreachable_since=since, last_read_at=since)
    answer = site.get("/v1/networks").json()
    assert answer["data"]["networks"][0]["active"] is answer["data"]["networks"][0]["status"] is None
    assert (answer["meta"]["unreachable_clusters"], answer["meta"]["age_seconds"] >= 300) == ([cluster.slug], True)


def test_by_name_and_node_page_by_page(site: Client, cluster: Cluster) -> None:
    for node, bridge in [("pve2", "vmbr0"), ("pve1", "vmbr1"), ("pve1", "vmbr0")]:
        put(cluster, node=node, bridge=bridge)
    put(make_cluster(), bridge="foreign")
    first = listed(site, "limit=2")
    rest = listed(site, f"limit=2&cursor={first['pagination']['next_cursor']}")
    assert [(row["name"], row["nodes"]) for row in first["networks"] + rest["networks"]] == [
        ("vmbr0", ["pve1"]), ("vmbr0", ["pve2"]), ("vmbr1", ["pve1"]),
    ]  # fmt: skip
    assert first["pagination"]["total"] == 3


def test_one_of_ours_tells_what_the_ledger_knows(site: Client, cluster: Cluster) -> None:
    wish = Network(
        name="production-vlan", kind="vlan", vlan_id=100, uplink="vmbr0", dns_servers=("8.8.8.8", "8.8.4.4"), has_dhcp=True,
        dhcp_range=("192.168.1.100", "192.168.1.200"),
    )  # fmt: skip
    claim = claimed(cluster, kind="vlan", handle="prod", name=wish.name, wish=kept(wish))
    row = put(cluster, **VLAN, claim=claim)
    shown = site.get(f"/v1/networks/net-{row.pk:03d}").json()["data"]["network"]
    assert (shown["managed"], shown["status"], shown["dns_servers"]) == (True, "unfinished", ["8.8.8.8", "8.8.4.4"])
    assert shown["dhcp_range"] == {"start": "192.168.1.100", "end": "192.168.1.200"}
    assert shown["created_at"] == claim.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    claim.move(PlaceClaim.State.LIVE)
    assert listed(site)["networks"][0]["status"] == "active"
    claim.move(PlaceClaim.State.RELEASED)
    assert listed(site)["networks"][0]["managed"] is False


@pytest.mark.parametrize("size", [1, 40])
def test_a_page_takes_few_queries(
    site: Client, cluster: Cluster, size: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(size):
        wish = Network(name=f"lan {number}", kind="vlan", vlan_id=7, uplink="vmbr0")
        ours = claimed(cluster, kind="vlan", handle=f"vmbr{number}", name=wish.name, wish=kept(wish))
        put(cluster, bridge=f"vmbr{number}", claim=ours)
    with django_assert_max_num_queries(8):
        assert len(listed(site)["networks"]) == size


@pytest.mark.parametrize("network_id", ["net-987654", "net-x", "vm-001", "7"])
def test_what_is_not_there(site: Client, network_id: str) -> None:
    answer = site.get(f"/v1/networks/{network_id}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "RESOURCE_NOT_FOUND")


def test_those_of_others_are_not_there(site: Client, cluster: Cluster) -> None:
    assert site.get(f"/v1/networks/net-{put(make_cluster()).pk:03d}").status_code == 404
