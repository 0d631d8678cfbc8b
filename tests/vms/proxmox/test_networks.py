"""What a cluster does not say of its networks is unknown, and never none."""

from typing import Any, cast

import pytest

from alma.jobs.kinds import Unknown
from vms.proxmox import networks
from vms.proxmox.answers import Refusal, Verdict
from vms.proxmox.client import Api

NO = Refusal(Verdict.REFUSED, 403, "Permission check failed")
SILENCE = Unknown("The cluster did not answer in time.")
TOLD: dict[str, Any] = {
    "cluster/sdn/zones": [{"zone": "lans", "type": "vlan"}],
    "cluster/sdn/vnets": [{"vnet": "dev", "zone": "lans", "tag": 200}],
    "cluster/sdn/vnets/dev/subnets": [{"cidr": "10.0.0.0/24", "gateway": "10.0.0.1"}],
    "cluster/sdn/vnets/dev/firewall/rules": [],
}


class Answers:
    """A cluster that says these things."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told

    def get(self, *path: str, **query: Any) -> Any:
        answer = self.told["/".join(path)]
        if isinstance(answer, Exception):
            raise answer
        return answer


def api(**told: Any) -> Api:
    return cast("Api", Answers(TOLD | told))


@pytest.mark.parametrize(
    ("path", "answer", "told"),
    [
        ("zones", [], ("vnet", None, ["10.0.0.0/24"], [])),
        ("zones", NO, None),
        ("vnets", SILENCE, None),
        ("vnets", "nonsense", None),
        ("vnets/dev/subnets", NO, ("vlan", 200, None, [])),
        ("vnets/dev/subnets", SILENCE, None),
        ("vnets/dev/firewall/rules", NO, ("vlan", 200, ["10.0.0.0/24"], None)),
        ("vnets/dev/firewall/rules", SILENCE, ("vlan", 200, ["10.0.0.0/24"], None)),
        ("vnets/dev/firewall/rules", [], ("vlan", 200, ["10.0.0.0/24"], [])),
    ],
    ids=["zone unseen", "zones refused", "silent", "nonsense", "subnets refused", "subnets silent", "rules refused",
         "rules silent", "all told"],
)  # fmt: skip
def test_virtual_networks(path: str, answer: Any, told: tuple[Any, ...] | None) -> None:
    found = networks.of_cluster(api(**{f"cluster/sdn/{path}": answer}))
    rows = found and [(one.kind, one.vlan_id, one.subnets, one.firewall_rules) for one in found]
    assert rows == (told and [told])


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"type": "bridge", "cidr": "10.1.0.5/16", "active": 1}, ("bridge", None, ["10.1.0.0/16"], True)),
        ({"type": "OVSBridge"}, ("bridge", None, [], False)),
        ({"iface": "vlan12", "type": "vlan"}, ("vlan", 12, [], False)),
        ({"iface": "eno1.34", "type": "vlan"}, ("vlan", 34, [], False)),
        ({"type": "vlan", "vlan-id": "56"}, ("vlan", 56, [], False)),
        ({"type": "bridge", "cidr": "nonsense", "cidr6": "fd00::5/64"}, ("bridge", None, ["fd00::/64"], False)),
        ({"type": "eth"}, None),
        ({"type": "bond"}, None),
    ],
    ids=str,
)
def test_interfaces(row: dict[str, Any], told: tuple[Any, ...] | None) -> None:
    found = networks.of_node(api(**{"nodes/pve1/network": [{"iface": "net9", **row}]}), "pve1")
    assert found is not None
    assert [(one.kind, one.vlan_id, one.subnets, one.is_active) for one in found] == ([told] if told else [])


@pytest.mark.parametrize("answer", [NO, SILENCE, "nonsense", [{"type": "bridge", "iface": ["net9"]}]], ids=str)
def test_a_node_that_does_not_tell(answer: Any) -> None:
    assert networks.of_node(api(**{"nodes/pve1/network": answer}), "pve1") is None
