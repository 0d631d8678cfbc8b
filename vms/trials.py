"""What goes wrong on a sandbox by an operator's wish, how fast its time runs, and its beginning anew."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from alma.accounts.actors import Actor
from alma.errors import Invalid, NotFound
from alma.events.services import emit
from vms.models import Cluster
from vms.proxmox.answers import Refusal, mapping, rows, text, whole
from vms.proxmox.client import Api, connect
from vms.services import clear_answers

SPEEDS = (1, 10, 100, 1000)
_TITLES = {
    "offline_node": "{target} is offline",
    "full_storage": "{target} is full",
    "no_quorum": "The cluster has no quorum",
    "latency": "Every answer takes {seconds:g} s longer",
    "lag": "The list of the cluster is {seconds:g} s old",
    "slow_tasks": "{which} tasks take {factor:g} times as long",
    "fail_task": "The next {which} fails",
    "lose_request": "A request is lost before its effect",
    "lose_answer": "An answer is lost after the effect",
    "unauthorized": "A session is refused with 401",
    "answer": "An answer is {status} instead of the effect",
}
_DETAILS = {
    "offline_node": "Calls to it answer 595, and its guests are unknown.",
    "full_storage": "Disks that are made or grow there fail in the words of the storage.",
    "no_quorum": "Every change is refused: cluster not ready - no quorum?",
    "latency": "For all callers alike.",
    "lag": "Guests appear without a name at first, and states late.",
    "slow_tasks": "Those that begin from now on.",
}


@dataclass(frozen=True, kw_only=True)
class ActiveFault:
    """One thing that is wrong now; `left` is how many times it will still be met, 0 when it stays until it is healed."""

    id: str
    kind: str
    title: str
    detail: str
    left: int = 0


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A sandbox as its operators see it."""

    faults: tuple[ActiveFault, ...]
    speed: float
    began_at: datetime | None
    next_reset: datetime | None


def look(cluster: Cluster, *, by: Actor) -> Trial:
    """What is wrong now, and the time. Raises Refused, NotFound, Unavailable."""
    with clear_answers(cluster):
        api = _api(cluster, by)
        clock = mapping(api.get("sandbox", "clock"), "clock")
        faults = rows(api.get("sandbox", "faults"), "faults")
    return Trial(
        faults=tuple(_fault(row) for row in faults), speed=float(clock["speed"]), began_at=_moment(clock["reset_at"]),
        next_reset=_moment(clock["next_reset"]),
    )  # fmt: skip


def _moment(seconds: Any) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(float(seconds), UTC)


def _fault(row: dict[str, Any]) -> ActiveFault:
    kind = text(row, "kind")
    named = row.get("type", "*")
    which = "All" if kind == "slow_tasks" and named == "*" else "task" if named == "*" else named
    return ActiveFault(
        id=text(row, "id"), kind=kind, title=_TITLES[kind].format(**row, which=which),
        detail=_DETAILS.get(kind) or _met_by(row), left=whole(row, "count"),
    )  # fmt: skip


def _met_by(row: dict[str, Any]) -> str:
    """Which tasks or requests meet a fault."""
    if row["kind"] == "fail_task":
        guest = f" of guest {row['vmid']}" if row["vmid"] else ""
        return f"Any such task{guest} ends with: {row['text']}"
    method = "any method" if row["method"] == "*" else row["method"]
    return f"Met by {method} on {'any path' if row['path'] == '*' else row['path']}"


def add(cluster: Cluster, values: dict[str, Any], *, by: Actor) -> None:
    """Make something go wrong; `values` are the parameters of the sandbox's own API. Raises Refused, Invalid, Unavailable."""
    _do(cluster, by, lambda api: api.post("sandbox", "faults", **values))
    _tell(cluster, "sandbox.fault_added", by, fault=values)


def heal(cluster: Cluster, fault: str = "", *, by: Actor) -> None:
    """End one fault, or all. Raises Refused, Invalid, Unavailable."""
    _do(cluster, by, lambda api: api.delete("sandbox", "faults", fault=fault or None))
    _tell(cluster, "sandbox.healed", by, fault=fault)


def set_speed(cluster: Cluster, speed: float, *, by: Actor) -> None:
    """Let everything happen so many times faster than on a real node. Raises Refused, Invalid, Unavailable."""
    _do(cluster, by, lambda api: api.put("sandbox", "clock", speed=speed))
    _tell(cluster, "sandbox.speed_set", by, speed=speed)


def reset(cluster: Cluster, *, by: Actor) -> None:
    """Begin anew: what was made on the sandbox is gone. Raises Refused, Unavailable."""
    _do(cluster, by, lambda api: api.post("sandbox", "reset"))
    _tell(cluster, "sandbox.reset", by)


def _api(cluster: Cluster, by: Actor) -> Api:
    by.require("vm:write")
    if not cluster.is_sandbox:
        raise NotFound("Only on a sandbox can things be made to go wrong.")
    return connect(cluster)


def _do(cluster: Cluster, by: Actor, call: Any) -> None:
    with clear_answers(cluster):
        api = _api(cluster, by)
        try:
            call(api)
        except Refusal as error:
            raise Invalid(f"The sandbox refused: {error.text}") from error


def _tell(cluster: Cluster, kind: str, by: Actor, **data: Any) -> None:
    emit(cluster.stream, kind, organization_id=cluster.organization_id, actor=by.label, cluster=cluster.slug, **data)
