"""Finding out where a new machine goes and what it is copied from, for a job that was begun without asking the cluster."""

from collections.abc import Collection
from typing import Any

from alma.jobs.kinds import StepFailed
from vms.models import Cluster
from vms.proxmox import cluster as cluster_reader
from vms.proxmox.readings import ClusterReading, NodeReading, StorageReading
from vms.proxmox.values import GIB
from vms.steps.base import GuestStep
from vms.steps.origins import Origin, fitting, origin_of
from vms.steps.work import Work

__all__ = ["PlaceGuest", "fitting", "hand_on", "is_chosen"]


class PlaceGuest(GuestStep):
    """Read the cluster and decide; what is decided becomes part of the parameters of the guest's later steps.

    Parameters beside the common ones: `template` (a name, a VMID, or a system like `ubuntu-24.04`) or `image` (the volume
    of one), `cores`, `memory_bytes`, `disk_bytes`, `vlan`, `firewall`, `encrypted`.
    """

    def turn(self, work: Work) -> None:
        """Decide, and hand it on, in one transaction. Raises StepFailed when there is no place, Unknown, Refusal."""
        reading = cluster_reader.read(work.api, work.context.renew)
        origin = origin_of(work, reading)
        disk_bytes = max(work.params["disk_bytes"], origin.disk_bytes)
        node, storage = _place(work, reading, origin, disk_bytes)
        bridge = _bridge(work.cluster, reading, node.name)
        card = {"slot": "net0", "bridge": bridge, "vlan": work.params["vlan"], "firewall": work.params["firewall"]}
        placed = {
            "node": node.name, "storage": storage.name, "bridge": bridge, "template_vmid": origin.vmid,
            "template_node": origin.home, "disk_bytes": disk_bytes, "cards": [card],
        }  # fmt: skip
        hand_on(work, placed, f"{origin.told} {storage.name} on {node.name}.")


def hand_on(work: Work, placed: dict[str, Any], words: str) -> None:
    """End with what was decided, as part of the parameters of the guest's other steps, in one transaction."""
    with work.context.fenced() as job:
        for step in job.steps.filter(key=work.context.step.key).exclude(pk=work.context.step.pk):
            step.params = step.params | {name: value for name, value in placed.items() if name in step.params}
            step.save(update_fields=["params"])
        work.context.log(words)
        work.context.succeed(placed=placed)


def _place(work: Work, reading: ClusterReading, origin: Origin, disk_bytes: int) -> tuple[NodeReading, StorageReading]:
    """The node with most memory free, of those that reach what is copied and have room. Raises StepFailed."""
    chosen, why = [], []
    for node in reading.online_nodes():
        storage = _storage(work, reading, node.name, must_be_shared=origin.home not in {"", node.name})
        refusal = _refusal(work, node, storage, origin, disk_bytes)
        if refusal:
            why.append(f"{node.name} {refusal}")
        elif storage is not None:
            chosen.append((node, storage))
    if not chosen:
        raise StepFailed("NO_PLACE", f"It fits nowhere: {'; '.join(why) or 'no node is online'}.")
    return max(chosen, key=lambda pair: (pair[0].memory_bytes - pair[0].memory_used, pair[0].name))


def _refusal(
    work: Work, node: NodeReading, storage: StorageReading | None, origin: Origin, disk_bytes: int
) -> str:  # fmt: skip
    """Why it cannot go to a node, or nothing when it can."""
    if not is_chosen(node.name, work.cluster.chosen_nodes):
        return "is not among the nodes that ALMA may use"
    if node.name not in origin.nodes:
        return f"does not hold {origin.name}"
    if storage is None:
        return f"has no storage that {'encrypts' if work.params.get('encrypted') else 'can be used'}"
    if storage.free_bytes < disk_bytes:
        return f"has {storage.free_bytes // GIB} GiB free on {storage.name}, needs {disk_bytes // GIB}"
    if node.cores < work.params["cores"]:
        return f"has {node.cores} cores"
    free = node.memory_bytes - node.memory_used
    return f"has {free // GIB} GiB of memory free" if free < work.params["memory_bytes"] else ""


def _storage(work: Work, reading: ClusterReading, node: str, *, must_be_shared: bool) -> StorageReading | None:
    cluster, is_encrypted = work.cluster, work.params.get("encrypted")
    usable = [
        one for one in reading.storages_for(node)
        if (one.is_shared or not must_be_shared) and is_chosen(one.name, cluster.chosen_storages)
        and (cluster.encrypts(one.name) or not is_encrypted)
    ]  # fmt: skip
    preferred = [one for one in usable if one.name == cluster.default_storage]
    return next(iter([*preferred, *usable]), None)


def _bridge(cluster: Cluster, reading: ClusterReading, node: str) -> str:
    known = reading.bridges_on(node)
    if cluster.default_bridge:
        return cluster.default_bridge
    if not known:
        raise StepFailed("NO_BRIDGE", f"{node} has no bridge for a network card.")
    return known[0]


def is_chosen(name: str, chosen: Collection[Any]) -> bool:
    """Whether a node or storage may be used, where some were chosen."""
    return not chosen or name in chosen
