"""Which privilege each option of a configuration takes to change."""

from collections.abc import Iterable

from vms.sandbox.core import drives, permissions, validation
from vms.sandbox.core.errors import die, refused
from vms.sandbox.core.kinds import LXC, QEMU, Kind
from vms.sandbox.core.model import Config, Value
from vms.sandbox.core.options_qemu import CLOUD_INIT
from vms.sandbox.core.routing import Call
from vms.sandbox.core.shapes_qemu import HOSTPCI, USB

_OF_QEMU: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("cores", "cpu", "cpulimit", "cpuunits", "numa", "smp", "sockets", "vcpus"), ("VM.Config.CPU",)),
    **dict.fromkeys(("allow-ksm", "balloon", "memory", "shares"), ("VM.Config.Memory",)),
    **dict.fromkeys(
        ("acpi", "audio0", "hotplug", "kvm", "machine", "rng0", "scsihw", "smbios1", "tablet", "vga", "watchdog"),
        ("VM.Config.HWType",),
    ),
    **dict.fromkeys(
        (
            "agent", "autostart", "bios", "description", "keyboard", "localtime", "migrate_downtime", "migrate_speed",
            "name", "onboot", "ostype", "protection", "reboot", "spice_enhancements", "startdate", "startup", "tags",
            "tdf", "template", "vmgenid",
        ),
        ("VM.Config.Options",),
    ),
    "freeze": ("VM.PowerMgmt",),
    **dict.fromkeys(("boot", "bootdisk", "vmstatestorage"), ("VM.Config.Disk",)),
    **dict.fromkeys(CLOUD_INIT, ("VM.Config.Cloudinit", "VM.Config.Network")),
}  # fmt: skip
_OF_LXC: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("cores", "cpuunits", "cpulimit"), ("VM.Config.CPU",)),
    **dict.fromkeys(("memory", "swap"), ("VM.Config.Memory",)),
    **dict.fromkeys(("hostname", "nameserver", "searchdomain"), ("VM.Config.Network",)),
    "features": ("VM.Allocate",),
}


def check(call: Call, kind: Kind, given: Config, delete: Iterable[str] = (), *, pool: str = "") -> None:
    """Refuse what this user may not set or delete; root with a ticket may everything."""
    if call.identity.is_root_ticket:
        return
    for key, value in {**dict.fromkeys(delete), **given}.items():
        if kind is QEMU:
            _check_machine(call, key, value, pool)
        else:
            _check_container(call, key, value, pool)


def require_on_guest(call: Call, *wanted: str, pool: str = "") -> None:
    """One of the privileges on the guest, or on the pool that it is made in."""
    if pool and permissions.may(call.world, call.identity, f"/pool/{pool}", *wanted):
        return
    permissions.require(call.world, call.identity, f"/vms/{call.vmid}", *wanted)


def _check_machine(call: Call, key: str, value: Value | None, pool: str) -> None:
    if key in QEMU.drive_keys:
        _check_drive(call, key, value, pool)
    elif key in QEMU.net_keys:
        require_on_guest(call, "VM.Config.Network", pool=pool)
        check_bridge(call, QEMU, value)
    elif QEMU.is_unused(key):
        require_on_guest(call, "VM.Config.Disk", pool=pool)
    elif key.startswith(("serial", "usb", "hostpci")):
        _check_device(call, key, value, pool)
    else:
        wanted = _OF_QEMU.get(key) or (("VM.Config.CPU",) if key.startswith("numa") else ())
        if not wanted:
            raise die(f"only root can set '{key}' config")
        require_on_guest(call, *wanted, pool=pool)
    if key == "startup":
        permissions.require(call.world, call.identity, "/", "Sys.Modify")


def _check_drive(call: Call, key: str, value: Value | None, pool: str) -> None:
    parts = drives.parse(QEMU, key, str(value)) if value is not None else {}
    if drives.is_cloud_init(parts) or str(parts.get("file", "")).endswith(":cloudinit"):
        require_on_guest(call, "VM.Config.Cloudinit", pool=pool)
        require_on_guest(call, "VM.Config.CDROM", pool=pool)
    elif drives.is_cdrom(parts):
        require_on_guest(call, "VM.Config.CDROM", pool=pool)
    else:
        require_on_guest(call, "VM.Config.Disk", pool=pool)


def _check_device(call: Call, key: str, value: Value | None, pool: str) -> None:
    """Virtual devices are hardware; real ones are root's, unless somebody mapped them."""
    text = str(value) if value is not None else "socket"
    if key.startswith("serial") and text != "socket":
        raise die(f"only root can set '{key}' config for real devices")
    if key.startswith(("usb", "hostpci")) and value is not None:
        parts = validation.parse(text, USB if key.startswith("usb") else HOSTPCI)
        if "mapping" in parts:
            area = "usb" if key.startswith("usb") else "pci"
            permissions.require(call.world, call.identity, f"/mapping/{area}/{parts['mapping']}", "Mapping.Use")
        elif parts.get("host", "").lower() != "spice":
            noun = "real" if key.startswith("usb") else "non-mapped"
            raise die(f"only root can set '{key}' config for {noun} devices")
    require_on_guest(call, "VM.Config.HWType", pool=pool)


def _check_container(call: Call, key: str, value: Value | None, pool: str) -> None:
    if key in LXC.drive_keys or LXC.is_unused(key):
        require_on_guest(call, "VM.Config.Disk", pool=pool)
        _refuse_bind_mount(key, value)
    elif key in LXC.net_keys:
        require_on_guest(call, "VM.Config.Network", pool=pool)
        check_bridge(call, LXC, value)
    elif key.startswith("dev"):
        raise refused("configuring device passthrough is only allowed for root@pam")
    elif key == "hookscript":
        raise refused("changing the hookscript is only allowed for root@pam")
    elif key == "features" and set(str(value or "").split(",")) - {"nesting=1", "nesting=0", ""}:
        raise refused("changing feature flags (except nesting) is only allowed for root@pam")
    else:
        require_on_guest(call, *_OF_LXC.get(key, ("VM.Config.Options",)), pool=pool)


def _refuse_bind_mount(key: str, value: Value | None) -> None:
    source = str(value or "").partition(",")[0].removeprefix("volume=")
    if source.startswith("/"):
        kind = "device" if source.startswith("/dev/") else "bind"
        raise refused(f"mount point type {kind} is only allowed for root@pam")


def check_bridge(call: Call, kind: Kind, value: Value | None) -> None:
    """Using a bridge, or a VLAN of it, takes SDN.Use on its place in the local zone."""
    if value is None:
        return
    parts = validation.parse(str(value), kind.net_shape)
    if bridge := parts.get("bridge"):
        require_bridge(call, bridge, parts.get("tag", ""))


def require_bridge(call: Call, bridge: str, tag: str = "") -> None:
    path = f"/sdn/zones/localnetwork/{bridge}" + (f"/{tag}" if tag else "")
    permissions.require(call.world, call.identity, path, "SDN.Use")


def require_space(call: Call, storage: str) -> None:
    permissions.require(call.world, call.identity, f"/storage/{storage}", "Datastore.AllocateSpace")


def may_allocate(call: Call, vmid: int) -> bool:
    pool = call.string("pool")
    if pool and permissions.may(call.world, call.identity, f"/pool/{pool}", "VM.Allocate"):
        return True
    return permissions.may(call.world, call.identity, f"/vms/{vmid}", "VM.Allocate")
