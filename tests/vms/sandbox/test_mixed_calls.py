"""Moves, migrations, backups, restores and all the rest in any order: the books balance after each call.

The orders come from numbers, so that a failure is the same at every run.
"""

import random
from collections.abc import Callable

import pytest

from tests.vms.sandbox.driving import Cluster, make_cluster
from vms.sandbox.core.consistency import check_consistency

ALPINE = "local:vztmpl/alpine-3.22-default_20250617_amd64.tar.xz"
MACHINES, CONTAINERS, NODES = (300, 301, 302), (400, 401), ("pve1", "pve2")
DISKS = ("local-lvm:1", "shared:1", "shared:1,format=raw", "local-lvm:2")
KEYS = ("scsi0", "scsi1", "sata0", "virtio0")
STORAGES = ("shared", "local-lvm")
Ask = tuple[str, str, dict[str, object]]


class Player:
    """Chooses calls by a number, mostly such as make sense."""

    def __init__(self, number: int) -> None:
        self.cluster, self.dice = make_cluster(), random.Random(number)

    def pick(self, choices: tuple) -> object:
        return self.dice.choice(choices)

    def guest(self, numbers: tuple[int, ...], kind: str) -> tuple[int, str]:
        """A number, and the path below which that guest is, or would be."""
        vmid = self.dice.choice(numbers)
        guest = self.cluster.core.state.guests.get(vmid)
        return vmid, f"/nodes/{guest.node if guest else self.pick(NODES)}/{kind}/{vmid}"

    def machine(self) -> Ask:
        _, path = self.guest(MACHINES, "qemu")
        moves: tuple[Ask, ...] = (
            ("POST", f"{path}/status/{self.pick(('start', 'stop', 'shutdown', 'reboot', 'suspend', 'resume'))}", {}),
            ("POST", f"{path}/status/suspend", {"todisk": 1}),
            ("PUT", f"{path}/config", {str(self.pick(KEYS)): self.pick(DISKS)}),
            ("PUT", f"{path}/config", {"delete": self.pick((*KEYS, "unused0", "ide2")), "force": self.pick((0, 1))}),
            ("POST", f"{path}/snapshot", {"snapname": self.pick(("s1", "s2")), "vmstate": self.pick((0, 1))}),
            ("POST", f"{path}/snapshot/{self.pick(('s1', 's2'))}/rollback", {}),
            ("DELETE", f"{path}/snapshot/{self.pick(('s1', 's2'))}", {}),
            ("POST", f"{path}/move_disk", {"disk": self.pick(KEYS), "storage": self.pick(STORAGES), "delete": self.pick((0, 1))}),
            ("POST", f"{path}/move_disk", {"disk": self.pick((*KEYS, "unused0")), "target-vmid": self.pick(MACHINES),
                                           "target-disk": self.pick(("scsi5", "virtio3", "unused2"))}),
            ("POST", f"{path}/migrate", {"target": self.pick(NODES), "online": 1, "with-local-disks": self.pick((0, 1)),
                                         "targetstorage": self.pick(("1", *STORAGES))}),
            ("POST", f"{path}/clone", {"newid": self.pick(MACHINES), "full": self.pick((0, 1))}),
            ("PUT", f"{path}/resize", {"disk": self.pick(KEYS), "size": "+1G"}),
            ("DELETE", path, {}),
        )  # fmt: skip
        return self.dice.choice(moves)

    def container(self) -> Ask:
        _, path = self.guest(CONTAINERS, "lxc")
        moves: tuple[Ask, ...] = (
            ("POST", f"{path}/status/{self.pick(('start', 'stop'))}", {}),
            ("POST", f"{path}/move_volume", {"volume": self.pick(("rootfs", "mp0")), "storage": self.pick(STORAGES)}),
            ("POST", f"{path}/migrate", {"target": self.pick(NODES), "restart": 1}),
            ("POST", f"{path}/snapshot", {"snapname": "s1"}),
            ("POST", f"{path}/clone", {"newid": self.pick(CONTAINERS)}),
            ("DELETE", path, {}),
        )
        return self.dice.choice(moves)

    def making(self) -> Ask:
        vmid, path = self.guest(MACHINES, "qemu")
        if self.dice.random() < 0.6:
            disks = {"scsi0": self.pick(DISKS), "ide2": "local-lvm:cloudinit"}
            return "POST", path.rpartition("/")[0], {"vmid": vmid, "net0": "virtio,bridge=vmbr0", **disks}
        vmid, _ = self.guest(CONTAINERS, "lxc")
        return "POST", "/nodes/pve1/lxc", {"vmid": vmid, "ostemplate": ALPINE, "rootfs": self.pick(DISKS[:2])}

    def backup(self) -> Ask:
        held = [volume for volume in self.cluster.core.state.volumes if volume.content == "backup"]
        if not held or self.dice.random() < 0.5:
            wanted = f"{self.pick(MACHINES)},{self.pick(CONTAINERS)}"
            return (
                "POST",
                f"/nodes/{self.pick(NODES)}/vzdump",
                {"vmid": wanted, "mode": self.pick(("snapshot", "stop"))},
            )
        volume = self.dice.choice(held)
        base = f"/nodes/{volume.node}"
        if "lxc" in volume.name:
            params = {"ostemplate": volume.volid, "restore": 1, "storage": "local-lvm"}
            return "POST", f"{base}/lxc", {"vmid": self.pick(CONTAINERS), "force": 1, **params}
        return "POST", f"{base}/qemu", {"vmid": self.pick(MACHINES), "force": 1, "archive": volume.volid}

    def play(self) -> None:
        kinds: tuple[Callable[[], Ask], ...] = (self.machine, self.machine, self.container, self.making, self.backup)
        method, path, params = self.dice.choice(kinds)()
        answer = self.cluster.answer(method, path, **params)
        assert answer.status in {200, 400, 500}, (method, path, params, answer)
        assert answer.message or answer.status == 200
        self.wait(self.dice.choice((0.0, 0.2, 1.0, 5.0, 100.0)))

    def wait(self, seconds: float) -> None:
        self.cluster.clock.advance(seconds)
        self.cluster.core.tick()


@pytest.mark.parametrize("number", range(12))
def test_the_books_balance_whatever_comes(number: int) -> None:
    player = Player(number)
    for _ in range(60):
        player.play()
        assert check_consistency(player.cluster.core) == []
    player.wait(10_000.0)
    assert check_consistency(player.cluster.core) == []
    ended = [task.exitstatus for task in player.cluster.core.state.tasks]
    assert all(ended) and not [text for text in ended if text.startswith("internal error")]


def tally(cluster: Cluster) -> set[str]:
    return {task.type for task in cluster.core.state.tasks if task.exitstatus == "OK"}


def test_the_numbers_reach_every_kind_of_work() -> None:
    reached: set[str] = set()
    for number in range(12):
        player = Player(number)
        for _ in range(60):
            player.play()
        player.wait(10_000.0)
        reached |= tally(player.cluster)
    assert reached >= {
        "qmcreate", "qmsnapshot", "qmmove", "qmigrate", "qmrestore", "qmdestroy", "resize", "vzcreate", "vzdump",
    }  # fmt: skip
