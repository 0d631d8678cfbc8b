"""Room on clusters as they were last read: what is free on each node, and how many machines of a size fit."""

from collections.abc import Iterable
from dataclasses import dataclass

from vms.models import Cluster, ClusterNode, ClusterStorage, Guest


@dataclass(frozen=True)
class NodeRoom:
    """A node that is online. Memory and cores are those promised to guests, running or not, not those in use."""

    cluster: int
    node: str
    cores: int
    cores_promised: int
    memory_bytes: int
    memory_promised: int
    local_free: int
    """Bytes of its fullest choice: the local storage for guests with most room."""

    def fits(self, cores: int, memory: int, *, overcommit: float, reserve: float) -> int:
        """Machines by cores and memory."""
        by_cores = (self.cores * overcommit - self.cores_promised) / cores
        by_memory = (self.memory_bytes * (1 - reserve) - self.memory_promised) / memory
        return max(0, int(min(by_cores, by_memory)))


@dataclass(frozen=True)
class ClusterRoom:
    """A cluster: its nodes, and the shared storage for guests with most room."""

    cluster: Cluster
    nodes: tuple[NodeRoom, ...]
    shared_free: int

    def fits_without(self, spare: int, cores: int, memory: int, *, overcommit: float, reserve: float) -> int:
        """Machines that fit, with those that are there, on all but the largest nodes. Nodes are added up: that a machine may fit
        on none of two half-empty nodes is not seen."""
        left = sorted(self.nodes, key=lambda node: (-node.memory_bytes, node.node))[spare:]
        by_cores = sum(node.cores for node in left) * overcommit - sum(node.cores_promised for node in self.nodes)
        by_memory = sum(node.memory_bytes for node in left) * (1 - reserve)
        by_memory -= sum(node.memory_promised for node in self.nodes)
        return max(0, int(min(by_cores / cores, by_memory / memory)))


def rooms(clusters: Iterable[Cluster], content: str = "images") -> list[ClusterRoom]:
    """The room of each cluster, by its last reading: three queries, no cluster is asked."""
    wanted = list(clusters)
    nodes = list(ClusterNode.objects.filter(cluster__in=wanted, is_online=True).order_by("name"))
    storages = [
        row
        for row in ClusterStorage.objects.filter(cluster__in=wanted, is_active=True)
        if content in row.content.split(", ")
    ]
    guests = list(
        Guest.objects.machines().filter(cluster__in=wanted).only("cluster_id", "node", "cores", "memory_bytes")
    )
    return [
        ClusterRoom(
            cluster, tuple(_room(node, guests, storages) for node in nodes if node.cluster_id == cluster.pk),
            _most_free(row for row in storages if row.cluster_id == cluster.pk and row.is_shared),
        )
        for cluster in wanted
    ]  # fmt: skip


def _room(node: ClusterNode, guests: list[Guest], storages: list[ClusterStorage]) -> NodeRoom:
    here = [guest for guest in guests if (guest.cluster_id, guest.node) == (node.cluster_id, node.name)]
    local = (s for s in storages if (s.cluster_id, s.node) == (node.cluster_id, node.name) and not s.is_shared)
    return NodeRoom(
        node.cluster_id, node.name, node.cores, sum(guest.cores for guest in here), node.memory_bytes,
        sum(guest.memory_bytes for guest in here), _most_free(local),
    )  # fmt: skip


def _most_free(rows: Iterable[ClusterStorage]) -> int:
    return max((row.total_bytes - row.used_bytes for row in rows), default=0)
