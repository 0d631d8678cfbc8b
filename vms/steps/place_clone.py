"""Finding out whether and where a guest can be copied, for a job that was begun without asking the cluster."""

from collections import Counter
from collections.abc import Iterator

from alma.jobs.kinds import StepFailed, Wait
from vms.models import GuestClaim
from vms.proxmox import cluster as cluster_reader
from vms.proxmox import guests
from vms.proxmox.readings import ClusterReading, GuestReading, GuestRow
from vms.proxmox.values import GIB
from vms.steps.base import GuestStep
from vms.steps.place import hand_on, is_chosen
from vms.steps.work import Work


class PlaceClone(GuestStep):
    """Read the guest that is to be copied, and decide where the copy goes; its later steps are told.

    Parameters beside the common ones: `source` (a VMID), `source_claim` (its row in the ledger, empty for a template),
    `full_clone`, `target` (a node, empty for that of the source), `storage` (empty: each disk beside its original).
    """

    def turn(self, work: Work) -> None:
        """Decide, and hand it on. Raises Wait, Unknown, Refusal, and StepFailed that says why it cannot be."""
        reading = cluster_reader.read(work.api, work.context.renew)
        row, source = self._source(work, reading)
        target = work.params["target"] or row.node
        found = list(_objections(work, reading, row, source, target))
        if found:
            raise StepFailed("CLONE_NOT_POSSIBLE", f"{row.name or row.vmid} cannot be copied: {'; '.join(found)}.")
        placed = {
            "node": target, "template_vmid": row.vmid, "template_node": row.node, "cores": source.cores,
            "memory_bytes": source.memory_bytes, "disk_bytes": source.disk_bytes,
        }  # fmt: skip
        kind = "fully" if work.params["full_clone"] else "as a linked copy"
        hand_on(work, placed, f"{row.name or row.vmid} is copied {kind} to {target}.{_warning(source)}")

    def _source(self, work: Work, reading: ClusterReading) -> tuple[GuestRow, GuestReading]:
        """What is to be copied: ours by its mark, or a template."""
        rows = {row.vmid: row for row in (*reading.guests, *reading.templates)}
        row = rows.get(work.params["source"])
        source = guests.read_listed(work.api, row) if row else None
        if row is None or source is None:
            raise StepFailed("SOURCE_MISSING", f"VMID {work.params['source']} is no longer there.")
        named = work.params["source_claim"]
        claim = GuestClaim.objects.filter(pk=named).first() if named else None
        if not source.is_template and (claim is None or source.marker != claim.marker):
            raise StepFailed("GUEST_NOT_OURS", f"The guest with VMID {row.vmid} does not carry ALMA's marker.")
        if source.lock:
            work.tell_once(f"Waiting: VMID {row.vmid} is locked ({source.lock}).")
            raise Wait
        return row, source


def _objections(work: Work, reading: ClusterReading, row: GuestRow, source: GuestReading, target: str) -> Iterator[str]:
    """Why it cannot be copied there, in words."""
    used = _stores(source)
    yield from _of_node(work, reading, target)
    if work.params["full_clone"]:
        yield from _of_full_copy(work, reading, row, used, target)
    elif not source.is_template:
        yield "a linked copy is made of templates only"
    if target != row.node:
        written = {work.params["storage"]} - {""} if work.params["full_clone"] else set()
        yield from _not_shared(reading, {*used, *written}, target)


def _of_full_copy(
    work: Work, reading: ClusterReading, row: GuestRow, used: dict[str, int], target: str
) -> Iterator[str]:
    """What is copied has to lie still, to find room, and to stay encrypted where it is."""
    storage, cluster = work.params["storage"], work.cluster
    if row.kind == "lxc" and row.status == "running":
        yield "it runs, and a container is copied when it is stopped"
    if storage and cluster.encrypts(storage) is False and any(map(cluster.encrypts, used)):
        yield f"its disks are encrypted, and {storage} does not encrypt"
    yield from _too_small(work, reading, {storage: sum(used.values())} if storage else used, target)


def _of_node(work: Work, reading: ClusterReading, target: str) -> Iterator[str]:
    if target not in {node.name for node in reading.online_nodes()}:
        yield f"{target} is not online"
    elif not is_chosen(target, work.cluster.chosen_nodes):
        yield f"{target} is not among the nodes that ALMA may use"


def _stores(source: GuestReading) -> dict[str, int]:
    """How many bytes of its disks lie on each storage."""
    used: Counter[str] = Counter()
    for disk, size in source.disks.items():
        used[str(source.config[disk]).partition(":")[0]] += size
    return dict(used)


def _not_shared(reading: ClusterReading, names: set[str], target: str) -> Iterator[str]:
    """Another node must see the disks that are read and those that are written."""
    shared = {one.name for one in reading.storages if one.is_shared and one.node == target}
    yield from (f"{target} does not see what lies on {name}" for name in sorted(names - shared))


def _too_small(work: Work, reading: ClusterReading, wanted: dict[str, int], target: str) -> Iterator[str]:
    rooms = {one.name: one for one in reading.storages_for(target)}
    for name, size in sorted(wanted.items()):
        room = rooms.get(name)
        if room is None:
            yield f"{target} has no storage {name} for disks"
        elif not is_chosen(name, work.cluster.chosen_storages):
            yield f"{name} is not among the storages that ALMA may use"
        elif room.free_bytes < size:
            yield f"{name} on {target} has {room.free_bytes // GIB} GiB free, needs {size // GIB}"


def _warning(source: GuestReading) -> str:
    """Two of one address disturb each other as soon as both run."""
    fixed = [card.ip for card in source.cards.values() if card.ip not in {"", "dhcp", "auto", "manual"}]
    return f" It has the address {', '.join(fixed)} as well: change that before both run." if fixed else ""
