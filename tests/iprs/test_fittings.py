"""Disks and network cards beside the first: what a plan says of them."""

from dataclasses import replace
from typing import Any

import pytest

from iprs.planner import Draft
from tests.iprs.readings import GIB, owned, storage, template
from tests.iprs.test_planner import TARGET, changes, plan, vm
from vms.services import CardReading

DISKS = ["50GB", {"size": "10GB", "name": "logs", "storage": "fast", "mount": "/var/log"}]
FAST = tuple(
    storage(name, on, free=free) for on in ("pve1", "pve2") for name, free in (("local-lvm", 500), ("fast", 90))
)
BRIDGES = {"pve1": ("vmbr0", "vmbr1"), "pve2": ("vmbr0",)}
TWO = {"storages": FAST, "bridges": BRIDGES}
FOUND = {
    "disks": {"scsi0": 20 * GIB, "scsi1": 50 * GIB},
    "cards": {"net0": CardReading(bridge="vmbr0"), "net1": CardReading(bridge="vmbr1", vlan=20)},
}


def step(draft: Draft, kind: str, key: str = "web") -> dict[str, Any]:
    item = next(item for item in draft.items if item.key == key)
    return next(step.params for step in item.steps if step.kind == kind)


def test_disks_and_cards_of_a_new_machine_are_made_read_back_and_shown() -> None:
    draft = plan(vm(disks=DISKS, networks=[{"bridge": "vmbr1", "vlan": 20, "ip": "10.1.0.5/24"}]), **TWO)
    rows = {row["field"]: (row["after"], row["cause"]) for row in draft.items[0].changes}
    assert rows["disk scsi1"] == (50 * GIB, "specs.disks")
    assert (rows["disk scsi2"][0], rows["storage scsi2"][0]) == (10 * GIB, "fast")
    assert rows["network"][0] == "vmbr0, DHCP"
    assert rows["network net1"] == ("vmbr1, VLAN 20, 10.1.0.5/24", "specs.networks")
    for kind in ("guest.configure", "guest.verify"):
        assert [row["slot"] for row in step(draft, kind)["volumes"]] == ["scsi1", "scsi2"]
        assert [row["slot"] for row in step(draft, kind)["cards"]] == ["net0", "net1"]
    assert "storage/pve1/fast" in draft.items[0].facts
    assert any("scsi2 comes empty" in remark for remark in draft.remarks)


def test_disks_of_a_container_are_mount_points() -> None:
    draft = plan(vm("proxy", kind="lxc", os="debian-12", disks=DISKS), **TWO)
    rows = changes(draft, "proxy")
    assert (rows["mount mp0"], rows["mount mp1"]) == ((None, "/mnt/data1"), (None, "/var/log"))
    assert [row["mount"] for row in step(draft, "guest.configure", "proxy")["volumes"]] == ["/mnt/data1", "/var/log"]


@pytest.mark.parametrize("path", ["/", "data", "/a/../b", "/a,ro=1", "/a b"])
def test_a_path_at_which_nothing_can_be_mounted_is_a_problem(path: str) -> None:
    draft = plan(vm(kind="lxc", os="debian-12", disks=[{"size": "5GB", "mount": path}]))
    assert draft.problems == (f"web: a disk cannot be mounted at {path}.",)


def test_disks_and_cards_that_are_as_wanted_are_left_alone() -> None:
    draft = plan(vm(disks=["50GB"], networks=[{"bridge": "vmbr1", "vlan": 20}]), have=(owned("web", **FOUND),), **TWO)
    assert (draft.summary(), draft.problems, draft.remarks[1:]) == ({"noop": 1}, (), ())


def test_a_running_machine_gets_a_disk_and_a_card_without_a_restart() -> None:
    wanted = vm(disks=["60GB", "5GB"], networks=[{"bridge": "vmbr1", "vlan": 20}, "vmbr1"])
    draft = plan(wanted, have=(owned("web", **FOUND),), **TWO)
    assert changes(draft) == {
        "disk scsi1": (50 * GIB, 60 * GIB), "disk scsi2": (None, 5 * GIB), "network net2": (None, "vmbr1, DHCP"),
    }  # fmt: skip
    assert not draft.items[0].needs_restart


@pytest.mark.parametrize(
    ("config", "specs", "word"),
    [
        ({"hotplug": "0"}, {"disks": ["50GB", "5GB"]}, "hotplug"),
        ({"hotplug": "disk,usb"}, {"disks": ["50GB"], "networks": ["vmbr1"]}, "hotplug"),
        ({}, {"disks": ["50GB"], "network": {"ip": "10.0.0.7/24"}}, "addresses"),
    ],
)
def test_what_waits_for_a_start_restarts_and_says_so(config: Any, specs: Any, word: str) -> None:
    draft = plan(vm(**specs), have=(owned("web", config=config, **FOUND),), **TWO)
    assert draft.items[0].needs_restart
    assert word in draft.items[0].reasons[0]


def test_a_further_disk_that_would_shrink_is_a_problem() -> None:
    draft = plan(vm(disks=["40GB"]), have=(owned("web", **FOUND),), **TWO)
    assert draft.problems == (
        "web: its disk scsi1 has 50 GiB; a disk cannot shrink to 40 GiB without losing data. Keep the size.",
    )


