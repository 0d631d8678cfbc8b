"""Keeps the rows of nodes, storages and tasks like the last look at their cluster showed them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from vms.models import Cluster, ClusterNode, ClusterStorage, ClusterTask, PlaceClaim
from vms.proxmox.readings import NodeReading, Sighting, StorageReading, TaskRow
from vms.upserts import write_over

KEPT_TASKS = 200
_NODE = ("is_online", "cores", "cpu_load", "memory_bytes", "memory_used", "uptime")
_STORAGE = ("plugin", "content", "is_shared", "is_active", "total_bytes", "used_bytes", "claim")
_TASK = ("ended_at", "status", "log", "is_log_whole")
Told = list[tuple[str, dict[str, Any]]]


def whole_logs(cluster: Cluster) -> frozenset[str]:
    """The tasks of a cluster whose log need not be read again."""
    return frozenset(ClusterTask.objects.filter(cluster=cluster, is_log_whole=True).values_list("upid", flat=True))


def store(cluster: Cluster, seen: Sighting, now: datetime) -> Told:
    """Write what a look showed, inside the caller's transaction; returns what to tell of it."""
    told = _store_nodes(cluster, seen.nodes, now)
    _store_storages(cluster, seen.storages)
    return told + (_store_tasks(cluster, seen.tasks) if seen.tasks is not None else [])


def _store_nodes(cluster: Cluster, nodes: Iterable[NodeReading], now: datetime) -> Told:
    """A node that is offline keeps the figures of its last sign of life."""
    known = {row.name: row for row in ClusterNode.objects.filter(cluster=cluster)}
    told: Told = []
    rows = []
    for node in nodes:
        was = known.pop(node.name, None)
        row = was or ClusterNode(cluster=cluster, name=node.name, seen_at=now)
        if was is not None and was.is_online != node.is_online:
            told.append(("cluster.node_changed", {"node": node.name, "is_online": node.is_online}))
        row.is_online = node.is_online
        if node.is_online:
            _take(row, node, _NODE)
            row.seen_at = now
        rows.append(row)
    write_over(rows, ["cluster", "name"], [*_NODE, "seen_at"])
    ClusterNode.objects.filter(cluster=cluster, name__in=list(known)).delete()
    return told


def _store_storages(cluster: Cluster, storages: Iterable[StorageReading]) -> None:
    """A storage that a job is about to make has its row already."""
    known = {(row.node, row.name): row for row in ClusterStorage.objects.filter(cluster=cluster)}
    claims = dict(PlaceClaim.objects.active().filter(cluster=cluster, kind="storage").values_list("handle", "pk"))
    reserved = PlaceClaim.objects.filter(cluster=cluster, state=PlaceClaim.State.RESERVED)
    making = set(reserved.values_list("pk", flat=True))
    rows = []
    for storage in storages:
        row = known.pop((storage.node, storage.name), None)
        row = row or ClusterStorage(cluster=cluster, node=storage.node, name=storage.name)
        row.claim_id = claims.get(storage.name)
        row.plugin, row.content = storage.plugin[:32], ", ".join(sorted(storage.content))[:200]
        row.is_shared, row.is_active = storage.is_shared, storage.is_active
        if storage.is_active:
            row.total_bytes, row.used_bytes = storage.total_bytes, storage.total_bytes - storage.free_bytes
        rows.append(row)
    write_over(rows, ["cluster", "node", "name"], _STORAGE)
    for row in known.values():
        if row.claim_id not in making:
            row.delete()


def _store_tasks(cluster: Cluster, tasks: Iterable[TaskRow]) -> Told:
    """New tasks and those that have ended or said more; the oldest are forgotten."""
    known = {row.upid: row for row in ClusterTask.objects.filter(cluster=cluster)}
    rows, ended, failed = [], 0, 0
    for task in tasks:
        row = known.get(task.upid) or ClusterTask(
            cluster=cluster, upid=task.upid, node=task.node, kind=task.kind, subject=task.subject, user=task.user,
            started_at=task.started_at,
        )  # fmt: skip
        before = (row.pk is None, row.ended_at, row.log, row.is_log_whole)
        if row.ended_at is None and task.ended_at is not None:
            ended += 1
        row.ended_at, row.status = task.ended_at, task.status
        if task.log is not None:
            row.log, row.is_log_whole = task.log, task.ended_at is not None
        if before != (False, row.ended_at, row.log, row.is_log_whole):
            failed += before[1] is None and row.state == "failed"
            rows.append(row)
    write_over(rows, ["cluster", "upid"], _TASK)
    _forget(cluster)
    return [("cluster.tasks", {"ended": ended, "failed": failed})] if rows else []


def _forget(cluster: Cluster) -> None:
    kept = ClusterTask.objects.filter(cluster=cluster).order_by("-started_at", "-pk")[:KEPT_TASKS]
    if ClusterTask.objects.filter(cluster=cluster).count() > KEPT_TASKS:
        ClusterTask.objects.filter(cluster=cluster).exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()


def _take(row: Any, seen: Any, names: Iterable[str]) -> None:
    for name in names:
        setattr(row, name, getattr(seen, name))
