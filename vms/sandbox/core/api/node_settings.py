"""What a node is told once and keeps: name servers, hosts file, clock, notes, services; and all its guests at once."""

from vms.sandbox.core import formats, guests, ha, permissions, sections, tasks
from vms.sandbox.core.api.tables import NODE
from vms.sandbox.core.errors import die
from vms.sandbox.core.model import Guest, Json, Task
from vms.sandbox.core.parameters import boolean, formatted, indexed, integer, listing, one_of, text
from vms.sandbox.core.routing import USER, Call, Routes, holder
from vms.sandbox.core.validation import split_list
from vms.sandbox.core.world import World

routes = Routes()
_AUDIT, _MODIFY = holder("/nodes/{node}", "Sys.Audit"), holder("/nodes/{node}", "Sys.Modify")
_SERVERS = ("dns1", "dns2", "dns3")


def _kept(world: World, node: str, name: str, default: Json) -> Json:
    return world.state.setting(f"{name} {node}", default)


def _keep(call: Call, name: str, value: Json) -> None:
    call.world.state.set(f"{name} {call.node}", value)


@routes.route("GET", "/nodes/{node}/dns", NODE, _AUDIT)
def name_servers(call: Call) -> Json:
    return _kept(call.world, call.node, "dns", {"search": "sandbox.example", "dns1": "10.20.0.1"})


@routes.route(
    "PUT", "/nodes/{node}/dns",
    {**NODE, "search": text().required(), **dict.fromkeys(_SERVERS, formatted(formats.address))}, _MODIFY,
)  # fmt: skip
def change_name_servers(call: Call) -> Json:
    _keep(call, "dns", {key: call.params[key] for key in ("search", *_SERVERS) if call.params.get(key)})


def _hosts(call: Call) -> str:
    lines = ["127.0.0.1 localhost.localdomain localhost"]
    lines += [f"{node.ip} {node.name}.sandbox.example {node.name}" for node in call.world.state.nodes]
    return str(_kept(call.world, call.node, "hosts", "\n".join(lines) + "\n"))


@routes.route("GET", "/nodes/{node}/hosts", NODE, holder("/", "Sys.Audit"))
def hosts(call: Call) -> Json:
    data = _hosts(call)
    return {"data": data, "digest": sections.digest_of(data)}


@routes.route("POST", "/nodes/{node}/hosts", {**NODE, "data": text().required(), "digest": text(64)}, _MODIFY)
def change_hosts(call: Call) -> Json:
    sections.check_digest(sections.digest_of(_hosts(call)), call.string("digest"))
    _keep(call, "hosts", call.string("data"))


@routes.route("GET", "/nodes/{node}/time", NODE, _AUDIT)
def clock(call: Call) -> Json:
    now = int(call.world.now())
    return {"time": now, "localtime": now, "timezone": _kept(call.world, call.node, "timezone", "Etc/UTC")}


@routes.route("PUT", "/nodes/{node}/time", {**NODE, "timezone": formatted(formats.timezone).required()}, _MODIFY)
def change_clock(call: Call) -> Json:
    _keep(call, "timezone", call.string("timezone"))


_CONFIG = {
    "acme": text(), **indexed("acmedomain", 6, text()), "ballooning-target": integer(0, 100), "description": text(65536),
    "startall-onboot-delay": integer(0, 300), "wakeonlan": text(),
}  # fmt: skip


def _config(call: Call) -> dict[str, Json]:
    kept: dict[str, Json] = _kept(call.world, call.node, "node config", {})
    return kept


@routes.route("GET", "/nodes/{node}/config", {**NODE, "property": one_of(*sorted(_CONFIG))}, holder("/", "Sys.Audit"))
def config(call: Call) -> Json:
    """The notes of a node and the like; nothing at all until somebody writes some."""
    kept, wanted = _config(call), call.string("property")
    if not kept:
        return {}
    row = {"description": "", **kept, "digest": sections.digest_of(kept)}
    return {key: value for key, value in row.items() if not wanted or key in {wanted, "digest"}}


_CHANGE = {**NODE, **_CONFIG, "delete": listing(formats.config_id), "digest": text(40)}


@routes.route("PUT", "/nodes/{node}/config", _CHANGE, holder("/", "Sys.Modify"))
def change_config(call: Call) -> Json:
    kept = dict(_config(call))
    sections.check_digest(sections.digest_of(kept), call.string("digest"))
    for name in split_list(call.string("delete")):
        kept.pop(name, None)
    _keep(call, "node config", kept | {name: call.params[name] for name in _CONFIG if name in call.params})


_SERVICES = {
    "chrony": "chrony, an NTP client/server", "corosync": "Corosync Cluster Engine", "cron": "Regular background program processing daemon",
    "ksmtuned": "Kernel Samepage Merging (KSM) Tuning Daemon", "lxcfs": "FUSE filesystem for LXC",
    "postfix": "Postfix Mail Transport Agent", "proxmox-firewall": "Proxmox nftables firewall",
    "pve-cluster": "The Proxmox VE cluster filesystem", "pve-firewall": "Proxmox VE firewall",
    "pve-ha-crm": "PVE Cluster HA Resource Manager Daemon", "pve-ha-lrm": "PVE Local HA Resource Manager Daemon",
    "pve-lxc-syscalld": "Proxmox VE LXC Syscall Daemon", "pvedaemon": "PVE API Daemon", "pvefw-logger": "Proxmox VE firewall logger",
    "pveproxy": "PVE API Proxy Server", "pvescheduler": "Proxmox VE scheduler", "pvestatd": "PVE Status Daemon",
    "qmeventd": "PVE Qemu Event Daemon", "spiceproxy": "PVE SPICE Proxy Server", "sshd": "OpenBSD Secure Shell server",
    "syslog": "syslog.service", "systemd-journald": "Journal Service", "systemd-timesyncd": "systemd-timesyncd.service",
}  # fmt: skip
_ABSENT = {"syslog", "systemd-timesyncd"}
_SERVICE = {**NODE, "service": one_of(*_SERVICES).required()}


