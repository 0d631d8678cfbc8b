"""What mends change of a config, and what they leave."""

from typing import Any

import pytest

from vms.proxmox.readings import GuestReading
from vms.steps import mends


def reading(**config: Any) -> GuestReading:
    return GuestReading(
        vmid=100, kind="vm", node="pve1", name="web", status="running", config=config, digest="d", lock="", marker="",
        cores=1, memory_bytes=0, disk="", disk_bytes=0, disks={}, tags=(), cards={}, is_template=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("mend", "config", "wanted"),
    [
        ("protection", {}, {"protection": 1}),
        ("protection", {"protection": 1}, {}),
        ("agent", {}, {"agent": "enabled=1"}),
        ("agent", {"agent": "0,fstrim_cloned_disks=1"}, {"agent": "enabled=1,fstrim_cloned_disks=1"}),
        ("agent", {"agent": "enabled=0,type=virtio"}, {"agent": "enabled=1,type=virtio"}),
        ("agent", {"agent": "1"}, {}),
        ("agent", {"agent": "enabled=1"}, {}),
        ("no_password", {"cipassword": "**********"}, {"cipassword": None}),
        ("no_password", {"ciuser": "ana"}, {}),
        (
            "guarded_cards",
            {"net1": "virtio=AA:BB:CC:DD:EE:01,bridge=vmbr1,firewall=1", "net0": "virtio=AA:BB:CC:DD:EE:FF,bridge=vmbr0,tag=7"},
            {"net0": "virtio=AA:BB:CC:DD:EE:FF,bridge=vmbr0,tag=7,firewall=1"},
        ),
        ("guarded_cards", {"net0": "virtio=AA:BB:CC:DD:EE:FF,firewall=0"}, {"net0": "virtio=AA:BB:CC:DD:EE:FF,firewall=1"}),
        ("plain_features", {"features": "nesting=1,force_rw_sys=1"}, {"features": "force_rw_sys=1"}),
        ("plain_features", {"features": "nesting=1,keyctl=1"}, {"features": None}),
        ("plain_features", {"features": "nesting=0"}, {}),
        ("plain_features", {}, {}),
        (
            "safe_cache",
            {"scsi0": "local-lvm:vm-100-disk-0,cache=unsafe,size=8G", "scsi1": "local-lvm:vm-100-disk-1,cache=none"},
            {"scsi0": "local-lvm:vm-100-disk-0,size=8G"},
        ),
    ],
    ids=range(16),
)  # fmt: skip
def test_only_what_differs(mend: str, config: dict[str, Any], wanted: dict[str, Any]) -> None:
    now = reading(**config)
    assert mends.wanted(now, [mend]) == wanted
    after = {name: value for name, value in {**config, **wanted}.items() if value is not None}
    assert mends.wanted(reading(**after), [mend]) == {}, "once is enough"


def test_several_are_one_request() -> None:
    options = mends.wanted(
        reading(cipassword="**********", features="nesting=1"), ["no_password", "plain_features", "protection"]
    )
    assert mends.values(options) == {"protection": 1, "delete": "cipassword,features"}


def test_a_secret_is_only_said_to_be_there() -> None:
    now = reading(cipassword="geheim", agent="1")
    assert [mends.shown(now, name) for name in ("cipassword", "agent", "protection")] == ["set", "1", None]
