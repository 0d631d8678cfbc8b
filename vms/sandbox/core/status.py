"""What the status of one guest tells beyond its row in a list."""

from vms.sandbox.core import agent, drives, hibernation, metrics
from vms.sandbox.core.kinds import QEMU
from vms.sandbox.core.model import Guest, Json
from vms.sandbox.core.options_qemu import BOOTABLE_KEYS, NET_KEYS
from vms.sandbox.core.world import World

RUNNING_QEMU = "10.1.2"
_AT_REST: dict[str, Json] = dict.fromkeys(
    (
        "pressurecpusome", "pressurecpufull", "pressureiosome", "pressureiofull", "pressurememorysome",
        "pressurememoryfull",
    ),
    0,
)  # fmt: skip
_SUPPORT = {
    "backup-fleecing": True, "backup-max-workers": True, "pbs-dirty-bitmap": True, "pbs-dirty-bitmap-migration": True,
    "pbs-dirty-bitmap-savevm": True, "pbs-library-version": "1.5.1", "pbs-masterkey": True, "query-bitmap-info": True,
}  # fmt: skip
_BLOCK_SIZE = 16_384


def pressures(guest: Guest, moment: float) -> dict[str, Json]:
    """How long the guest's processes have waited for the host, in percent."""
    load = metrics.cpu(guest, moment)
    if not load:
        return _AT_REST
    return {
        **_AT_REST, "pressurecpusome": round(load * 0.8, 2), "pressureiosome": round(load * 0.3, 2),
        "pressureiofull": round(load * 0.2, 2),
    }  # fmt: skip


def of_machine(world: World, guest: Guest) -> dict[str, Json]:
    """The fields of status/current that a machine has and a container has not."""
    told: dict[str, Json] = {"qmpstatus": qmp_status(guest)}
    if agent.is_enabled(guest):
        told["agent"] = 1
    if str(guest.config.get("vga", "")).startswith(("qxl", "type=qxl")):
        told["spice"] = 1
    return told | running_machine(world, guest)


def qmp_status(guest: Guest) -> str:
    if not guest.is_running:
        return "stopped"
    return "paused" if guest.is_paused else "running"


def running_machine(world: World, guest: Guest) -> dict[str, Json]:
    """What only the process of a running machine knows."""
    if not guest.is_running:
        return {}
    machine = str(guest.config.get("machine", ""))
    return {
        "running-machine": "pc-q35-10.1+pve0" if machine.startswith("q35") else hibernation.RUNNING_MACHINE,
        "running-qemu": RUNNING_QEMU, "proxmox-support": _SUPPORT, "clipboard": None, "nics": _nics(world, guest),
        "blockstat": _block_statistics(world, guest), **_balloon(world, guest),
    }  # fmt: skip


def _nics(world: World, guest: Guest) -> dict[str, Json]:
    now = world.now()
    cards = [key for key in NET_KEYS if key in guest.config]
    received, sent = (metrics.counter(guest, name, now) // max(1, len(cards)) for name in ("netin", "netout"))
    return {f"tap{guest.vmid}i{key.removeprefix('net')}": {"netin": received, "netout": sent} for key in cards}


def _block_statistics(world: World, guest: Guest) -> dict[str, Json]:
    now = world.now()
    keys = [key for key in BOOTABLE_KEYS if key in guest.config]
    disks = [key for key in keys if not drives.is_cdrom(drives.parse(QEMU, key, str(guest.config[key])))]
    share = max(1, len(disks))
    read, written = (metrics.counter(guest, name, now) // share for name in ("diskread", "diskwrite"))
    return {key: _block_row(read, written) if key in disks else _block_row(0, 0) for key in keys}


def _block_row(read: int, written: int) -> dict[str, Json]:
    return {
        "rd_bytes": read, "wr_bytes": written, "rd_operations": read // _BLOCK_SIZE,
        "wr_operations": written // _BLOCK_SIZE, "flush_operations": written // (_BLOCK_SIZE * 8),
        "failed_rd_operations": 0, "failed_wr_operations": 0, "failed_flush_operations": 0, "invalid_rd_operations": 0,
        "invalid_wr_operations": 0, "invalid_flush_operations": 0, "account_failed": True, "account_invalid": True,
        "timed_stats": [], "unmap_bytes": 0, "unmap_operations": 0, "unmap_merged": 0, "wr_highest_offset": written,
    }  # fmt: skip


def _balloon(world: World, guest: Guest) -> dict[str, Json]:
    """The balloon's size, and what the driver inside tells when there is one."""
    total = metrics.memory(guest)
    if str(guest.config.get("balloon", "")) == "0":
        return {}
    info: dict[str, Json] = {"actual": total, "max_mem": total, "last_update": int(world.now())}
    if drives.system(world, guest):
        free = total - metrics.mem(guest, world.now())
        info |= {"total_mem": total, "free_mem": free, "mem_swapped_in": 0, "mem_swapped_out": 0}
        info |= {"major_page_faults": 312, "minor_page_faults": 48_211}
        return {"balloon": total, "ballooninfo": info, "freemem": free}
    return {"balloon": total, "ballooninfo": info}
