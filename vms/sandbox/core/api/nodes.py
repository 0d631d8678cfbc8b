"""/nodes: lists, status, tasks."""

from vms.sandbox.core import formats, metrics, permissions, tasks
from vms.sandbox.core.api import rows
from vms.sandbox.core.api.tables import NODE
from vms.sandbox.core.errors import invalid
from vms.sandbox.core.model import Guest, Json, Task
from vms.sandbox.core.parameters import Param, boolean, integer, one_of, text
from vms.sandbox.core.routing import USER, Call, Routes, holder
from vms.sandbox.core.validation import split_list

routes = Routes()


def _guests_on(call: Call) -> list[Guest]:
    return [guest for guest in call.world.state.guests if guest.node == call.node]


@routes.route("GET", "/nodes", {}, USER)
def nodes(call: Call) -> Json:
    by_node = rows.guests_by_node(call.world)
    fingerprint = call.world.state.setting("fingerprint", "")
    return [
        rows.node_row(call.world, node, by_node[node.name]) | {"ssl_fingerprint": fingerprint}
        for node in call.world.state.nodes
    ]


@routes.route("GET", "/nodes/{node}", NODE, USER)
def index(call: Call) -> Json:
    return [{"name": name} for name in ("lxc", "network", "qemu", "status", "storage", "tasks", "version")]


@routes.route("GET", "/nodes/{node}/version", NODE, USER)
def version(call: Call) -> Json:
    return {"version": "9.2.4", "release": "9.2", "repoid": "5e5ae681198514d4"}


@routes.route("GET", "/nodes/{node}/status", NODE, holder("/nodes/{node}", "Sys.Audit"))
def status(call: Call) -> Json:
    world, node, guests = call.world, call.world.node(call.node), _guests_on(call)
    load, used = metrics.node_figures(world, node, guests)
    release = "6.17.2-1-pve"
    return {
        "uptime": int(world.now() - node.booted_at),
        "idle": 0,
        "cpu": load,
        "wait": round(load / 50, 6),
        "loadavg": [f"{load * node.cpus * share:.2f}" for share in (1.0, 0.95, 0.9)],
        "kversion": f"Linux {release} #1 SMP PREEMPT_DYNAMIC PMX {release}",
        "pveversion": "pve-manager/9.2.4/5e5ae681198514d4",
        "current-kernel": {
            "sysname": "Linux",
            "release": release,
            "version": "#1 SMP PREEMPT_DYNAMIC",
            "machine": "x86_64",
        },
        "boot-info": {"mode": "efi", "secureboot": 0},
        "cpuinfo": {
            "cpus": node.cpus,
            "cores": node.cpus // 2,
            "sockets": 1,
            "model": "AMD EPYC 7302P 16-Core Processor",
            "mhz": "3000.000",
            "flags": "fpu vme de pse tsc msr svm avx2",
            "hvm": "1",
            "user_hz": 100,
        },
        "memory": {"total": node.memory, "used": used, "free": node.memory - used, "available": node.memory - used},
        "swap": {"total": 8 * 2**30, "used": 0, "free": 8 * 2**30},
        "ksm": {"shared": 0},
        "rootfs": {
            "total": node.rootfs,
            "used": node.rootfs // 5,
            "avail": node.rootfs * 4 // 5,
            "free": node.rootfs * 4 // 5,
        },
    }


_TASK = {**NODE, "upid": Param(is_required=True)}


def _task(call: Call) -> Task:
    """The task of this id on this node; its owner and auditors of the node may see it."""
    upid = call.string("upid")
    if not formats.UPID.fullmatch(upid):
        raise invalid(upid="unable to parse worker upid")
    task = call.world.state.tasks.get(upid)
    if task is None or task.node != call.node:
        raise invalid(upid="no such task")
    if not _is_own(call, task):
        permissions.require(call.world, call.identity, f"/nodes/{call.node}", "Sys.Audit")
    return task


def _is_own(call: Call, task: Task) -> bool:
    return call.identity.user == task.user and call.identity.tokenid in {"", task.tokenid}


def _task_row(task: Task) -> dict[str, Json]:
    row: dict[str, Json] = {
        "upid": task.upid, "node": task.node, "pid": task.pid, "pstart": task.pstart, "starttime": task.starttime,
        "type": task.type, "id": task.id, "user": task.user,
    }  # fmt: skip
    return row | ({"tokenid": task.tokenid} if task.tokenid else {})


