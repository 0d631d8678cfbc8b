"""Which changes reach a running guest at once, and which wait for its next start."""

from vms.sandbox.core import drives, validation
from vms.sandbox.core.kinds import QEMU, kind_of
from vms.sandbox.core.model import Guest, Value
from vms.sandbox.core.options_qemu import CLOUD_INIT
from vms.sandbox.core.shapes_qemu import AGENT, BOOT

_DEFAULT = {"network", "disk", "usb"}
_FAST_QEMU = {
    "description", "hookscript", "lock", "migrate_downtime", "migrate_speed", "name", "onboot", "protection", "shares",
    "startup", "tags", "vmstatestorage", "cpulimit", "cpuunits", *CLOUD_INIT,
}  # fmt: skip
_FAST_LXC = {
    "description", "onboot", "startup", "protection", "hostname", "hookscript", "cores", "tags", "lock", "memory",
    "swap", "cpulimit", "cpuunits",
}  # fmt: skip
_COLD_DRIVE_PARTS = (
    "aio", "discard", "iothread", "queues", "cache", "detect_zeroes", "product", "vendor", "ssd", "ro", "serial",
    "scsiblock",
)  # fmt: skip
_HOT_AGENT_PARTS = {"freeze-fs", "fstrim_cloned_disks"}


def features(guest: Guest) -> set[str]:
    """The device classes that may be plugged while the machine runs."""
    named = validation.split_list(str(guest.config.get("hotplug", "1")))
    return _DEFAULT if named == ["1"] else set(named) - {"0"}


def applies_now(guest: Guest, key: str, new: Value | None) -> bool:
    """Whether a new value of a running guest, or its removal (None), takes effect at once."""
    if kind_of(guest).is_unused(key):
        return True
    return _applies_to_machine(guest, key, new) if guest.kind == QEMU.name else _applies_to_container(guest, key, new)


def _applies_to_container(guest: Guest, key: str, new: Value | None) -> bool:
    if key.startswith("mp") and key in kind_of(guest).drive_keys:
        return new is not None and key not in guest.config
    return key in _FAST_LXC or key in kind_of(guest).net_keys


def _applies_to_machine(guest: Guest, key: str, new: Value | None) -> bool:
    if key in QEMU.drive_keys:
        return _applies_to_drive(guest, key, new)
    if key == "balloon":
        return _is_ballooning(guest.config.get(key)) == _is_ballooning(new)
    if key == "agent":
        return new is not None and key in guest.config and _changes_only_hot_agent_parts(guest, str(new))
    return key in _FAST_QEMU or _feature_of(key) in features(guest)


def _feature_of(key: str) -> str:
    if key in QEMU.net_keys:
        return "network"
    return {"vcpus": "cpu", "memory": "memory"}.get(key, key.rstrip("0123456789") if key != "usb" else "")


def _is_ballooning(value: Value | None) -> bool:
    return value is None or int(value) > 0


def _changes_only_hot_agent_parts(guest: Guest, new: str) -> bool:
    old, wanted = (validation.parse(text, AGENT) for text in (str(guest.config["agent"]), new))
    changed = {name for name in old.keys() | wanted.keys() if old.get(name) != wanted.get(name)}
    return changed <= _HOT_AGENT_PARTS


def _applies_to_drive(guest: Guest, key: str, new: Value | None) -> bool:
    both = _drives(key, guest.config.get(key), new)
    if both and all(map(drives.is_cdrom, both)):
        return True
    if "disk" not in features(guest) or not key.startswith(("scsi", "virtio")):
        return False
    if not both or both[0]["file"] != both[1]["file"]:
        return True
    return all(both[0].get(part) == both[1].get(part) for part in _COLD_DRIVE_PARTS)


def _drives(key: str, old: Value | None, new: Value | None) -> tuple[drives.Parts, drives.Parts] | None:
    """A drive before and after a change, where there is one before and after."""
    if old is None or new is None:
        return None
    return drives.parse(QEMU, key, str(old)), drives.parse(QEMU, key, str(new))


def problem(guest: Guest, key: str, new: Value | None) -> str:
    """Why a running machine refuses to let go of a device, empty when it does not."""
    if guest.kind != QEMU.name or key not in QEMU.drive_keys or key not in guest.config:
        return ""
    old = drives.parse(QEMU, key, str(guest.config[key]))
    is_kept = new is not None and drives.parse(QEMU, key, str(new))["file"] == old["file"]
    if is_kept or drives.is_cdrom(old) or key not in _boot_devices(guest):
        return ""
    return f"hotplug problem - can't unplug bootdisk '{key}'\n"


def _boot_devices(guest: Guest) -> list[str]:
    boot = validation.parse(str(guest.config.get("boot", "")), BOOT)
    return boot.get("order", str(guest.config.get("bootdisk", ""))).split(";")
