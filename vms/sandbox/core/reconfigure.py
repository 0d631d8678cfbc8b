"""Changes of a guest's configuration: at once, or pending while it runs."""

from dataclasses import dataclass, field

from vms.sandbox.core import cloudinit, drives, guests, hotplug, rights, tasks, validation, volumes
from vms.sandbox.core.errors import ApiError, TaskError, die, invalid
from vms.sandbox.core.kinds import LXC, QEMU, Kind, kind_of
from vms.sandbox.core.model import Config, Guest, Json, Task, Value
from vms.sandbox.core.options_lxc import READ_ONLY
from vms.sandbox.core.routing import Call
from vms.sandbox.core.world import World

_NOT_CONFIG = {
    "node",
    "vmid",
    "digest",
    "delete",
    "revert",
    "skiplock",
    "force",
    "background_delay",
    "import-working-storage",
    "cdrom",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request asks to set, to delete, and to take back from the pending changes."""

    given: Config
    delete: list[str] = field(default_factory=list)
    revert: list[str] = field(default_factory=list)
    is_forced: bool = False


def wish_of(call: Call, kind: Kind) -> Wish:
    """The wish in the parameters, or the 400 that says what is wrong with it."""
    given: Config = {key: value for key, value in call.params.items() if key not in _NOT_CONFIG}
    if "cdrom" in call.params:
        parts = validation.parse(call.string("cdrom"), kind.drive_shape("ide2"))
        given["ide2"] = drives.print_drive(kind, "ide2", {**parts, "media": "cdrom"})
    delete, revert = (validation.split_list(call.string(name)) for name in ("delete", "revert"))
    if not (given or delete or revert):
        raise die("no options specified")
    _check_names(kind, given, delete, "delete")
    _check_names(kind, given, revert, "revert")
    return Wish(given, delete, revert, call.flag("force"))


def _check_names(kind: Kind, given: Config, names: list[str], word: str) -> None:
    for name in names:
        if name in given:
            raise invalid(**{word: f"you can't use '-{name}' and -{word} {name}' at the same time"})
        if not kind.knows(name):
            raise invalid(**{word: f"unknown option '{name}'"})


def change(call: Call, kind: Kind) -> None:
    """Check and apply a wish."""
    wish, guest = wish_of(call, kind), call.guest(kind.name)
    guests.wait_for_lock_file(call, guest)
    check(call, guest, wish)
    problems = apply(call.world, guest, wish)
    if problems:
        raise ApiError(400, "Parameter verification failed.", errors=problems)


def check(call: Call, guest: Guest, wish: Wish) -> None:
    kind = kind_of(guest)
    _check_rights(call, kind, wish)
    if "digest" in call.params and call.string("digest") != guests.digest(guest):
        raise die("checksum mismatch (file change by other user?)")
    if not (call.flag("skiplock") and call.identity.is_root_ticket):
        tasks.check_lock(guest)
    _check_values(guest, wish.given)
    for key, value in wish.given.items():
        if key in kind.drive_keys:
            drives.check(call, kind, guest.node, key, str(value))
    _check_boot_order(guest, wish)
    _check_removals(call.world, guest, wish)


def _check_rights(call: Call, kind: Kind, wish: Wish) -> None:
    tasks.check_root_options(call.identity, call.params)
    rights.check(call, kind, wish.given, wish.delete)
    for key in (*wish.given, *wish.delete):
        if kind is LXC and key in READ_ONLY:
            raise die(f"unable to modify read-only option: '{key}'")
        if key in wish.given and kind.is_unused(key):
            raise ApiError(501, f"option '{key}' not implemented")


def _check_values(guest: Guest, given: Config) -> None:
    if "sshkeys" in given:
        cloudinit.check_keys(str(given["sshkeys"]))
    if guest.kind == "lxc" or not {"balloon", "memory"} & given.keys():
        return
    merged = {**guest.config, **guest.pending, **given}
    memory = int(str(merged.get("memory", "512")).partition(",")[0].removeprefix("current="))
    if int(merged.get("balloon", 0)) > memory:
        raise die("balloon value too large (must be smaller than assigned memory)")


def _check_boot_order(guest: Guest, wish: Wish) -> None:
    boot = str(wish.given.get("boot", ""))
    merged = {**guest.config, **guest.pending, **wish.given}
    for device in boot.removeprefix("order=").split(";") if boot.startswith("order=") else ():
        if device and (device not in merged or device in wish.delete):
            raise invalid(boot=f"invalid bootorder: device '{device}' does not exist'")


def _check_removals(world: World, guest: Guest, wish: Wish) -> None:
    """A protected guest keeps its drives, and a volume that a snapshot holds cannot be freed."""
    kind = kind_of(guest)
    for key in wish.delete:
        value = guest.config.get(key)
        if value is None or not (key in kind.drive_keys or kind.is_unused(key)):
            continue
        what = f"remove unused disk '{value}'" if kind.is_unused(key) else f"remove drive '{key}'"
        if guest.config.get("protection"):
            raise die(f"can't {what} - protection mode enabled")
        if kind.is_unused(key) and guests.is_in_snapshot(guest, str(value)):
            raise die(f"unable to delete '{value}' - volume is still in use (snapshot?)")


def apply(world: World, guest: Guest, wish: Wish) -> dict[str, str]:
    """Make the disks that are asked for, then change the configuration; a full storage changes nothing.

    Answers what could not be plugged or unplugged; such a change stays pending.
    """
    world.state.guests.edit(guest)
    stored = _stored_values(world, guest, wish)
    problems: dict[str, str] = {}
    for key in wish.revert:
        _revert(world, guest, key)
    for key, value in stored.items():
        problems[key] = _set(world, guest, key, value)
    _drop_reattached(guest)
    for key in wish.delete:
        problems[key] = _delete(world, guest, key, is_forced=wish.is_forced)
    return {key: text for key, text in problems.items() if text}


def _stored_values(world: World, guest: Guest, wish: Wish) -> Config:
    before = {volume.volid for volume in volumes.of_guest(world, guest.vmid)}
    try:
        return {key: guests.stored_value(world, guest, key, value) for key, value in wish.given.items()}
    except (TaskError, ApiError):
        for volume in volumes.of_guest(world, guest.vmid):
            if volume.volid not in before:
                world.state.volumes.remove(volume)
        raise


def _drop_reattached(guest: Guest) -> None:
    """An unused volume that is attached again is no longer listed as unused."""
    kind = kind_of(guest)
    attached = {
        drives.parse(kind, key, str(value))[kind.file_key]
        for config in (guest.config, guest.pending)
        for key, value in config.items()
        if key in kind.drive_keys
    }
    for key in [key for key, value in guest.config.items() if kind.is_unused(key) and value in attached]:
        del guest.config[key]


def _revert(world: World, guest: Guest, key: str) -> None:
    value = guest.pending.pop(key, None)
    if value is not None and key in kind_of(guest).drive_keys:
        guests.keep_unused(world, guest, key, str(value), str(guest.config.get(key, "")))
    _forget_deletion(guest, key)


def _forget_deletion(guest: Guest, key: str) -> None:
    for names in (guest.pending_delete, guest.pending_forced):
        if key in names:
            names.remove(key)


def _drop_pending(world: World, guest: Guest, key: str) -> None:
    """A pending disk that is overruled was made already: it is kept as an unused one."""
    value = guest.pending.pop(key, None)
    if value is not None and key in kind_of(guest).drive_keys:
        guests.keep_unused(world, guest, key, str(value), str(guest.config.get(key, "")))


def _delete(world: World, guest: Guest, key: str, *, is_forced: bool) -> str:
    _drop_pending(world, guest, key)
    text = hotplug.problem(guest, key, None) if guest.is_running and hotplug.applies_now(guest, key, None) else ""
    if guest.is_running and (text or not hotplug.applies_now(guest, key, None)):
        if key in guest.config and key not in guest.pending_delete:
            guest.pending_delete.append(key)
            guest.pending_forced += [key] if is_forced else []
    else:
        guests.delete_option(world, guest, key, is_forced=is_forced)
    return text


def _set(world: World, guest: Guest, key: str, value: Value) -> str:
    _forget_deletion(guest, key)
    if guest.pending.get(key) != value:
        _drop_pending(world, guest, key)
    text = hotplug.problem(guest, key, value) if guest.is_running and hotplug.applies_now(guest, key, value) else ""
    is_late = guest.is_running and (text or not hotplug.applies_now(guest, key, value))
    if is_late and guest.config.get(key) != value:
        guest.pending[key] = value
    else:
        guest.pending.pop(key, None)
        guests.set_option(world, guest, key, value)
    return text


def change_in_background(call: Call, kind: Kind) -> str:
    """The worker of POST config; its checks are those of PUT."""
    wish, guest = wish_of(call, kind), call.guest(kind.name)
    guests.wait_for_lock_file(call, guest)
    check(call, guest, wish)
    args = {"given": wish.given, "delete": wish.delete, "revert": wish.revert, "is_forced": wish.is_forced}
    work = tasks.Work(f"{kind.verb}config", guest.node, str(guest.vmid), 0.2, (guest.vmid,), args)
    return tasks.fork(call.world, call.identity, work)


@tasks.effect("qmconfig")
def finish_change(world: World, task: Task) -> None:
    guest, wish = world.guest(QEMU.name, task.node, int(task.id)), Wish(**task.args)
    tasks.check_lock(guest)
    for key in wish.delete:
        if key not in guest.config and key not in guest.pending:
            tasks.say(task, f"cannot delete '{key}' - not set in current configuration!")
    problems = apply(world, guest, wish)
    for key, text in problems.items():
        raise TaskError(f"400 Parameter verification failed. {key}: {text}")
    guests.tell_new_disks(world, task, guest, wish.given)


def pending_rows(guest: Guest) -> list[dict[str, Json]]:
    """The rows of GET pending: each option with its value now and the one that waits."""
    now, later = guests.shown_config(guest, is_current=True), guests.shown_config(guest)
    rows: list[dict[str, Json]] = []
    for key in sorted(now.keys() | later.keys()):
        row: dict[str, Json] = {"key": key}
        if key in now:
            row["value"] = now[key]
        if key in guest.pending:
            row["pending"] = later[key]
        if key in guest.pending_delete:
            row["delete"] = 2 if key in guest.pending_forced else 1
        rows.append(row)
    return rows
