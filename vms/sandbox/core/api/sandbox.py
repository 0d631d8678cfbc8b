"""/sandbox: our own extension of the API, to make things go wrong and to see what was asked."""

from collections.abc import Callable

from vms.sandbox.core import pace, resetting
from vms.sandbox.core.errors import invalid
from vms.sandbox.core.faults import Faults
from vms.sandbox.core.model import Json
from vms.sandbox.core.parameters import Param, boolean, integer, number, one_of, text
from vms.sandbox.core.routing import ROOT, Call, Routes

routes = Routes()
_KINDS = (
    "fail_task", "lose_request", "lose_answer", "answer", "unauthorized", "latency", "lag", "slow_tasks",
    "offline_node", "online_node", "full_storage", "no_quorum",
)  # fmt: skip
_FAULT = {
    "kind": one_of(*_KINDS).required(), "type": text(), "text": text(), "count": integer(1, 1_000_000),
    "vmid": Param("integer", minimum=100), "method": text(), "path": text(), "status": integer(400, 599),
    "seconds": number(0), "factor": number(0.001), "target": text(), "on": boolean(),
}  # fmt: skip


@routes.route("GET", "/sandbox/faults", {}, ROOT)
def faults(call: Call) -> Json:
    """What is wrong now, each with the id that heals it."""
    return call.world.faults.active()


@routes.route("POST", "/sandbox/faults", _FAULT, ROOT)
def add_fault(call: Call) -> Json:
    """Make something go wrong; answers what is wrong now."""
    _ADDING[call.string("kind")](call, call.world.faults)
    return call.world.faults.active()


def _fail_task(call: Call, held: Faults) -> None:
    words = call.string("text", "injected failure")
    held.fail_next(call.string("type", "*"), words, count=call.number("count", 1), vmid=call.number("vmid"))


def _which(call: Call) -> tuple[str, str]:
    return call.string("method", "*"), call.string("path", "*")


def _lose_request(call: Call, held: Faults) -> None:
    held.lose_request(*_which(call), count=call.number("count", 1))


def _lose_answer(call: Call, held: Faults) -> None:
    held.lose_answer(*_which(call), count=call.number("count", 1))


def _lose_session(call: Call, held: Faults) -> None:
    held.lose_session(*_which(call), count=call.number("count", 1))


def _answer(call: Call, held: Faults) -> None:
    status, words = call.number("status", 500), call.string("text", "internal error")
    held.answer_next(status, words, *_which(call), count=call.number("count", 1))


def _be_slow(call: Call, held: Faults) -> None:
    held.latency = float(call.string("seconds", "0"))


def _lag(call: Call, held: Faults) -> None:
    held.lag = float(call.string("seconds", "10"))


def _slow_tasks(call: Call, held: Faults) -> None:
    held.slow_down(float(call.string("factor", "1")), call.string("type", "*"))


def _lose_quorum(call: Call, held: Faults) -> None:
    held.is_without_quorum = call.flag("on", default=True)


def _node(call: Call) -> str:
    if call.string("target") not in call.world.state.nodes:
        raise invalid(target="no such node")
    return call.string("target")


def _fill(call: Call, held: Faults) -> None:
    if call.string("target") not in call.world.state.storages:
        raise invalid(target="no such storage")
    held.fill(call.string("target"))


_ADDING: dict[str, Callable[[Call, Faults], None]] = {
    "fail_task": _fail_task, "lose_request": _lose_request, "lose_answer": _lose_answer, "answer": _answer,
    "unauthorized": _lose_session, "latency": _be_slow, "lag": _lag, "slow_tasks": _slow_tasks,
    "offline_node": lambda call, held: held.take_offline(_node(call)),
    "online_node": lambda call, held: held.bring_online(_node(call)),
    "full_storage": _fill, "no_quorum": _lose_quorum,
}  # fmt: skip


def _heal(call: Call) -> Json:
    """End one fault, or all when none is named."""
    if "fault" not in call.params:
        call.world.faults.clear()
    elif not call.world.faults.heal(call.string("fault")):
        raise invalid(fault="no such fault")


routes.route("DELETE", "/sandbox/faults", {"fault": text()}, ROOT)(_heal)
routes.route("DELETE", "/sandbox/faults/{fault}", {"fault": text().required()}, ROOT)(_heal)


def _pace(call: Call) -> dict[str, Json]:
    world = call.world
    return {
        "time": world.now(), "speed": world.time_scale, "reset_at": world.state.setting("reset_at"),
        "next_reset": resetting.next_at(world),
    }  # fmt: skip


@routes.route("GET", "/sandbox/clock", {}, ROOT)
def clock(call: Call) -> Json:
    """How fast things happen, and when the cluster began anew and will."""
    return _pace(call)


_CLOCK = {"speed": Param("number", minimum=pace.SLOWEST, maximum=pace.FASTEST, is_required=True)}


@routes.route("PUT", "/sandbox/clock", _CLOCK, ROOT)
def set_clock(call: Call) -> Json:
    """Let everything happen so many times faster than on a real node, also what is under way."""
    pace.change(call.world, float(call.string("speed")))
    return _pace(call)


@routes.route("POST", "/sandbox/reset", {"seed": text()}, ROOT)
def reset(call: Call) -> Json:
    """Begin anew, as it happens daily at 00:00 UTC."""
    resetting.reset(call.world, call.string("seed"))
    return _pace(call)


@routes.route("GET", "/sandbox/requests", {"method": text(), "vmid": integer(), "path": text()}, ROOT)
def requests(call: Call) -> Json:
    """How often each method and path was asked for, per guest."""
    return [
        {"method": row.method, "path": row.pattern, "vmid": row.vmid or None, "count": row.count}
        for row in call.world.state.requests
        if call.string("method") in {"", row.method} and call.string("path") in {"", row.pattern}
        and ("vmid" not in call.params or row.vmid == call.vmid)
    ]  # fmt: skip


@routes.route("DELETE", "/sandbox/requests", {}, ROOT)
def forget_requests(call: Call) -> Json:
    for row in call.world.state.requests:
        call.world.state.requests.remove(row)
