"""What the steps of an operation do to a machine, told beforehand: values before and after, and what people have to know.

Pure: no network, no database."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alma.jobs.services import StepSpec
from vms.proxmox.readings import GuestReading
from vms.proxmox.values import parse_tags
from vms.steps import mends
from vms.steps.payloads import tags as planned_tags

Params = Mapping[str, Any]
Now = GuestReading | None
RESTARTED = "restarted"
PLACING = frozenset({"guest.place", "guest.place_clone"})
"""Steps that find out where a new machine goes, and tell those after them."""


@dataclass(frozen=True)
class Effect:
    """One attribute as it is and as it will be; None where there is nothing. Sizes are in bytes."""

    field: str
    before: Any
    after: Any


def effects_of(steps: Sequence[StepSpec], now: Now) -> list[Effect]:
    """What is different afterwards, attribute by attribute; `now` is the machine as it was read, if it exists."""
    by_kind = {step.kind: step for step in steps}
    if "guest.delete" in by_kind:
        return _lost(now)
    if "backup.unpack_new" in by_kind:
        return _unpacked(by_kind["backup.unpack_new"].params)
    if "guest.create" in by_kind:
        return _made(_wish(steps, by_kind["guest.create"]))
    return _changed(steps, now)


def _changed(steps: Sequence[StepSpec], now: Now) -> list[Effect]:
    """Of a machine that stays: what each step says, and one word for a stop and a start."""
    kinds = {step.kind for step in steps}
    found = [effect for step in steps if step.kind in _TELLERS for effect in _TELLERS[step.kind](step.params, now)]
    if {"guest.stop", "guest.start"} <= kinds:
        was = now.status if now else None
        return [one for one in found if one.field != "power"] + [Effect("power", was, RESTARTED)]
    return found


def action_of(steps: Iterable[StepSpec]) -> str:
    """Whether a machine is created, deleted, changed (`update`), or loses what it holds for something else (`replace`)."""
    kinds = {step.kind for step in steps}
    named = {
        "guest.delete": "delete", "guest.create": "create", "backup.unpack_new": "create", "backup.unpack_over": "replace",
        "guest.snapshot_restore": "replace",
    }  # fmt: skip
    return next((action for kind, action in named.items() if kind in kinds), "update")


def warnings_of(steps: Sequence[StepSpec]) -> list[str]:
    """Sentences that people should have read before they agree."""
    kinds = {step.kind for step in steps}
    said = [sentence for step in steps for sentence in _warned(step)]
    if "guest.delete" in kinds:
        rest = "its backups too" if "backup.delete" in kinds else "its backups stay"
        said.append(f"Its disks and its snapshots are erased; {rest}.")
    return said


def _warned(step: StepSpec) -> list[str]:
    said = _WARNERS[step.kind](step.params) if step.kind in _WARNERS else ""
    return [said] if said else []


def _stopped(params: Params) -> str:
    if not params.get("graceful", True):
        return "The power is cut at once, without shutting its system down."
    seconds = params.get("timeout", 60)
    end = (
        "then the power is cut" if params.get("insists", True) else "if it does not heed, it runs on and the job fails"
    )
    return f"Its system is asked to shut down and has {seconds} s; {end}."


_ERASED = "The archive is deleted from its storage and cannot be had again; the machine is not touched."
_WARNERS: Mapping[str, Callable[[Params], str]] = {
    "backup.delete": lambda params: "" if params["is_lenient"] else _ERASED,
    "backup.unpack_over": lambda params: (
        f"Its disks and snapshots of now are lost: it becomes what {params['volume']} holds."
    ),
    "guest.firewall": lambda params: (
        "A machine without any rule gets one that lets SSH in from everywhere; narrow its source afterwards."
    ),
    "guest.snapshot_drop": lambda params: f"Nobody can go back to {params['snapshot']} afterwards.",
    "guest.snapshot_restore": lambda params: f"What was written since {params['snapshot']} was taken is lost.",
    "guest.stop": _stopped,
}
"""By kind of step, what people should have read; a backup that goes with its machine is told of there."""


def _wish(steps: Sequence[StepSpec], create: StepSpec) -> Params:
    """What was asked for, with what its place is looked for by."""
    asked = next((step.params for step in steps if step.kind in PLACING), {})
    power = "running" if any(step.kind == "guest.start" for step in steps) else "stopped"
    return {**create.params, **asked, "power": power}


def _made(wish: Params) -> list[Effect]:
    init = wish.get("cloud_init") or {}
    values = {
        "image": _image(wish), "cores": wish.get("cores"),
        "memory": wish.get("memory_bytes"), "disk": wish.get("disk_bytes"), "vlan": wish.get("vlan"),
        "address": init.get("ip"), "user": init.get("user"), "ssh keys": len(init.get("ssh_keys") or ()), "firewall": "on" if wish.get("firewall") else None,
        "tags": ", ".join(parse_tags(planned_tags(wish))), "description": wish.get("note"), "power": wish["power"],
    }  # fmt: skip
    return [Effect(name, None, value) for name, value in values.items() if value]


def _unpacked(params: Params) -> list[Effect]:
    """What is told of a machine before it was brought back."""
    values = {"name": params["name"], "image": f"the backup {params['volume']}", "storage": params["storage"]}
    return [Effect(name, None, value) for name, value in values.items() if value]


def _image(wish: Params) -> str:
    """What it is made from."""
    if wish.get("source"):
        return f"{'a copy' if wish.get('full_clone') else 'a linked copy'} of VMID {wish['source']}"
    if wish.get("cdrom"):
        return f"installed by hand from {wish['cdrom']}"
    return str(wish.get("import_from") or wish.get("template") or wish.get("ostemplate") or "")


def _lost(now: Now) -> list[Effect]:
    if now is None:
        return []
    further = {f"disk {slot}": size for slot, size in sorted(now.disks.items()) if slot != now.disk}
    return [Effect(name, size, None) for name, size in ({"disk": now.disk_bytes} | further).items() if size]


def _power(to: str) -> Callable[[Params, Now], list[Effect]]:
    return lambda params, now: [Effect("power", now.status if now else None, to)]


def _configured(params: Params, now: Now) -> list[Effect]:
    """Only what is given, and is not so already."""
    pairs: list[tuple[str, Any, Any]] = [
        ("cores", now and now.cores, params.get("cores")),
        ("memory", now and now.memory_bytes, params.get("memory_bytes")),
        ("disk", now and now.disk_bytes, params.get("disk_bytes")),
        ("name", now and now.name, params.get("name")),
    ]
    if "tags" in params:
        pairs.append(("tags", _words(now.tags if now else ()), _words(parse_tags(planned_tags(params)))))
    if "description" in params:
        pairs.append(("description", _note(now), params["description"]))
    return [Effect(name, was, to) for name, was, to in pairs if to is not None and was != to]


def _words(tags: Iterable[str]) -> str:
    return ", ".join(sorted(tags))


def _note(now: Now) -> str | None:
    """What stands below the mark."""
    if now is None:
        return None
    return str(now.config.get("description", "")).removeprefix(now.marker).strip()


def _snapshot(params: Params, now: Now) -> list[Effect]:
    kept = "disks and memory" if params.get("memory") else "disks"
    return [Effect(f"snapshot {params['snapshot']}", None, kept)]


def _planned(params: Params) -> str:
    return f"{params['schedule']}, {params['keep']}" if params["enabled"] else "not scheduled"


def _mended(params: Params, now: Now) -> list[Effect]:
    if now is None:
        return []
    return [Effect(name, mends.shown(now, name), value) for name, value in mends.wanted(now, params["mends"]).items()]


_TELLERS: Mapping[str, Callable[[Params, Now], list[Effect]]] = {
    "backup.delete": lambda params, now: [Effect(f"backup {params['volume']}", "there", None)],
    "backup.schedule": lambda params, now: [Effect("backups", None, _planned(params))],
    "backup.unpack_over": lambda params, now: [Effect("content", "as it is now", f"as in {params['volume']}")],
    "guest.start": _power("running"),
    "guest.stop": _power("stopped"),
    "guest.configure": _configured,
    "guest.mend": _mended,
    "guest.firewall": lambda params, now: [Effect("firewall", "off", "on")],
    "guest.migrate": lambda params, now: [Effect("node", now.node if now else None, params["target"])],
    "guest.snapshot": _snapshot,
    "guest.snapshot_drop": lambda params, now: [Effect(f"snapshot {params['snapshot']}", "there", None)],
    "guest.snapshot_restore": lambda params, now: [Effect("content", "as it is now", f"as in {params['snapshot']}")],
}
"""By kind of step; of a kind that is not here the titles of the steps tell."""
