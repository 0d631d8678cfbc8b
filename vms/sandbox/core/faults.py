"""What goes wrong on demand. Faults live in memory: a restart of the sandbox heals everything."""

import fnmatch
from dataclasses import dataclass, field
from typing import Any

LOST_SESSION = "permission denied - invalid PVE ticket"


@dataclass(slots=True)
class TaskFault:
    """The next `count` tasks of a type (`*` is any) end with this text instead of their effect."""

    type: str
    text: str
    count: int = 1
    vmid: int = 0
    number: int = 0


@dataclass(slots=True)
class AnswerFault:
    """For the next `count` matching requests: `before` loses the request, `after` the answer, `status` answers."""

    kind: str
    method: str = "*"
    pattern: str = "*"
    count: int = 1
    status: int = 500
    text: str = "internal error"
    number: int = 0


@dataclass(slots=True)
class Faults:
    """`lag` is how many seconds of a real node cluster/resources is behind; None leaves it to the options."""

    tasks: list[TaskFault] = field(default_factory=list)
    answers: list[AnswerFault] = field(default_factory=list)
    offline: set[str] = field(default_factory=set)
    full: set[str] = field(default_factory=set)
    slow_types: dict[str, float] = field(default_factory=dict)
    latency: float = 0.0
    slowness: float = 1.0
    lag: float | None = None
    is_without_quorum: bool = False
    _given: int = 0

    # -- making things go wrong --------------------------------------------------------------------
    def fail_next(self, type: str, text: str, *, count: int = 1, vmid: int = 0) -> None:
        self.tasks.append(TaskFault(type, text, count, vmid, self._number()))

    def lose_request(self, method: str = "*", pattern: str = "*", *, count: int = 1) -> None:
        """The connection drops before the call has any effect."""
        self.answers.append(AnswerFault("before", method, pattern, count, number=self._number()))

    def lose_answer(self, method: str = "*", pattern: str = "*", *, count: int = 1) -> None:
        """The call takes effect, and the connection drops instead of the answer."""
        self.answers.append(AnswerFault("after", method, pattern, count, number=self._number()))

    def answer_next(self, status: int, text: str, method: str = "*", pattern: str = "*", *, count: int = 1) -> None:
        self.answers.append(AnswerFault("status", method, pattern, count, status, text, self._number()))

    def lose_session(self, method: str = "*", pattern: str = "*", *, count: int = 1) -> None:
        """401 in the middle of a session that was good a moment ago."""
        self.answer_next(401, LOST_SESSION, method, pattern, count=count)

    def slow_down(self, factor: float, type: str = "*") -> None:
        """Tasks of a type that begin from now on take `factor` times as long."""
        if type == "*":
            self.slowness = factor
        else:
            self.slow_types[type] = factor

    def take_offline(self, node: str) -> None:
        self.offline.add(node)

    def bring_online(self, node: str) -> None:
        self.offline.discard(node)

    def fill(self, storage: str) -> None:
        """No room is left on a storage, on any node."""
        self.full.add(storage)

    def _number(self) -> int:
        self._given += 1
        return self._given

    # -- healing -----------------------------------------------------------------------------------
    def clear(self) -> None:
        for held in (self.tasks, self.answers, self.offline, self.full, self.slow_types):
            held.clear()
        self.latency, self.slowness, self.lag, self.is_without_quorum = 0.0, 1.0, None, False

    def heal(self, id: str) -> bool:
        """End one fault by the id that `active` tells; whether there was one."""
        kind, _, name = id.partition(":")
        if not any(row["id"] == id for row in self.active()):
            return False
        healed = {
            "offline": lambda: self.offline.discard(name),
            "full": lambda: self.full.discard(name),
            "slow": lambda: self._speed_up(name),
            "task": lambda: _drop(self.tasks, name),
            "answer": lambda: _drop(self.answers, name),
            "latency": lambda: setattr(self, "latency", 0.0),
            "lag": lambda: setattr(self, "lag", None),
            "quorum": lambda: setattr(self, "is_without_quorum", False),
        }
        healed[kind]()
        return True

    def _speed_up(self, type: str) -> None:
        if type == "*":
            self.slowness = 1.0
        self.slow_types.pop(type, None)

    def active(self) -> list[dict[str, Any]]:
        """Everything that is wrong now: `id` heals it, `kind` is what it was asked for as, the rest is its details."""
        return [*self._conditions(), *self._slow(), *map(_task_row, self.tasks), *map(_answer_row, self.answers)]

    def _conditions(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = [
            {"id": f"offline:{name}", "kind": "offline_node", "target": name} for name in sorted(self.offline)
        ]
        rows += [{"id": f"full:{name}", "kind": "full_storage", "target": name} for name in sorted(self.full)]
        if self.is_without_quorum:
            rows.append({"id": "quorum", "kind": "no_quorum"})
        if self.latency:
            rows.append({"id": "latency", "kind": "latency", "seconds": self.latency})
        if self.lag is not None:
            rows.append({"id": "lag", "kind": "lag", "seconds": self.lag})
        return rows

    def _slow(self) -> list[dict[str, Any]]:
        slow = {"*": self.slowness} if self.slowness != 1.0 else {}
        return [
            {"id": f"slow:{type}", "kind": "slow_tasks", "type": type, "factor": factor}
            for type, factor in {**slow, **self.slow_types}.items()
        ]

    # -- being met ---------------------------------------------------------------------------------
    def factor(self, type: str) -> float:
        """How many times as long a task of this type takes."""
        return self.slow_types.get(type, self.slowness)

    def task_failure(self, type: str, vmid: str) -> str:
        """The text with which this task fails, empty when it may succeed; uses the fault up."""
        for fault in self.tasks:
            if fault.type in {"*", type} and (not fault.vmid or str(fault.vmid) == vmid):
                _use_up(self.tasks, fault)
                return fault.text
        return ""

    def answer_fault(self, method: str, path: str) -> AnswerFault | None:
        for fault in self.answers:
            if fault.method in {"*", method} and fnmatch.fnmatchcase(path, fault.pattern):
                _use_up(self.answers, fault)
                return fault
        return None


def _task_row(fault: TaskFault) -> dict[str, Any]:
    row = {"type": fault.type, "text": fault.text, "count": fault.count, "vmid": fault.vmid}
    return {"id": f"task:{fault.number}", "kind": "fail_task", **row}


def _answer_row(fault: AnswerFault) -> dict[str, Any]:
    kind = {"before": "lose_request", "after": "lose_answer"}.get(fault.kind, "answer")
    row: dict[str, Any] = {"method": fault.method, "path": fault.pattern, "count": fault.count}
    if kind == "answer":
        row |= {"status": fault.status, "text": fault.text}
    return {"id": f"answer:{fault.number}", "kind": "unauthorized" if row.get("status") == 401 else kind, **row}


def _drop(faults: list[Any], number: str) -> None:
    faults[:] = [fault for fault in faults if str(fault.number) != number]


def _use_up(faults: list[Any], fault: TaskFault | AnswerFault) -> None:
    fault.count -= 1
    if fault.count <= 0:
        faults.remove(fault)
