"""From a document to the machines that it means: counts expanded, defaults filled in, each value with its cause."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from blueprints.schema import names, types
from blueprints.schema.cards import Networks
from blueprints.schema.document import BlueprintDocument, Resource
from blueprints.schema.images import Image, read_image
from blueprints.schema.machine import Backup, DataDisk, Expansion, Kind, Machine, Unsupported
from blueprints.schema.sizes import GIB
from blueprints.schema.specs import Specs

DEFAULT_CORES = 2
DEFAULT_MEMORY = 2 * GIB
DEFAULT_DISK = 20 * GIB
LEAST_OF_WINDOWS = (4 * GIB, 64 * GIB)
"""Memory and disk: what Windows 11 asks for, and more than a server needs (32 GB); it does not start on the defaults."""
DEFAULT_SCHEDULE = "daily"
_CAUSED_BY = {
    "cores": "cpu",
    "memory_bytes": "memory",
    "disk_bytes": "disk",
    "image": "os",
    "user": "user",
    "ssh_keys": "ssh_keys",
    "tags": "tags",
    "start": "start",
}
_NOTED = frozenset(
    [
        "cpu_type",
        "min_memory",
        "disk_type",
        "unprivileged",
        "nesting",
        "hostname",
        "timezone",
        "packages",
        "services",
        "version",
        "env",
        "config",
        "database",
        "members",
        "algorithm",
        "health_check",
        "tls",
        "url",
        "domain",
        "ports",
        "virtual_ip",
        "public_ip",
        "rules",
        "environment",
        "region",
        "zone",
        "owner",
        "labels",
        "ha",
        "monitoring",
    ]
)


class Slot(NamedTuple):
    """The place of one machine in its resource."""

    key: str
    position: int
    role: str | None


def expand_machines(document: BlueprintDocument) -> list[Machine]:
    """What must exist on a hypervisor, in the order of the document."""
    return list(expand(document).machines)


def expand(document: BlueprintDocument) -> Expansion:
    """Machines, and the resources that are none."""
    wanted = [resource for resource in document.resources if types.is_machine(resource.type)]
    others = [resource for resource in document.resources if not types.is_machine(resource.type)]
    slots = {resource.name: list(_slots(resource)) for resource in wanted}
    needs = {resource.name: _needed_keys(document, resource.name, slots) for resource in wanted}
    networks = Networks({r.name: r for r in others if types.OTHER_TYPES.get(types.normal(r.type)) == "network"})
    machines = [_machine(r, slot, networks, needs[r.name]) for r in wanted for slot in slots[r.name]]
    unsupported = [Unsupported(r.name, r.type, types.why_unsupported(r.type)) for r in others]
    return Expansion(tuple(machines), tuple(unsupported))


def machine_count(resource: Resource) -> int:
    """How many machines a resource means, without making them."""
    specs = resource.specs
    if not types.is_machine(resource.type):
        return 0
    if specs.control_planes or specs.workers:
        return (specs.control_planes or 1) + (specs.workers or 0)
    return specs.count or 1


def machine_keys(resource: Resource) -> list[str]:
    """The names of its machines."""
    return [slot.key for slot in _slots(resource)] if types.is_machine(resource.type) else []


def _slots(resource: Resource) -> Iterator[Slot]:
    specs = resource.specs
    role = specs.role or types.ROLE_OF_TYPE.get(types.normal(resource.type))
    if specs.control_planes or specs.workers:
        yield from _cluster_slots(resource.name, role or "cluster", specs.control_planes or 1, specs.workers or 0)
    elif specs.count is None:
        yield Slot(resource.name, 0, role)
    else:
        for position in range(specs.count):
            yield Slot(names.suffixed(resource.name, str(position + 1)), position, role)


def _cluster_slots(name: str, role: str, planes: int, workers: int) -> Iterator[Slot]:
    for position in range(planes + workers):
        part, number = ("control", position) if position < planes else ("worker", position - planes)
        yield Slot(names.suffixed(name, f"{part}-{number + 1}"), position, f"{role}-{part}")


def _needed_keys(document: BlueprintDocument, name: str, slots: Mapping[str, list[Slot]]) -> tuple[str, ...]:
    """Machines that come first. A dependency on something that is no machine passes on what that one needs."""
    keys: dict[str, None] = {}
    waiting, seen = list(document.needs[name]), {name}
    while waiting:
        needed = waiting.pop(0)
        if needed in seen:
            continue
        seen.add(needed)
        if needed in slots:
            keys.update(dict.fromkeys(slot.key for slot in slots[needed]))
        else:
            waiting.extend(document.needs[needed])
    return tuple(keys)


def _machine(resource: Resource, slot: Slot, networks: Networks, depends_on: tuple[str, ...]) -> Machine:
    specs = resource.specs
    boot, others = _disks(specs)
    image = _image(specs)
    usual_memory, usual_disk = usual_size(image)
    return Machine(
        key=slot.key,
        resource=resource.name,
        kind=kind_of(resource),
        role=slot.role,
        cores=specs.cpu or DEFAULT_CORES,
        sockets=specs.sockets or 1,
        memory_bytes=specs.memory or usual_memory,
        swap_bytes=specs.swap,
        disk_bytes=boot or usual_disk,
        data_disks=others,
        image=image,
        nics=networks.cards_of(specs, index=slot.position),
        software=tuple(dict.fromkeys([*(specs.software or ()), *([specs.engine] if specs.engine else ())])),
        backup=_backup(specs),
        gpus=specs.gpu.count if specs.gpu else 0,
        depends_on=depends_on,
        provider=resource.provider,
        description=resource.description,
        noted=tuple(own for key, own in specs.written.items() if key in _NOTED),
        causes=_causes(specs),
        **_plain_values(specs),
    )


def usual_size(image: Image | None) -> tuple[int, int]:
    """Bytes of memory and disk of a machine whose blueprint says nothing of them."""
    return LEAST_OF_WINDOWS if image is not None and image.family == "windows" else (DEFAULT_MEMORY, DEFAULT_DISK)


def _plain_values(specs: Specs) -> dict[str, Any]:
    return {
        "storage_pool": specs.storage_pool,
        "node": specs.node,
        "pool": specs.pool,
        "tags": tuple(dict.fromkeys(tag.lower() for tag in specs.tags or ())),
        "user": specs.user,
        "ssh_keys": tuple(specs.ssh_keys or ()),
        "search_domain": specs.search_domain,
        "start": specs.start is not False,
        "protected": bool(specs.protected),
        "anti_affinity": specs.anti_affinity or None,
        "packages": tuple(specs.packages or ()),
        "timezone": specs.timezone,
        "cpu_type": specs.cpu_type,
        "min_memory_bytes": specs.min_memory,
        "unprivileged": specs.unprivileged is not False,
        "nesting": bool(specs.nesting),
    }


def kind_of(resource: Resource) -> Kind:
    """A container, or else a virtual machine."""
    if resource.specs.kind:
        return "lxc" if resource.specs.kind in ("lxc", "container") else "vm"
    return "lxc" if types.normal(resource.type) in types.LXC_TYPES else "vm"


def _disks(specs: Specs) -> tuple[int | None, tuple[DataDisk, ...]]:
    """The boot disk is `disk`, or else the first of `disks`."""
    listed = [DataDisk(disk.size, disk.name, disk.storage, disk.mount) for disk in specs.disks or ()]
    boot = specs.disk or (listed.pop(0).size_bytes if listed else None)
    if specs.data_disk:
        listed.insert(0, DataDisk(specs.data_disk, "data", specs.storage_pool, specs.mount))
    return boot, tuple(listed)


def _image(specs: Specs) -> Image | None:
    """What to make it from: a template, an image, an operating system, or whatever the environment prefers (None)."""
    if not (specs.template or specs.image or specs.os):
        return None
    system = read_image(specs.os, version=specs.os_version) if specs.os else Image(version=specs.os_version)
    image = read_image(specs.image, version=specs.os_version) if specs.image else system
    return Image(
        family=system.family or image.family,
        version=system.version or image.version,
        reference=image.reference,
        template=specs.template,
    )


def _backup(specs: Specs) -> Backup | None:
    """From the policy, or from its two keys beside it; the policy wins."""
    if specs.backup and not specs.backup.enabled:
        return None
    if not (specs.backup or specs.schedule or specs.retention_days):
        return None
    schedules = [specs.backup.schedule if specs.backup else None, specs.schedule, DEFAULT_SCHEDULE]
    days = [specs.backup.retention_days if specs.backup else None, specs.retention_days]
    return Backup(next(text for text in schedules if text), next((number for number in days if number), None))


def _causes(specs: Specs) -> dict[str, str]:
    causes = {field: _cause(specs, key) for field, key in _CAUSED_BY.items()}
    if specs.disk is None and specs.disks:
        causes["disk_bytes"] = specs.key_for("disks")
    for key in ("template", "image"):
        if getattr(specs, key):
            causes["image"] = specs.key_for(key)
            break
    causes["network"] = next(
        (specs.key_for(k) for k in ("network", "ip", "vlan", "bridge") if getattr(specs, k)), "default"
    )
    return causes


def _cause(specs: Specs, key: str) -> str:
    return "default" if getattr(specs, key) is None else specs.key_for(key)
