"""What a new guest is made from: a template to clone, an image for a container, or an empty disk."""

from dataclasses import dataclass

from blueprints.schema import Image, Machine
from vms.services import ClusterReading, GuestRow, OsTemplate

EMPTY_DISK = "empty disk"


@dataclass(frozen=True)
class Source:
    """Where the system comes from, the fact that this relies on, and what to say of it."""

    template: GuestRow | None = None
    ostemplate: OsTemplate | None = None
    label: str = EMPTY_DISK
    cause: str = "default"
    holders: frozenset[str] = frozenset()
    is_shared: bool = False
    """Whether its disks lie on shared storage, so that other nodes can be the target of a clone."""
    problem: str = ""
    remark: str = ""

    @property
    def fact(self) -> str:
        """The name of the fact that must still hold when the guest is made."""
        if self.template:
            return f"template/{self.template.vmid}"
        return f"image/{self.ostemplate.volid}" if self.ostemplate else ""


def source_of(machine: Machine, reading: ClusterReading) -> Source:
    """The source for a machine on this cluster."""
    return _container_source(machine, reading) if machine.kind == "lxc" else _vm_source(machine, reading)


def _vm_source(machine: Machine, reading: ClusterReading) -> Source:
    templates = sorted((row for row in reading.templates if row.kind == "vm"), key=lambda row: row.vmid)
    cause = machine.causes.get("image", "default")
    if machine.image is None:
        if not templates:
            return Source(remark=f"{machine.key} gets an empty disk: the cluster has no template to start from.")
        return _clone(templates[0], reading, remark=_assumed(machine, templates[0].name))
    if machine.image.template:
        row = reading.template(machine.image.template)
        if row is None:
            return Source(problem=f"{machine.key}: the cluster has no template {machine.image.template}.")
        return _clone(row, reading, cause=cause)
    match = next((row for row in templates if _fits(machine.image, row.name)), None)
    if match is None:
        known = ", ".join(row.name for row in templates) or "none"
        return Source(problem=f"{machine.key}: no template on the cluster is {machine.image} (there are: {known}).")
    return _clone(match, reading, cause=cause)


def _clone(row: GuestRow, reading: ClusterReading, *, cause: str = "default", remark: str = "") -> Source:
    is_shared = row.vmid in reading.shared_templates
    return Source(row, label=row.name, cause=cause, remark=remark, holders=frozenset({row.node}), is_shared=is_shared)


def _container_source(machine: Machine, reading: ClusterReading) -> Source:
    images = sorted(reading.ostemplates, key=lambda row: row.volid)
    if not images:
        return Source(problem=f"{machine.key}: the cluster has no container image; download one first.")
    if machine.image is None:
        return _unpack(images[0], images, remark=_assumed(machine, _short(images[0].volid)))
    wanted = machine.image
    match = next((i for i in images if i.volid == wanted.reference or _fits(wanted, _short(i.volid))), None)
    if match is None:
        known = ", ".join(sorted({_short(row.volid) for row in images}))
        return Source(problem=f"{machine.key}: no container image is {wanted} (there are: {known}).")
    return _unpack(match, images, cause=machine.causes.get("image", "default"))


def _unpack(image: OsTemplate, images: list[OsTemplate], *, cause: str = "default", remark: str = "") -> Source:
    holders = frozenset(row.node for row in images if row.volid == image.volid)
    return Source(ostemplate=image, label=_short(image.volid), cause=cause, remark=remark, holders=holders)


def _assumed(machine: Machine, name: str) -> str:
    return f"{machine.key} names no operating system; it is made from {name}."


def _short(volid: str) -> str:
    return volid.rsplit("/", 1)[-1]


def _fits(image: Image, name: str) -> bool:
    """Whether a template's name speaks of the image: family and, when asked for, version."""
    text = name.lower().replace("_", "-").replace(" ", "-")
    if not image.family or image.family not in text:
        return False
    version = image.version or ""
    return version in text or version.replace(".", "") in text.replace(".", "")
