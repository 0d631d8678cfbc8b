"""The whole simulated cluster behind one call: a request in, an answer out, no socket and no file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from vms.sandbox.core import ha, resetting, tasks
from vms.sandbox.core.api import ALL_ROUTES
from vms.sandbox.core.authentication import Unauthorized, authenticate
from vms.sandbox.core.clock import Clock
from vms.sandbox.core.errors import ApiError, TaskError, die, refused
from vms.sandbox.core.faults import AnswerFault, Faults
from vms.sandbox.core.identity import NOBODY, Identity
from vms.sandbox.core.model import Json, RequestCount
from vms.sandbox.core.routing import Call, Route, Router, Upload
from vms.sandbox.core.state import State
from vms.sandbox.core.validation import check_all
from vms.sandbox.core.world import Options, World

_PROXY_FAILURES = 595
_VMID = re.compile("[1-9][0-9]{2,8}")
_DUPLICATE = "duplicate parameter (already defined in URI) with conflicting values!"


@dataclass(slots=True)
class Request:
    """`path` is below the formatter (`/nodes/pve1/qemu`), still percent-encoded."""

    method: str
    path: str
    params: Mapping[str, Json] = field(default_factory=dict)
    identity: Identity = NOBODY
    received_at: float = 0.0
    fault: AnswerFault | None = None
    upload: Upload | None = None


@dataclass(slots=True)
class Response:
    status: int = 200
    message: str = ""
    data: Json = None
    errors: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Json] = field(default_factory=dict)
    text: str | None = None
    has_body: bool = True
    is_line: bool = True
    is_lost: bool = False


class Core:
    def __init__(self, state: State, clock: Clock, options: Options | None = None) -> None:
        self.state = state
        self.world = World(state, clock, options or Options())
        self._router = Router(ALL_ROUTES)
        self._take_up_running_tasks()

    @property
    def faults(self) -> Faults:
        return self.world.faults

    def _take_up_running_tasks(self) -> None:
        running = [task for task in self.state.tasks if task.is_running]
        self.world.running.update((task.upid, task) for task in running)
        if self._was_reset():
            for task in running:
                tasks.lose(self.world, task)
        self.state.set("stopped", "")
        self.state.set("host", self.world.options.host)

    def _was_reset(self) -> bool:
        """Whether the process before this one was killed by itself, which is the reset of the node that it was.

        One that was stopped had its simulation suspended. One that ended together with the supervisor that ran it
        had the machine switched off under it. In both cases the virtual nodes have noticed nothing."""
        host, last = self.world.options.host, str(self.state.setting("host", ""))
        is_another_host = bool(host and last and host != last)
        return self.world.options.is_reset_realistic and not self.state.setting("stopped") and not is_another_host

    def suspend(self) -> None:
        """The process stops on purpose: what runs goes on at the next start."""
        self.state.set("stopped", "cleanly")

    def tick(self) -> None:
        """End the tasks whose time has come, and the day."""
        ha.work(self.world)
        tasks.finish_due(self.world)
        if resetting.is_due(self.world):
            resetting.reset(self.world)

    def next_due(self) -> float | None:
        moments = (tasks.next_due(self.world), ha.next_due(self.world))
        return min((moment for moment in moments if moment is not None), default=None)

    def latency_of(self, path: str) -> float:
        """Seconds for which a request waits before it is heard; our own methods are never slow, so that they can heal."""
        return 0.0 if path.startswith("/sandbox/") else self.faults.latency

    def authenticate(self, method: str, path: str, headers: Mapping[str, str]) -> Identity:
        return authenticate(self.world, method, path, headers)

    def handle(self, request: Request) -> Response:
        """Answer a request; raises NeedsTime when a lock is held, to be called again with the same request."""
        self.tick()
        is_first = not request.received_at
        request.received_at = request.received_at or self.world.now()
        try:
            route, values = self._router.find(request.method, request.path)
            if is_first:
                request.fault = self._take_note(request, route, values)
            if request.fault is not None and request.fault.kind != "after":
                return _faulty(request.fault)
            response = self._run(request, route, values)
        except ApiError as error:
            return _refusal(error)
        except TaskError as error:
            return _refusal(die(str(error)))
        response.is_lost = request.fault is not None
        return response

    def _take_note(self, request: Request, route: Route, values: dict[str, str]) -> AnswerFault | None:
        if "sandbox" in route.segments[:1]:
            return None
        self._count(request.method, route.pattern, values.get("vmid") or str(request.params.get("vmid", "")))
        return self.faults.answer_fault(request.method, request.path)

    def _count(self, method: str, pattern: str, vmid: str) -> None:
        number = int(vmid) if _VMID.fullmatch(vmid) else 0
        row = self.state.requests.get(f"{method} {pattern} {number}") or RequestCount(method, pattern, number)
        row.count += 1
        if method == "GET":
            self.state.requests.keep(row)
        else:
            self.state.requests.put(row)

    def _run(self, request: Request, route: Route, values: dict[str, str]) -> Response:
        if route.is_ticket_only and request.identity.tokenid:
            raise refused(f"URI '{request.path}' not available with API token, need proper ticket.\n")
        given = _with_placeholders(request.params, values)
        route.access.check(self.world, request.identity, given)
        if "node" in values:
            given["node"] = self._node(values["node"], route)
        call = Call(self.world, request.identity, check_all(route.table, given), request.received_at)
        call.upload = request.upload
        if self.faults.is_without_quorum and route.is_a_change:
            raise die("cluster not ready - no quorum?")
        data = route.handler(call)
        return Response(data=data, extra=call.extra, text=call.text)

    def _node(self, name: str, route: Route) -> str:
        """`localhost` is the node that answers; another one must be up if the method is its own to answer."""
        if name == "localhost":
            return self.world.entry_node
        if route.is_of_node:
            self.world.require_online(self.world.node(name).name)
        return name


def _with_placeholders(params: Mapping[str, Json], values: dict[str, str]) -> dict[str, Json]:
    for name in sorted(values.keys() & params.keys()):
        if str(params[name]) != values[name]:
            raise ApiError(400, "Parameter verification failed.", errors={name: _DUPLICATE})
    return {**params, **values}


def _refusal(error: ApiError) -> Response:
    has_body = not isinstance(error, Unauthorized) and error.status < _PROXY_FAILURES
    return Response(error.status, error.message, errors=error.errors, has_body=has_body, is_line=error.is_line)


def _faulty(fault: AnswerFault) -> Response:
    if fault.kind == "before":
        return Response(is_lost=True)
    return Response(fault.status, fault.text, has_body=fault.status != 401)