@routes.route("GET", "/nodes/{node}/tasks/{upid}/status", _TASK, USER)
def task_status(call: Call) -> Json:
    task = _task(call)
    if task.is_running:
        return _task_row(task) | {"status": "running"}
    return _task_row(task) | {"status": "stopped", "exitstatus": task.exitstatus}


@routes.route(
    "GET",
    "/nodes/{node}/tasks/{upid}/log",
    {**_TASK, "start": integer(0), "limit": integer(0), "download": boolean()},
    USER,
)
def task_log(call: Call) -> Json:
    task = _task(call)
    lines = [line for moment, line in task.log if moment <= call.world.now()] or ["no content"]
    if call.flag("download"):
        call.text = "\n".join(lines) + "\n"
        return None
    call.extra["total"] = len(lines)
    start, limit = call.number("start"), call.number("limit", 50) or len(lines)
    numbered = [{"n": number, "t": line} for number, line in enumerate(lines, 1)]
    return numbered[start : start + limit]


@routes.route("GET", "/nodes/{node}/tasks/{upid}", _TASK, USER)
def task_index(call: Call) -> Json:
    _task(call)
    return [{"name": "log"}, {"name": "status"}]


@routes.route("DELETE", "/nodes/{node}/tasks/{upid}", _TASK, USER)
def stop_task(call: Call) -> Json:
    task = _task(call)
    if task.is_running:
        tasks.interrupt(call.world, task)


_TASK_FILTERS = {
    **NODE, "start": integer(0), "limit": integer(0), "errors": boolean(), "since": integer(), "until": integer(),
    "source": one_of("archive", "active", "all"), "statusfilter": text(), "typefilter": text(), "userfilter": text(),
    "vmid": Param("integer", format=formats.vmid, minimum=100, maximum=999_999_999),
}  # fmt: skip


@routes.route("GET", "/nodes/{node}/tasks", _TASK_FILTERS, USER)
def task_list(call: Call) -> Json:
    sees_all = permissions.may(call.world, call.identity, f"/nodes/{call.node}", "Sys.Audit")
    found = [
        task for task in call.world.state.tasks
        if task.node == call.node and (sees_all or _is_own(call, task)) and _is_wanted(call, task)
    ]  # fmt: skip
    found.sort(key=lambda task: (task.is_running, task.starttime, task.pid), reverse=True)
    call.extra["total"] = len(found)
    start = call.number("start")
    return [_list_row(task) for task in found[start : start + (call.number("limit", 50) or len(found))]]


def _is_wanted(call: Call, task: Task) -> bool:
    source = call.string("source", "archive")
    checks = (
        source == "all" or task.is_running == (source == "active"),
        not call.flag("errors") or not task.exitstatus.startswith(("OK", "WARNINGS")),
        task.starttime >= call.number("since"),
        "until" not in call.params or task.starttime <= call.number("until"),
        call.string("typefilter") in {"", task.type},
        call.string("userfilter") in _user_of(task),
        "vmid" not in call.params or task.id == str(call.vmid),
        "statusfilter" not in call.params or _status_class(task) in split_list(call.string("statusfilter")),
    )
    return all(checks)


def _user_of(task: Task) -> str:
    return f"{task.user}!{task.tokenid}" if task.tokenid else task.user


def _status_class(task: Task) -> str:
    if task.exitstatus == "OK":
        return "ok"
    if task.exitstatus.startswith("WARNINGS"):
        return "warning"
    return "unknown" if task.exitstatus in {"", "unexpected status"} else "error"


def _list_row(task: Task) -> dict[str, Json]:
    ending: dict[str, Json] = (
        {"status": "RUNNING"} if task.is_running else {"endtime": int(task.endtime), "status": task.exitstatus}
    )
    return _task_row(task) | ending


@routes.route("GET", "/cluster/tasks", {}, USER)
def cluster_tasks(call: Call) -> Json:
    """The running tasks and the newest 25 finished ones of every node."""
    found: list[dict[str, Json]] = []
    for node in call.world.state.nodes:
        on_node = [task for task in call.world.state.tasks if task.node == node.name]
        on_node.sort(key=lambda task: (task.starttime, task.pid), reverse=True)
        finished = [task for task in on_node if not task.is_running][:25]
        found += [_list_row(task) | {"saved": "0"} for task in on_node if task.is_running]
        found += [_list_row(task) | {"saved": "1"} for task in finished]
    return found
