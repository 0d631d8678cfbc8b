"""What a new machine is made from, as the cluster has it now: a template, or an image on a storage."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from alma.jobs.kinds import StepFailed
from vms.proxmox import images
from vms.proxmox.readings import ClusterReading, StorageReading
from vms.steps.work import Work

_SYSTEM = re.compile(r"([a-z]+)[-_ :]*(\d+(?:\.\d+)?)?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What is copied: `nodes` reach it, and `told` says in a log what is done with it.

    A template has a number and a node of its own; from there to another node it is only copied to a shared storage."""

    name: str
    nodes: frozenset[str]
    disk_bytes: int
    told: str
    vmid: int | None = None
    home: str = ""


def origin_of(work: Work, reading: ClusterReading) -> Origin:
    """That of the step's parameters. Raises StepFailed that says what there is, Unknown, Refusal."""
    return _image(work, reading) if work.params.get("image") else _template(work, reading)


def fitting(wanted: str, names: Iterable[str]) -> str:
    """The template that a name means: that of this very name, else the first of the same system; empty when none is."""
    known = sorted(names)
    if wanted in known:
        return wanted
    system = _SYSTEM.match(wanted.lower())
    if system is None:
        return ""
    family, version = system[1], system[2] or ""
    return next((name for name in known if family in name.lower() and version in name), "")


def _template(work: Work, reading: ClusterReading) -> Origin:
    wanted = str(work.params["template"])
    rows = {row.name: row for row in reading.templates if row.kind == "vm"}
    by_number = next((row for row in rows.values() if str(row.vmid) == wanted), None)
    found = by_number or rows.get(fitting(wanted, rows))
    if found is None:
        known = ", ".join(sorted(rows)) or "none"
        raise StepFailed("TEMPLATE_MISSING", f"No template on {work.cluster} is {wanted} (there are: {known}).")
    everywhere = {node.name for node in reading.online_nodes()} if found.vmid in reading.shared_templates else set()
    return Origin(
        name=found.name, nodes=frozenset({found.node, *everywhere}), disk_bytes=found.disk_bytes, vmid=found.vmid,
        home=found.node, told=f"{found.name} is copied to",
    )  # fmt: skip


def _image(work: Work, reading: ClusterReading) -> Origin:
    """An image, and the nodes that see its file. Raises StepFailed, Unknown, Refusal."""
    volume = str(work.params["image"])
    storage, _, path = volume.partition(":")
    kind = path.partition("/")[0]
    online = {node.name for node in reading.online_nodes()}
    seen = [one for one in reading.storages if one.name == storage and one.is_active and one.node in online]
    nodes, others = _holding(work, seen, volume, kind)
    if not nodes:
        known = ", ".join(sorted(others)) or "none"
        raise StepFailed("IMAGE_MISSING", f"{volume} is not there any more (on {storage} there are: {known}).")
    is_disk = kind == "import"
    size = images.disk_bytes(work.api, min(nodes), volume) if is_disk else 0
    return Origin(
        name=volume, nodes=frozenset(nodes), disk_bytes=size,
        told=f"{volume} is imported to" if is_disk else f"{volume} is put into the drive; an empty disk goes to",
    )  # fmt: skip


def _holding(work: Work, seen: list[StorageReading], volume: str, kind: str) -> tuple[set[str], set[str]]:
    """The nodes that see a file, and the other files of its kind. A shared storage is asked once."""
    nodes: set[str] = set()
    others: set[str] = set()
    shared = [one for one in seen if one.is_shared]
    for one in [*(one for one in seen if not one.is_shared), *shared[:1]]:
        work.context.renew()
        found = {image.volume for image in images.read(work.api, one.node, one.name, {kind})}
        others |= found
        if volume in found:
            nodes |= {same.node for same in shared} if one.is_shared else {one.node}
    return nodes, others
