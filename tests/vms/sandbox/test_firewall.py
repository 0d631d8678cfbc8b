"""Firewall rules, options, names and groups, at every place that has a firewall."""

from typing import Any

import pytest

from tests.vms.sandbox.driving import Cluster
from vms.sandbox.core.identity import Identity

CLUSTER, NODE, GUEST = "/cluster/firewall", "/nodes/pve1/firewall", "/nodes/pve1/qemu/101/firewall"
CONTAINER = "/nodes/pve1/lxc/201/firewall"
ACCEPT = {"type": "in", "action": "ACCEPT"}


def _comments(cluster: Cluster, path: str) -> list[str]:
    return [row["comment"] for row in cluster.get(f"{path}/rules")]


@pytest.mark.parametrize("path", [CLUSTER, NODE, GUEST, CONTAINER])
def test_a_new_rule_comes_first_and_is_off(cluster: Cluster, path: str) -> None:
    for comment in "abc":
        cluster.post(f"{path}/rules", **ACCEPT, comment=comment)
    assert _comments(cluster, path) == ["c", "b", "a"]
    row = cluster.get(f"{path}/rules/0")
    assert {key: row[key] for key in ("pos", "enable", "type", "action")} == {"pos": 0, "enable": 0, **ACCEPT}
    cluster.put(f"{path}/rules/0", enable=1, macro="ssh", delete="comment")
    row = cluster.get(f"{path}/rules/0")
    assert (row["enable"], row["macro"]) == (1, "SSH") and "comment" not in row
    cluster.delete(f"{path}/rules/0")
    assert _comments(cluster, path) == ["b", "a"]


@pytest.mark.parametrize(("place", "target", "order"), [(0, 3, "cbda"), (3, 0, "adcb"), (1, 4, "dbac"), (2, 2, "dcba")])
def test_rules_move(cluster: Cluster, place: int, target: int, order: str) -> None:
    for comment in "abcd":
        cluster.post(f"{CLUSTER}/rules", **ACCEPT, comment=comment)
    cluster.put(f"{CLUSTER}/rules/{place}", moveto=target)
    assert "".join(_comments(cluster, CLUSTER)) == order


@pytest.mark.parametrize(
    ("path", "rule", "errors"),
    [
        (CLUSTER, {"type": "in", "action": "ALLOW"}, {"action": "unknown action 'ALLOW'"}),
        (CLUSTER, {"type": "forward", "action": "REJECT"}, {"action": "cannot define REJECT rules on forward chain"}),
        (GUEST, {"type": "forward", "action": "DROP"}, {"type": "invalid rule type 'forward' for rule_env 'vm'"}),
        (GUEST, {**ACCEPT, "iface": "eth0"}, {"iface": "value does not match the regex pattern 'net\\d+'"}),
        (GUEST, {**ACCEPT, "macro": "Nonsense"}, {"macro": "unknown macro 'Nonsense'"}),
        (GUEST, {**ACCEPT, "dport": "80"}, {"proto": "missing property - 'dport' requires this property"}),
        (GUEST, {**ACCEPT, "dport": "80", "proto": "esp"}, {"dport": "protocol 'esp' does not support ports"}),
        (GUEST, {**ACCEPT, "dport": "70000", "proto": "tcp"}, {"dport": "invalid format - invalid port '70000'\n"}),
        (GUEST, {**ACCEPT, "proto": "quux"}, {"proto": "invalid format - unknown protocol 'quux'\n"}),
        (GUEST, {**ACCEPT, "source": "+web"}, {"source": "no such ipset 'web'"}),
        (GUEST, {**ACCEPT, "dest": "office"}, {"dest": "no such alias 'office'"}),
        (GUEST, {**ACCEPT, "source": "10.0.0.0/99"},
         {"source": "invalid format - value does not look like a valid IP address or CIDR network\n"}),
    ],
)  # fmt: skip
def test_refused_rules(cluster: Cluster, path: str, rule: dict[str, Any], errors: dict[str, str]) -> None:
    refused = cluster.refusal("POST", f"{path}/rules", **rule)
    assert (refused.status, refused.errors) == (400, errors)
    assert cluster.get(f"{path}/rules") == []


def test_places_without_a_rule(cluster: Cluster) -> None:
    assert cluster.refusal("GET", f"{GUEST}/rules/3").message == "no rule at position 3"
    refused = cluster.refusal("DELETE", f"{GUEST}/rules/3")
    assert refused.message == "error during cfs-locked 'firewall-vm-101' operation: no rule at position 3"
    cluster.post(f"{GUEST}/rules", **ACCEPT)
    assert "detected modified configuration" in cluster.refusal("PUT", f"{GUEST}/rules/0", digest="0" * 40).message


def test_options(cluster: Cluster) -> None:
    cluster.put(f"{GUEST}/options", enable=1, policy_in="DROP")
    assert cluster.get(f"{GUEST}/options") == {
        "enable": 1,
        "policy_in": "DROP",
        "digest": cluster.get(f"{GUEST}/options")["digest"],
    }
    cluster.put(f"{GUEST}/options", delete="policy_in")
    assert "policy_in" not in cluster.get(f"{GUEST}/options")
    assert cluster.refusal("PUT", f"{GUEST}/options", delete="nothing").errors == {"delete": "no such option 'nothing'"}
    assert cluster.refusal("PUT", f"{NODE}/options", policy_in="DROP").status == 400