def test_what_the_document_does_not_name_stays_and_is_said() -> None:
    draft = plan(vm(), have=(owned("web", **FOUND),), **TWO)
    assert draft.summary() == {"noop": 1}
    assert "web also has net1, scsi1; the blueprint does not name that, and it stays." in draft.remarks


def test_a_card_of_which_nothing_is_said_stays_on_its_bridge() -> None:
    found = {"net0": CardReading(bridge="vmbr7", vlan=7)}
    draft = plan(vm(memory="4GB"), have=(owned("web", cards=found),))
    assert changes(draft).keys() == {"memory"}
    assert step(draft, "guest.configure")["cards"][0]["bridge"] == "vmbr7"


def test_disks_are_counted_where_they_lie() -> None:
    tight = (*(storage("local-lvm", on, free=60) for on in ("pve1", "pve2")), storage("fast", "pve1", free=55))
    draft = plan(vm(disks=["50GB"]), storages=tight, templates=())
    assert "local-lvm on pve2 has 60 GiB free, needs 70" in draft.problems[0]
    draft = plan(vm(disks=[{"size": "50GB", "storage": "fast"}]), storages=tight, templates=())
    assert (draft.items[0].node, draft.problems) == ("pve1", ())
    assert "pve2 has no storage fast that can be used" in draft.items[0].reasons[0]


def test_a_bridge_decides_the_node_and_is_never_replaced_by_another() -> None:
    fleet = {"bridges": BRIDGES, "templates": (template(9000, "debian-12", "pve2"),)}
    draft = plan(vm(networks=["vmbr1"]), **fleet)
    assert draft.problems == ("web fits nowhere: pve1 does not hold its template; pve2 has no bridge vmbr1.",)
    draft = plan(vm(networks=["vmbr9"]), have=(owned("web"),), **fleet)
    assert draft.problems == ("web: pve1 has no bridge vmbr9.",)


def test_disks_of_a_deleted_machine_are_all_named() -> None:
    draft = plan(have=(owned("web", **FOUND),))
    assert changes(draft) == {"disk": (20 * GIB, None), "disk scsi1": (50 * GIB, None)}


NO_ROOM = "web cannot grow: local-lvm on pve1 has 30 GiB free, needs"


@pytest.mark.parametrize(
    ("specs", "found", "problems"),
    [
        ({"disk": "50GB"}, {}, ()),
        ({"disk": "60GB"}, {}, (f"{NO_ROOM} 40.",)),
        ({"disks": ["40GB"]}, {}, (f"{NO_ROOM} 40.",)),
        ({"disk": "40GB", "disks": ["20GB"]}, {}, (f"{NO_ROOM} 40.",)),
        ({"disks": ["90GB"]}, FOUND, (f"{NO_ROOM} 40.",)),
        ({"disks": ["90GB"]}, FOUND | {"config": {"scsi1": "fast:a"}}, ("web cannot grow: fast on pve1 has 5 GiB free, needs 40.",)),
        ({"disks": [{"size": "4GB", "storage": "fast"}]}, {}, ()),
        ({"disks": [{"size": "9GB", "storage": "gone"}]}, {}, ("web cannot grow: pve1 has no storage gone that can be used.",)),
    ],
)  # fmt: skip
def test_disks_of_a_guest_that_is_there_need_room_as_well(specs: Any, found: Any, problems: Any) -> None:
    tight = (storage("local-lvm", "pve1", free=30), storage("fast", "pve1", free=5), storage("gone", "pve2"))
    draft = plan(vm(**specs), have=(owned("web", **found),), **TWO | {"storages": tight})
    assert draft.problems == problems
    assert ("storage/pve1/fast" in draft.items[0].facts) is ("fast" in str(specs | found))


def test_guests_that_grow_and_guests_that_come_share_the_room() -> None:
    tight = (storage("local-lvm", "pve1", free=30), storage("local-lvm", "pve2", free=0))
    draft = plan(vm(disk="40GB"), vm("db", disk="20GB"), have=(owned("web"),), storages=tight)
    assert "local-lvm on pve1 has 10 GiB free, needs 20" in draft.problems[0]


def test_storages_that_alma_may_not_use_are_not_used_by_further_disks() -> None:
    chosen = replace(TARGET, chosen_storages=("other",))
    draft = plan(vm(disks=["1GB"]), have=(owned("web"),), target=chosen)
    assert draft.problems == ()
    draft = plan(
        vm(disks=[{"size": "1GB", "storage": "fast"}]),
        have=(owned("web"),),
        target=chosen,
        storages=(storage("fast", "pve1"),),
    )
    assert draft.problems == ("web cannot grow: pve1 has no storage fast that can be used.",)


def test_disks_that_are_lost_by_a_replacement_are_named() -> None:
    found = FOUND | {"kind": "lxc", "disks": {"scsi0": 20 * GIB, "scsi1": 50 * GIB, "scsi2": 5 * GIB}}
    draft = plan(vm(disks=["60GB"]), have=(owned("web", **found),), **TWO)
    assert draft.items[0].action == "replace"
    lost = {name: pair for name, pair in changes(draft).items() if name.startswith("disk")}
    assert lost == {
        "disk": (20 * GIB, 20 * GIB), "disk scsi1": (50 * GIB, 60 * GIB), "disk scsi2": (5 * GIB, None),
    }  # fmt: skip