def _service_row(call: Call, name: str) -> dict[str, Json]:
    is_dead = name in _kept(call.world, call.node, "dead services", []) or name in _ABSENT
    unit = "not-found" if name in _ABSENT else "enabled"
    return {
        "service": name, "name": name, "desc": _SERVICES[name], "state": "dead" if is_dead else "running",
        "active-state": "inactive" if is_dead else "active", "unit-state": unit,
    }  # fmt: skip


@routes.route("GET", "/nodes/{node}/services", NODE, _AUDIT)
def services(call: Call) -> Json:
    return [_service_row(call, name) for name in _SERVICES]


@routes.route("GET", "/nodes/{node}/services/{service}", _SERVICE, _AUDIT)
def service_index(call: Call) -> Json:
    return [{"subdir": name} for name in ("state", "start", "stop", "restart", "reload")]


@routes.route("GET", "/nodes/{node}/services/{service}/state", _SERVICE, _AUDIT)
def service_state(call: Call) -> Json:
    return _service_row(call, call.string("service"))


def _serve_action(action: str) -> None:
    def handler(call: Call) -> Json:
        work = tasks.Work(f"srv{action}", call.node, call.string("service"), 1.0)
        return tasks.fork(call.world, call.identity, work)

    routes.route("POST", f"/nodes/{{node}}/services/{{service}}/{action}", _SERVICE, _MODIFY)(handler)


for _action in ("start", "stop", "restart", "reload"):
    _serve_action(_action)


@tasks.effect("srvstart", "srvstop", "srvrestart")
def finish_service(world: World, task: Task) -> None:
    dead = set(_kept(world, task.node, "dead services", []))
    dead = dead | {task.id} if task.type == "srvstop" else dead - {task.id}
    world.state.set(f"dead services {task.node}", sorted(dead))


_ALL = {**NODE, "vms": listing(formats.vmid), "max-workers": integer(1, 64)}


def _chosen(call: Call) -> list[int]:
    """The guests of a node that a call means: all whose power one may switch, or those that it names."""
    wanted = split_list(call.string("vms"))
    if not permissions.may(call.world, call.identity, "/", "VM.PowerMgmt"):
        for vmid in wanted or ["-"]:
            permissions.require(call.world, call.identity, f"/vms/{vmid}", "VM.PowerMgmt")
    return [guest.vmid for guest in call.world.state.guests if guest.node == call.node and _is_meant(guest, wanted)]


def _is_meant(guest: Guest, wanted: list[str]) -> bool:
    return not guest.is_template and (not wanted or str(guest.vmid) in wanted)


@routes.route("POST", "/nodes/{node}/startall", {**_ALL, "force": boolean()}, USER)
def start_all(call: Call) -> Json:
    """Start the guests that are to run from the boot of the node on, or all that are named."""
    args = {"vmids": _chosen(call), "force": call.flag("force") or "vms" in call.params}
    return tasks.fork(call.world, call.identity, tasks.Work("startall", call.node, seconds=1.0, args=args))


@routes.route("POST", "/nodes/{node}/stopall", {**_ALL, "force-stop": boolean(), "timeout": integer(0, 7200)}, USER)
def stop_all(call: Call) -> Json:
    return tasks.fork(
        call.world, call.identity, tasks.Work("stopall", call.node, seconds=1.0, args={"vmids": _chosen(call)})
    )


@tasks.effect("startall", "stopall")
def finish_all(world: World, task: Task) -> None:
    """Fork a worker for each guest."""
    action, verb = ("start", "Starting") if task.type == "startall" else ("shutdown", "Stopping")
    for vmid in task.args["vmids"]:
        guest = world.state.guests.get(vmid)
        if guest is None or guest.is_running == (action == "start"):
            continue
        if action == "start" and not (guest.config.get("onboot") or task.args["force"]):
            continue
        tasks.say(task, f"{verb} {guest.label} {vmid}")
        ha.fork_power(world, guest, action)


_POWER = {**NODE, "command": one_of("reboot", "shutdown").required()}


@routes.route("POST", "/nodes/{node}/status", _POWER, holder("/nodes/{node}", "Sys.PowerMgmt"))
def switch(call: Call) -> Json:
    """Stop all guests; a node that reboots is back at once and starts those that shall run, one that is shut down stays away."""
    world, node = call.world, call.world.state.nodes.edit(call.world.node(call.node))
    if call.string("command") == "shutdown" and node.name == world.entry_node:
        raise die("the node that serves this API cannot be shut down in the sandbox")
    for guest in world.state.guests:
        if guest.node == node.name and guest.is_running:
            guests.halt(world, guest)
    if call.string("command") == "shutdown":
        world.faults.take_offline(node.name)
        return
    node.booted_at = world.now()
    args = {"vmids": [guest.vmid for guest in world.state.guests if guest.node == node.name], "force": False}
    tasks.fork(world, ha.MANAGER, tasks.Work("startall", node.name, seconds=1.0, args=args))
