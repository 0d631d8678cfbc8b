"""One look at a cluster for its pages: two calls, and the logs of a few tasks."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from alma.jobs.kinds import StepFailed, Unknown
from vms.proxmox import tasks
from vms.proxmox.answers import Refusal, clean, rows, text, whole
from vms.proxmox.client import Api
from vms.proxmox.cluster import guest_rows, node_rows, read_resources, storage_rows
from vms.proxmox.readings import Sighting, TaskRow

MOST_TASKS = 100
MOST_LOGS = 4
"""Logs that one look reads: each is a call, and a look happens every few seconds."""
MOST_TEXT = 20_000


def look(api: Api, known: Collection[str] = ()) -> Sighting:
    """Nodes, storages, guests and recent tasks. `known` are tasks whose whole log is kept. Raises Unknown, Refusal."""
    resources = read_resources(api)
    return Sighting(
        guests=tuple(guest_rows(resources)), nodes=tuple(node_rows(resources)), storages=tuple(storage_rows(resources)),
        tasks=_tasks(api, known),
    )  # fmt: skip


def _tasks(api: Api, known: Collection[str]) -> tuple[TaskRow, ...] | None:
    """The newest tasks, or None: the rest of the look is worth having without them."""
    try:
        listed = rows(api.get("cluster", "tasks"), "tasks")
        found = sorted(map(_task, listed), key=lambda task: task.started_at, reverse=True)[:MOST_TASKS]
    except (Unknown, Refusal, StepFailed):
        return None
    wanted = [task.upid for task in found if task.upid not in known][:MOST_LOGS]
    return tuple(replace(task, log=_log(api, task.upid)) if task.upid in wanted else task for task in found)


def _task(row: dict[str, Any]) -> TaskRow:
    ended = whole(row, "endtime")
    status = clean(text(row, "status"))
    return TaskRow(
        upid=text(row, "upid")[:500], node=clean(text(row, "node"), 64), kind=clean(text(row, "type"), 64),
        subject=clean(text(row, "id"), 128), user=clean(text(row, "user"), 256), started_at=_moment(whole(row, "starttime")),
        ended_at=_moment(ended) if ended else None, status=status if ended else "",
    )  # fmt: skip


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(min(seconds, 32_503_680_000), UTC)


def _log(api: Api, upid: str) -> str | None:
    try:
        lines = tasks.log(api, upid, 0, limit=500)
    except (Unknown, Refusal, StepFailed):
        return None
    return "\n".join(line for _, line in lines)[-MOST_TEXT:]