def test_aliases(cluster: Cluster) -> None:
    cluster.post(f"{CLUSTER}/aliases", name="Office", cidr="10.9.0.0/16", comment="us")
    assert cluster.refusal("POST", f"{CLUSTER}/aliases", name="office", cidr="10.8.0.1").errors == {
        "name": "alias 'office' already exists"
    }
    cluster.put(f"{CLUSTER}/aliases/office", cidr="10.8.0.0/16", rename="site")
    row = cluster.get(f"{CLUSTER}/aliases")[0]
    assert (row["name"], row["cidr"]) == ("site", "10.8.0.0/16") and row["digest"]
    cluster.post(f"{GUEST}/rules", **ACCEPT, source="dc/site")
    assert [row["ref"] for row in cluster.get(f"{GUEST}/refs")] == ["dc/site"]
    cluster.delete(f"{CLUSTER}/aliases/site")
    assert cluster.refusal("GET", f"{CLUSTER}/aliases/site").errors == {"name": "no such alias"}


def test_sets_of_addresses(cluster: Cluster) -> None:
    cluster.post(f"{GUEST}/ipset", name="web", comment="servers")
    cluster.post(f"{GUEST}/ipset/web", cidr="10.0.0.0/24", nomatch=1)
    assert cluster.refusal("POST", f"{GUEST}/ipset/web", cidr="10.0.0.0/24").errors == {
        "cidr": "address '10.0.0.0/24' already exists"
    }
    cluster.put(f"{GUEST}/ipset/web/10.0.0.0/24", comment="all")
    assert cluster.get(f"{GUEST}/ipset/web/10.0.0.0%2F24")["comment"] == "all"
    assert "IPSet 'web' is not empty" in cluster.refusal("DELETE", f"{GUEST}/ipset/web").message
    cluster.post(f"{GUEST}/ipset", name="www", rename="web")
    assert [row["name"] for row in cluster.get(f"{GUEST}/ipset")] == ["www"]
    cluster.delete(f"{GUEST}/ipset/www/10.0.0.0/24")
    cluster.delete(f"{GUEST}/ipset/www")
    assert cluster.refusal("GET", f"{GUEST}/ipset/www").message == "no such IPSet 'www'"


def test_security_groups(cluster: Cluster) -> None:
    cluster.post(f"{CLUSTER}/groups", group="web", comment="HTTP")
    cluster.post(f"{CLUSTER}/groups/web", type="in", action="ACCEPT", macro="HTTPS")
    assert cluster.get(f"{CLUSTER}/groups/web/0")["macro"] == "HTTPS"
    assert cluster.refusal("POST", f"{CLUSTER}/groups/web", type="group", action="web").errors == {
        "type": "security groups not allowed"
    }
    cluster.post(f"{GUEST}/rules", type="group", action="web", enable=1)
    assert "Security group 'web' is not empty" in cluster.refusal("DELETE", f"{CLUSTER}/groups/web").message
    cluster.delete(f"{CLUSTER}/groups/web/0")
    cluster.delete(f"{CLUSTER}/groups/web")
    assert cluster.refusal("GET", f"{CLUSTER}/groups/web").message == "no such security group 'web'"


def test_vnets_forward(cluster: Cluster) -> None:
    cluster.post("/cluster/sdn/zones", zone="lan", type="simple")
    cluster.post("/cluster/sdn/vnets", vnet="blue", zone="lan")
    path = "/cluster/sdn/vnets/blue/firewall"
    assert cluster.refusal("POST", f"{path}/rules", **ACCEPT).errors == {
        "type": "invalid rule type 'in' for rule_env 'vnet'"
    }
    cluster.post(f"{path}/rules", type="forward", action="DROP")
    assert cluster.get(f"{path}/rules/0")["action"] == "DROP"


def test_who_may(cluster: Cluster) -> None:
    cluster.post("/access/users", userid="ada@pve")
    cluster.put("/access/acl", path="/vms/101", roles="PVEVMAdmin", users="ada@pve")
    ada = Cluster(cluster.core, cluster.clock, Identity("ada@pve"))
    ada.post(f"{GUEST}/rules", **ACCEPT)
    assert ada.refusal("POST", f"{NODE}/rules", **ACCEPT).message == "Permission check failed (/nodes/pve1, Sys.Modify)"
    assert ada.refusal("GET", f"{CLUSTER}/options").message == "Permission check failed (/, Sys.Audit)"


def test_the_firewall_goes_with_its_guest(cluster: Cluster) -> None:
    cluster.machine(100)
    cluster.post("/nodes/pve1/qemu/100/firewall/rules", **ACCEPT)
    cluster.finish(cluster.delete("/nodes/pve1/qemu/100"))
    cluster.machine(100)
    assert cluster.get("/nodes/pve1/qemu/100/firewall/rules") == []


def test_a_clone_has_a_firewall_of_its_own(cluster: Cluster) -> None:
    cluster.machine(100)
    path = "/nodes/pve1/qemu/{}/firewall"
    cluster.post(f"{path.format(100)}/rules", **ACCEPT, comment="both")
    assert cluster.finish(cluster.post("/nodes/pve1/qemu/100/clone", newid=105, full=1)) == "OK"
    assert _comments(cluster, path.format(105)) == ["both"]
    cluster.delete(f"{path.format(105)}/rules/0")
    assert _comments(cluster, path.format(100)) == ["both"] and _comments(cluster, path.format(105)) == []
