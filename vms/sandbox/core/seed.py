"""The cluster that a new sandbox begins with: three nodes, their storages, templates, and guests of other people."""

from dataclasses import dataclass

from vms.sandbox.core import volumes
from vms.sandbox.core.create import default_boot
from vms.sandbox.core.guests import CREATION_QEMU
from vms.sandbox.core.model import Config, Guest, Node, Pool, Storage, Value, Volume
from vms.sandbox.core.sizes import GIB, MIB, TIB, show
from vms.sandbox.core.world import World

DEFAULT_SEED = "alma"
ENCRYPTING_STORAGE = "vault"
"""A pool of ZFS with encryption. Its definition does not say so, as it would not on a real cluster."""
_TWELVE_DAYS = 12 * 86_400


@dataclass(frozen=True, slots=True)
class _Machine:
    vmid: int
    node: str
    name: str
    system: str
    cores: int
    memory: int
    disk: int
    tags: str = ""
    is_running: bool = True
    days: int = 3


_TEMPLATES = (
    _Machine(9000, "pve1", "debian-12-cloudinit", "debian-12", 2, 2048, 3, "cloudinit;template"),
    _Machine(9001, "pve1", "ubuntu-24.04-cloudinit", "ubuntu-24.04", 2, 2048, 4, "cloudinit;template"),
    _Machine(9002, "pve2", "rocky-9-cloudinit", "rocky-9", 2, 2048, 10, "cloudinit;template"),
    _Machine(9003, "pve3", "ubuntu-22.04", "ubuntu-22.04", 2, 2048, 4, "cloudinit;template"),
)
_MACHINES = (
    _Machine(101, "pve1", "dns-1", "debian-12", 1, 1024, 8, "infra", days=11),
    _Machine(102, "pve2", "dns-2", "debian-12", 1, 1024, 8, "infra", days=11),
    _Machine(110, "pve1", "gitlab", "ubuntu-22.04", 4, 8192, 64, "dev", days=9),
    _Machine(111, "pve3", "build-runner", "debian-12", 4, 8192, 40, "dev", days=2),
    _Machine(120, "pve2", "legacy-erp", "win2019", 4, 16384, 120, "erp;windows", days=12),
    _Machine(130, "pve3", "staging-shop", "ubuntu-24.04", 2, 4096, 32, "staging", is_running=False),
)
_CONTAINERS = (
    _Machine(201, "pve1", "proxy-edge", "debian-12", 1, 512, 4, "infra", days=10),
    _Machine(202, "pve3", "metrics", "debian-12", 2, 2048, 16, "infra;monitoring", days=6),
)
_FILES = (
    ("vztmpl", "vztmpl/debian-12-standard_12.12-1_amd64.tar.zst", 129 * MIB, "tzst", "debian-12"),
    ("vztmpl", "vztmpl/ubuntu-24.04-standard_24.04-2_amd64.tar.zst", 141 * MIB, "tzst", "ubuntu-24.04"),
    ("vztmpl", "vztmpl/alpine-3.22-default_20250617_amd64.tar.xz", 3 * MIB, "txz", "alpine-3.22"),
    ("iso", "iso/debian-12.12.0-amd64-netinst.iso", 670 * MIB, "iso", "debian-12"),
)
_DISKS = (
    ("import/debian-12-genericcloud-amd64.qcow2", 3 * GIB, 422 * MIB, "debian-12"),
    ("import/ubuntu-24.04-server-cloudimg-amd64.qcow2", 4 * GIB, 597 * MIB, "ubuntu-24.04"),
)
"""Cloud images to import: the size of the disk, and that of the file."""


def plant(world: World, seed: str = DEFAULT_SEED) -> None:
    """Fill an empty state; the same seed gives the same cluster."""
    world.state.set("seed", seed)
    _add_nodes(world)
    _add_storages(world)
    for machine in _TEMPLATES:
        _add_machine(world, machine, "shared", is_template=True)
    for machine in _MACHINES:
        _add_machine(world, machine, "local-lvm")
    for machine in _CONTAINERS:
        _add_container(world, machine)
    world.state.pools.put(Pool("infrastructure", "Name servers and the like", vms=[101, 102, 201, 202]))


def _add_nodes(world: World) -> None:
    sizes = {"pve1": (16, 64), "pve2": (16, 64), "pve3": (24, 96)}
    for number, (name, (cpus, memory)) in enumerate(sizes.items(), 1):
        booted_at = world.now() - _TWELVE_DAYS - number * 977
        world.state.nodes.put(Node(name, number, f"10.20.0.{10 + number}", cpus, memory * GIB, 94 * GIB, booted_at))


