"""Storages as they were last read, each once: a shared one is the same on all nodes, a local one is of its node alone."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from alma.accounts.actors import Actor
from vms.models import ClusterStorage, Guest

Rows = QuerySet[ClusterStorage]


@dataclass(frozen=True)
class Storage:
    """A storage of a list, `shown` as a node sees it that reaches it. `provisioned_bytes` are the disks of machines on it,
    None while one of the machines that may have a disk there was never read closely."""

    row: ClusterStorage
    shown: ClusterStorage
    nodes: tuple[str, ...]
    provisioned_bytes: int | None


def listed(actor: Actor) -> Rows:
    """What the actor sees, by name and node; a shared storage stands where it was seen first."""
    earlier = ClusterStorage.objects.filter(
        cluster=OuterRef("cluster"), name=OuterRef("name"), is_shared=True, pk__lt=OuterRef("pk")
    )
    rows: Rows = ClusterStorage.objects.visible_to(actor).filter(Q(is_shared=False) | ~Exists(earlier))
    return rows.order_by("name", "node", "pk")


def find(pk: int, *, by: Actor) -> ClusterStorage | None:
    """The storage of a number, which for a shared one may be that of any of its nodes."""
    row = ClusterStorage.objects.visible_to(by).select_related("cluster", "claim").filter(pk=pk).first()
    if row is None or not row.is_shared:
        return row
    return (
        listed(by)
        .select_related("cluster", "claim")
        .filter(cluster=row.cluster_id, name=row.name, is_shared=True)
        .first()
    )


def whole(rows: Collection[ClusterStorage]) -> list[Storage]:
    """Storages of a list with what is known of them beside their own row, in two queries however many they are."""
    twins = _twins(rows)
    disks = _Disks({row.cluster_id for row in rows})
    return [_whole(row, twins[row.cluster_id, row.name] if row.is_shared else [row], disks) for row in rows]


def _whole(row: ClusterStorage, seen: list[ClusterStorage], disks: "_Disks") -> Storage:
    shown = next((twin for twin in seen if twin.is_active), row)
    provisioned = disks.on(row.cluster_id, row.name, None if row.is_shared else row.node)
    return Storage(row, shown, tuple(sorted(twin.node for twin in seen)), provisioned)


def _twins(rows: Collection[ClusterStorage]) -> dict[tuple[int, str], list[ClusterStorage]]:
    """Shared storages as each node sees them."""
    shared = [row for row in rows if row.is_shared]
    found = defaultdict(list)
    for twin in ClusterStorage.objects.filter(
        cluster__in={row.cluster_id for row in shared}, name__in={row.name for row in shared}, is_shared=True
    ):
        found[twin.cluster_id, twin.name].append(twin)
    return found


class _Disks:
    """What the disks of machines take up of each storage; templates are not read closely and do not count."""

    def __init__(self, clusters: Collection[int]) -> None:
        self.sizes: dict[tuple[int, str, str], int] = defaultdict(int)
        self.unread: set[tuple[int, str]] = set()
        machines = Guest.objects.machines().filter(cluster__in=clusters)
        for cluster, node, disks in machines.values_list("cluster_id", "node", "details__disks").iterator():
            if disks is None:
                self.unread.add((cluster, node))
            for disk in disks or ():
                self.sizes[cluster, node, disk["storage"]] += disk["bytes"]

    def on(self, cluster: int, storage: str, node: str | None) -> int | None:
        """Bytes on a storage of one node, or of all; None when not all machines there were read."""
        if any(at == cluster and node in {None, where} for at, where in self.unread):
            return None
        return sum(
            size for (at, where, name), size in self.sizes.items()
            if (at, name) == (cluster, storage) and node in {None, where}
        )  # fmt: skip
