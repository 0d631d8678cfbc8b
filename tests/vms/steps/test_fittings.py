"""What of a network card is not as the plan says, in words."""

from typing import Any

import pytest

from tests.iprs.readings import GIB
from vms.proxmox.readings import CardReading, GuestReading
from vms.steps.fittings import differences

MAC = "BC:24:11:00:00:01"
NOW = CardReading(bridge="vmbr0", vlan=12, ip="10.0.0.5/24", gateway="10.0.0.1", mac=MAC)
PLAN = {"slot": "net0", "bridge": "vmbr0", "vlan": 12}


def found(kind: str, now: CardReading | None, plan: dict[str, Any]) -> list[str]:
    reading = GuestReading(
        vmid=5000, kind=kind, node="pve1", name="web", status="running", config={}, digest="", lock="", marker="", cores=1,
        memory_bytes=GIB, disk="scsi0", disk_bytes=GIB, disks={}, tags=(), cards={"net0": now} if now else {},
        is_template=False,
    )  # fmt: skip
    return list(differences(reading, {"cards": [plan]}))


@pytest.mark.parametrize(
    ("kind", "more", "words"),
    [
        ("vm", {}, []),
        ("vm", {"bridge": "vmbr1"}, ["net0 is plugged into vmbr0, not vmbr1"]),
        ("vm", {"vlan": None}, ["net0 has VLAN 12, not no VLAN"]),
        ("vm", {"mac": MAC.lower()}, []),
        ("vm", {"mac": "bc:24:11:00:00:02"}, [f"net0 has the address {MAC}, not BC:24:11:00:00:02"]),
        ("vm", {"mtu": 9000}, ["net0 has an MTU of its bridge, not 9000"]),
        ("vm", {"firewall": True}, ["net0 has no firewall"]),
        ("vm", {"firewall": False, "ip": "10.0.0.9/24"}, []),
        ("lxc", {"ip": "10.0.0.5/24", "gateway": "10.0.0.1"}, []),
        ("lxc", {"ip": "10.0.0.5/24"}, ["net0 has 10.0.0.5/24 through 10.0.0.1, not 10.0.0.5/24"]),
        ("lxc", {"ip": "dhcp", "bridge": "x"}, [
            "net0 is plugged into vmbr0, not x", "net0 has 10.0.0.5/24 through 10.0.0.1, not dhcp",
        ]),
    ],
)  # fmt: skip
def test_a_card_that_is_not_as_planned(kind: str, more: dict[str, Any], words: list[str]) -> None:
    assert found(kind, NOW, {**PLAN, **more}) == words


def test_a_card_that_is_not_there_or_in_nothing() -> None:
    assert found("vm", None, PLAN) == ["it has no card net0"]
    assert found("vm", CardReading(bridge="", vlan=12), PLAN) == ["net0 is plugged into nothing, not vmbr0"]