def _add_storages(world: World) -> None:
    storages = (
        Storage(
            "local",
            "dir",
            ["iso", "vztmpl", "backup", "snippets", "import"],
            94 * GIB,
            settings={"path": "/var/lib/vz"},
        ),
        Storage(
            "local-lvm", "lvmthin", ["images", "rootdir"], 1800 * GIB, settings={"vgname": "pve", "thinpool": "data"}
        ),
        Storage(
            "shared",
            "nfs",
            ["images", "rootdir", "vztmpl", "iso", "backup"],
            8 * TIB,
            is_shared=True,
            settings={"server": "10.20.0.5", "export": "/tank/proxmox", "path": "/mnt/pve/shared", "format": "qcow2"},
        ),
        Storage(ENCRYPTING_STORAGE, "zfspool", ["images", "rootdir"], 900 * GIB, settings={"pool": "tank/vault"}),
    )
    for storage in (*storages, _backup_server()):
        world.state.storages.put(storage)
    for node in world.state.nodes:
        _add_files(world, "local", node.name)
    _add_files(world, "shared", "")


def _backup_server() -> Storage:
    """A Proxmox Backup Server that is sent everything encrypted."""
    key = ":".join(["a1", "7c"] * 16)
    settings: dict[str, Value] = {
        "server": "10.20.0.6", "datastore": "alma", "username": "sandbox@pbs", "encryption-key": key,
        "fingerprint": ":".join(["5e", "d0"] * 16),
    }  # fmt: skip
    return Storage("pbs", "pbs", ["backup"], 4 * TIB, is_shared=True, settings=settings)


def _add_files(world: World, storage: str, node: str) -> None:
    for content, name, size, format, system in _FILES:
        if storage == "local" or content == "vztmpl":
            ctime = int(world.now()) - _TWELVE_DAYS
            world.state.volumes.put(Volume(storage, node, name, content, format, size, size, ctime, system=system))
    if storage == "local":
        for name, size, used, system in _DISKS:
            ctime = int(world.now()) - _TWELVE_DAYS
            world.state.volumes.put(Volume(storage, node, name, "import", "qcow2", size, used, ctime, system=system))


def _common(world: World, machine: _Machine, kind: str) -> Guest:
    is_up = machine.is_running and machine not in _TEMPLATES
    started = world.now() - machine.days * 86_400 - machine.vmid * 13 if is_up else 0.0
    guest = Guest(machine.vmid, kind, machine.node, is_running=is_up, started_at=started)
    guest.pid = 2000 + machine.vmid if is_up else 0
    return world.state.guests.put(guest)


def _add_disk(world: World, machine: _Machine, storage_name: str, content: str) -> str:
    storage = world.storage(storage_name)
    image = volumes.Image(machine.vmid, machine.disk * GIB, content, system=machine.system)
    volume = volumes.allocate(world, storage, machine.node, image)
    if machine in _TEMPLATES:
        volume = volumes.to_base(world, volume)
    return f"{volume.volid},size={show(volume.size)}"


def _add_machine(world: World, machine: _Machine, storage: str, *, is_template: bool = False) -> None:
    guest = _common(world, machine, "qemu")
    disk = _add_disk(world, machine, storage, "images")
    config: Config = {
        "name": machine.name, "cores": machine.cores, "memory": str(machine.memory), "agent": "1",
        "ostype": "win10" if machine.system.startswith("win") else "l26", "scsihw": "virtio-scsi-single",
        "scsi0": disk.replace(",", ",discard=on,iothread=1,", 1), "net0": f"virtio={world.random_mac()},bridge=vmbr0",
        "tags": machine.tags, "onboot": 1,
    }  # fmt: skip
    if is_template:
        image = volumes.Image(machine.vmid, 4 * MIB, stem=f"vm-{machine.vmid}-cloudinit")
        seed = volumes.allocate(world, world.storage(storage), machine.node, image)
        config |= {
            "ide2": f"{seed.volid},media=cdrom,size=4M",
            "serial0": "socket",
            "vga": "serial0",
            "ipconfig0": "ip=dhcp",
        }
        config |= {"template": 1, "onboot": 0}
    ctime = int(world.now()) - _TWELVE_DAYS
    config |= {"boot": default_boot(config), "meta": f"creation-qemu={CREATION_QEMU},ctime={ctime}"}
    config |= {"smbios1": f"uuid={world.random_uuid()}", "vmgenid": world.random_uuid()}
    guest.config = config


def _add_container(world: World, machine: _Machine) -> None:
    guest = _common(world, machine, "lxc")
    guest.config = {
        "arch": "amd64", "hostname": machine.name, "ostype": machine.system.partition("-")[0], "unprivileged": 1,
        "cores": machine.cores, "memory": machine.memory, "swap": 512, "tags": machine.tags, "onboot": 1,
        "rootfs": _add_disk(world, machine, "local-lvm", "rootdir"), "features": "nesting=1",
        "net0": f"name=eth0,bridge=vmbr0,hwaddr={world.random_mac()},ip=dhcp,type=veth",
    }  # fmt: skip
