"""How a drift can be answered with an IPR, and where it cannot, why not. Pure but for the blueprint that it is given."""

from collections.abc import Mapping
from typing import Any

from blueprints.schema import BlueprintDocument, Machine, Resource, expand
from blueprints.schema.sizes import MIB, format_size
from vms.models import Drift

SPEC = {"cores": "cpu", "memory": "memory", "disk": "disk", "power": "start"}
"""What a blueprint can say of a guest, by the attribute that drifted."""
BY_HAND = frozenset({"name", "tags"})
"""What a plan sets together with other changes only."""
NOUNS = {"name": "name", "tags": "tags"}


class Obstacle(Exception):
    """Why a drift cannot be answered like this; a sentence for people."""


def check_restore(drift: Drift, document: BlueprintDocument) -> None:
    """Raises Obstacle when no plan of this document would bring the guest back."""
    machine = _machine(drift, document)
    if any(_has_grown(row) for row in drift.changes):
        raise Obstacle("A disk cannot shrink: adopt its new size, or bring the guest back from a backup.")
    fields = {row["field"] for row in drift.changes}
    if fields and fields <= BY_HAND:
        names = " and ".join(NOUNS[field] for field in sorted(fields))
        raise Obstacle(f"A plan does not change {names} alone: put it right in Proxmox, and the drift ends by itself.")
    if fields == {"network"} and machine.causes.get("network", "default") == "default":
        raise Obstacle("The blueprint says nothing of the network, so no plan changes it: put it right in Proxmox.")


def _has_grown(change: dict[str, Any]) -> bool:
    """Whether it is a disk that somebody has made bigger."""
    before, after = change["before"], change["after"]
    return change["field"].partition(" ")[0] == "disk" and after is not None and bool(after > before)


def adopted(drift: Drift, document: BlueprintDocument) -> dict[str, Any]:
    """The document that says what is there. Raises Obstacle."""
    machine = _machine(drift, document)
    alike = [one for one in expand(document).machines if one.resource == machine.resource]
    values = document.as_dict()
    if drift.kind == Drift.Kind.GONE:
        _drop(values, document, machine, len(alike))
        return values
    changes = {row["field"]: row["after"] for row in drift.changes if row["field"] in SPEC}
    if not changes:
        names = ", ".join(row["field"] for row in drift.changes)
        raise Obstacle(f"ALMA cannot write this into a blueprint by itself ({names}): change the blueprint by hand.")
    if len(alike) > 1:
        raise Obstacle(
            f"{machine.resource} means {len(alike)} machines that are all alike; a blueprint cannot say that one differs."
        )
    _write(values, document.by_name[machine.resource], changes)
    return values


def _machine(drift: Drift, document: BlueprintDocument) -> Machine:
    if drift.kind == Drift.Kind.UNMARKED:
        raise Obstacle(
            f"A guest without its mark is never touched. Put {drift.claim.marker} back as the first word of its notes in "
            "Proxmox, and it is ours again."
        )
    found = next((one for one in expand(document).machines if one.key == drift.claim.key), None)
    if found is None:
        raise Obstacle("The blueprint no longer has this machine: an IPR for the blueprint deletes what is left of it.")
    return found


def _drop(values: dict[str, Any], document: BlueprintDocument, machine: Machine, alike: int) -> None:
    """Take a machine out: its resource, or the last of several. Raises Obstacle."""
    resource = document.by_name[machine.resource]
    if alike > 1:
        if resource.specs.count != alike or machine.key != _last_key(document, machine):
            raise Obstacle(
                f"It is one of {alike} machines of {machine.resource}, and not the last: a blueprint cannot skip it."
            )
        _specs(values, resource.name)[resource.specs.written["count"]] = alike - 1
        return
    needing = [name for name, needs in document.needs.items() if resource.name in needs]
    if needing:
        raise Obstacle(f"{', '.join(needing)} depends on {resource.name}: change the blueprint by hand.")
    if len(document.resources) == 1:
        raise Obstacle("It is all that the blueprint has: delete the blueprint, or restore the machine.")
    values["resources"] = [row for row in values["resources"] if row["name"] != resource.name]


def _last_key(document: BlueprintDocument, machine: Machine) -> str:
    return [one.key for one in expand(document).machines if one.resource == machine.resource][-1]


def _specs(values: dict[str, Any], name: str) -> dict[str, Any]:
    specs: dict[str, Any] = next(row for row in values["resources"] if row["name"] == name)["specs"]
    return specs


def _write(values: dict[str, Any], resource: Resource, changes: Mapping[str, Any]) -> None:
    """Each value in place of what was written, under the key's own name. Raises Obstacle."""
    specs = _specs(values, resource.name)
    for field, after in changes.items():
        key = SPEC[field]
        if key == "disk" and "disks" in resource.specs.written and "disk" not in resource.specs.written:
            raise Obstacle("The blueprint lists its disks one by one: change their sizes there by hand.")
        specs.pop(resource.specs.written.get(key, key), None)
        specs[key] = _value(field, after)


def _value(field: str, after: Any) -> Any:
    if field == "power":
        return after == "running"
    return format_size(-(-after // MIB) * MIB) if field in {"memory", "disk"} else after
