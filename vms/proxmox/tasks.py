"""Tasks of Proxmox: an answer with a task id is a promise, the task's end is the result."""

import re
from dataclasses import dataclass
from enum import StrEnum

from alma.jobs.kinds import Unknown
from vms.proxmox.answers import Refusal, clean, mapping, rows, text, whole
from vms.proxmox.client import Api
from vms.proxmox.paths import UPID, task_node

_WARNINGS = re.compile(r"WARNINGS: \d+")
LOG_PAGE = 50


class Outcome(StrEnum):
    """How a task stands."""

    RUNNING = "running"
    OK = "ok"
    WARNED = "warned"
    FAILED = "failed"
    GONE = "gone"


@dataclass(frozen=True)
class TaskReading:
    """A task as it stands; `text` is how Proxmox puts its end."""

    outcome: Outcome
    text: str = ""


def started(answer: object) -> str:
    """The task id in the answer of a call that begins one. Raises Unknown: then it may have begun or not."""
    if not isinstance(answer, str) or not UPID.fullmatch(answer):
        raise Unknown(f"A task id was expected, not {clean(answer, 80)!r}.")
    return answer


def read(api: Api, upid: str) -> TaskReading:
    """How a task stands. GONE: the node no longer knows it, or not yet. Raises Unknown, Refusal."""
    try:
        status = mapping(api.get("nodes", task_node(upid), "tasks", upid, "status"), "task")
    except Refusal as error:
        if error.status == 400:
            return TaskReading(Outcome.GONE, error.text)
        raise
    state = text(status, "status")
    if state == "running":
        return TaskReading(Outcome.RUNNING)
    if state != "stopped" or not isinstance(status.get("exitstatus"), str):
        raise Unknown(f"A task that is neither running nor ended: {clean(state, 40)!r}.")
    return _ended(clean(status["exitstatus"]))


def _ended(words: str) -> TaskReading:
    if words == "OK":
        return TaskReading(Outcome.OK, words)
    if _WARNINGS.fullmatch(words):
        return TaskReading(Outcome.WARNED, words)
    return TaskReading(Outcome.FAILED, words)


def newest(api: Api, node: str, vmid: int, kind: str) -> str:
    """The id of the newest task of a kind about a guest, running or ended; empty when there is none. Raises Unknown, Refusal."""
    found = rows(api.get("nodes", node, "tasks", vmid=vmid, typefilter=kind, source="all", limit=1), "tasks")
    return text(found[0], "upid") if found else ""


def log(api: Api, upid: str, start: int, limit: int = LOG_PAGE) -> list[tuple[int, str]]:
    """Lines of a task's log after the first `start`, numbered. Raises Unknown, Refusal, StepFailed for no task id."""
    found = rows(api.get("nodes", task_node(upid), "tasks", upid, "log", start=start, limit=limit), "task log")
    lines = [(whole(row, "n"), clean(text(row, "t"), 300)) for row in found]
    return [(n, line) for n, line in lines if n > start and line and line != "no content"]
