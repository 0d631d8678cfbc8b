"""What a guest tells of itself: its words are its owner's, so whatever makes no sense is as good as nothing."""

from typing import Any

import pytest

from vms.proxmox import inside
from vms.proxmox.answers import Refusal, Verdict
from vms.proxmox.guests import interpret
from vms.proxmox.readings import GuestReading

GIB = 1024**3
MAC = "BC:24:11:00:00:01"
TWO = {"agent": "1", "scsihw": "virtio-scsi-pci", "scsi0": "local:a,size=10G", "scsi1": "local:b,size=20G"}


class Guest:
    """An API behind which a guest gives these answers; what it has none for is refused."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def get(self, *path: str | int) -> Any:
        name = str(path[-1]).replace("-", "_")
        if name not in self.answers:
            raise Refusal(Verdict.MUTE, 500, "QEMU guest agent is not running")
        return {"result": self.answers[name]} if "agent" in path else self.answers[name]


def reading(config: dict[str, Any] | None = None, *, kind: str = "vm", status: str = "running") -> GuestReading:
    return interpret(config or {"agent": "1"}, vmid=101, kind=kind, node="pve1", status=status)


def told(answers: dict[str, Any], of: GuestReading) -> inside.Inside:
    return inside.read(Guest(**answers), of)  # type: ignore[arg-type]


def mounted(point: str, *, device: str = "", kind: str = "ext4", **more: Any) -> dict[str, Any]:
    row = {"mountpoint": point, "name": device or point, "type": kind, "total-bytes": 8 * GIB, "used-bytes": 2 * GIB}
    return {**row, **more}


def test_system_addresses_and_file_systems() -> None:
    card = {
        "name": "eth0", "hardware-address": MAC.lower(),
        "ip-addresses": [
            {"ip-address": "fe80::1", "prefix": 64}, {"ip-address": "2001:db8::7", "prefix": 64},
            {"ip-address": "10.0.0.7", "prefix": 24},
        ],
    }  # fmt: skip
    answers = {
        "get_osinfo": {"id": "ubuntu", "version-id": "22.04"}, "network_get_interfaces": [card],
        "get_fsinfo": [mounted("/", disk=[{"bus-type": "scsi", "unit": 0}])],
    }  # fmt: skip
    found = told(answers, reading(TWO))
    assert (found.system, found.first_address) == ("ubuntu-22.04", "10.0.0.7")
    assert found.addresses == {MAC: ("10.0.0.7/24", "2001:db8::7/64")}
    assert found.file_systems == [{"mount_point": "/", "bytes": 8 * GIB, "used_bytes": 2 * GIB, "disk": "scsi0"}]


@pytest.mark.parametrize(
    ("answer", "system"),
    [
        ({"id": "debian", "version-id": "12"}, "debian-12"),
        ({"id": "mswindows", "version-id": "2019", "variant-id": "server"}, "windows-server-2019"),
        ({"id": "mswindows", "version-id": "11", "variant-id": "client"}, "windows-11"),
        ({"id": "arch"}, "arch"),
        ({}, ""),
    ],
)
def test_systems_by_name_and_version(answer: dict[str, str], system: str) -> None:
    assert told({"get_osinfo": answer}, reading()).system == system


def test_cards_that_share_an_address_are_one() -> None:
    rows = [
        {"hardware-address": MAC, "ip-addresses": []},
        {"hardware-address": MAC, "ip-addresses": [{"ip-address": "10.0.0.7", "prefix": 8}]},
    ]
    assert told({"get_osinfo": {}, "network_get_interfaces": rows}, reading()).addresses == {MAC: ("10.0.0.7/8",)}


def test_a_container_tells_its_addresses_and_nothing_else() -> None:
    rows = [{"name": "lo", "hwaddr": "00:00:00:00:00:00", "inet": "127.0.0.1/8"},
            {"name": "eth0", "hwaddr": MAC.lower(), "inet": "10.1.2.3/16", "inet6": "fe80::1/64"}]  # fmt: skip
    found = told({"interfaces": rows}, reading({}, kind="lxc"))
    assert (found.addresses[MAC], found.system, found.file_systems) == (("10.1.2.3/16",), "", None)


@pytest.mark.parametrize(
    ("config", "status", "answers"),
    [
        ({"agent": "1"}, "running", {}),
        ({"agent": "1"}, "stopped", {"get_osinfo": {"id": "debian"}}),
        ({"agent": "0"}, "running", {"get_osinfo": {"id": "debian"}}),
    ],
    ids=["silent", "off", "no-agent"],
)
def test_nobody_answers(config: dict[str, Any], status: str, answers: dict[str, Any]) -> None:
    assert told(answers, reading(config, status=status)) == inside.Inside()


def test_an_agent_that_may_not_tell_everything() -> None:
    found = told({"get_osinfo": {"id": "rhel", "version-id": "9.4"}}, reading())
    assert (found.system, found.addresses, found.file_systems) == ("rhel-9.4", {}, None)


@pytest.mark.parametrize("nonsense", ["words", 7, [1], {"a": 1}, [{"ip-addresses": 3, "disk": 3, "total-bytes": "x"}]])
def test_nonsense_of_a_guest_is_no_fault_of_the_cluster(nonsense: Any) -> None:
    answers = dict.fromkeys(("get_osinfo", "network_get_interfaces", "get_fsinfo"), nonsense)
    found = told(answers, reading())
    assert (found.system, found.addresses) == ("", {})
    assert not found.file_systems


@pytest.mark.parametrize(
    ("disk", "place"),
    [
        ({"bus-type": "scsi", "unit": 1}, "scsi1"),
        ({"bus-type": "virtio", "serial": "0QEMU_QEMU_HARDDISK_drive-scsi1"}, "scsi1"),
        ({"bus-type": "scsi", "unit": 5}, None),
        ({"bus-type": "virtio"}, None),
        ({"bus-type": "sata", "bus": 0}, None),
    ],
)
def test_on_which_disk_it_lies(disk: dict[str, Any], place: str | None) -> None:
    (found,) = told({"get_osinfo": {}, "get_fsinfo": [mounted("/", disk=[disk])]}, reading(TWO)).file_systems or []
    assert found["disk"] == place


def test_units_of_another_controller_are_not_taken_for_ours() -> None:
    config = {**TWO, "scsihw": "lsi"}
    answers = {"get_osinfo": {}, "get_fsinfo": [mounted("/", disk=[{"bus-type": "scsi", "unit": 0}])]}
    assert [one["disk"] for one in told(answers, reading(config)).file_systems or []] == [None]


def test_ide_and_sata_disks_are_found_by_their_bus() -> None:
    config = {"agent": "1", "ide3": "local:a,size=1G", "sata2": "local:b,size=1G"}
    rows = [mounted("/a", disk=[{"bus-type": "ide", "bus": 1, "unit": 1}]), mounted("/b", disk=[{"bus-type": "sata", "bus": 2}])]  # fmt: skip
    found = told({"get_osinfo": {}, "get_fsinfo": rows}, reading(config)).file_systems or []
    assert {one["mount_point"]: one["disk"] for one in found} == {"/a": "ide3", "/b": "sata2"}


def test_one_over_several_disks_lies_on_none_of_them() -> None:
    disks = [{"bus-type": "scsi", "unit": 0}, {"bus-type": "scsi", "unit": 1}]
    (found,) = told({"get_osinfo": {}, "get_fsinfo": [mounted("/", disk=disks)]}, reading(TWO)).file_systems or []
    assert found["disk"] is None


def test_what_is_always_full_or_mounted_twice_is_not_counted() -> None:
    rows = [
        mounted("/snap/core", device="loop0", kind="squashfs"), mounted("/var/lib/docker", device="sda1"),
        mounted("/", device="sda1"), mounted("/media", device="sr0", kind="iso9660"), mounted("/boot", device="sda2"),
        {"mountpoint": "/strange", "name": "sdz", "type": "ext4"},
    ]  # fmt: skip
    found = told({"get_osinfo": {}, "get_fsinfo": rows}, reading(TWO)).file_systems or []
    assert [one["mount_point"] for one in found] == ["/", "/boot"]
