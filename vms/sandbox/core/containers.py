"""What is true of containers only."""

from vms.sandbox.core import drives, tasks, validation
from vms.sandbox.core.kinds import LXC
from vms.sandbox.core.model import Guest, Task
from vms.sandbox.core.options_lxc import FEATURES
from vms.sandbox.core.world import World

_SYSTEMD = {
    "debian-11": 247,
    "debian-12": 252,
    "debian-13": 257,
    "ubuntu-22.04": 249,
    "ubuntu-24.04": 255,
    "rocky-9": 252,
}


def warn_of_nesting(world: World, guest: Guest, task: Task) -> None:
    """Newer systemd wants nesting; a node says so whenever it makes or starts such a container without it."""
    version = _SYSTEMD.get(drives.system(world, guest)) if guest.kind == LXC.name else None
    features = validation.parse(str(guest.config.get("features", "")), FEATURES)
    if version and features.get("nesting") != "1":
        tasks.warn(task, f"Systemd {version} detected. You may need to enable nesting.")


def tell_creation(world: World, guest: Guest, task: Task) -> None:
    """What the log of a new container says when its root file system is filled."""
    root = drives.attached(world, guest).get("rootfs")
    if root is None:
        return
    number = f"{guest.vmid:08x}-5eed-4a11-8000-{guest.vmid:012x}"
    tasks.say_all(
        task,
        [
            f"Creating filesystem with {root.size // 4096} 4k blocks and {root.size // 16384} inodes",
            f"Filesystem UUID: {number}",
            f"Detected container architecture: {guest.config.get('arch', 'amd64')}",
            "Creating SSH host key 'ssh_host_ed25519_key' - this may take some time ...",
        ],
    )
    warn_of_nesting(world, guest, task)
