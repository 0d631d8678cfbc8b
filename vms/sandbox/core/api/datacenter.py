"""/cluster/options, /cluster/config and /cluster/log: what holds for the whole datacenter."""

import re

from vms.sandbox.core import formats, permissions, sections, validation
from vms.sandbox.core.errors import die
from vms.sandbox.core.model import Json, Task
from vms.sandbox.core.parameters import Shape, Table, boolean, formatted, integer, listing, number, one_of, text
from vms.sandbox.core.routing import USER, Call, Routes, holder
from vms.sandbox.core.validation import split_list
from vms.sandbox.core.world import World

routes = Routes()
_LANGUAGES = (
    "ar", "ca", "da", "de", "en", "es", "eu", "fa", "fr", "hr", "he", "it", "ja", "ka", "kr", "nb", "nl", "nn", "pl", "pt_BR",
    "ru", "sl", "sv", "tr", "ukr", "zh_CN", "zh_TW",
)  # fmt: skip
_KEYBOARDS = (
    "de", "de-ch", "da", "en-gb", "en-us", "es", "fi", "fr", "fr-be", "fr-ca", "fr-ch", "hu", "is", "it", "ja", "lt", "mk", "nl",
    "no", "pl", "pt", "pt-br", "sv", "sl", "tr",
)  # fmt: skip
_TRAFFIC = Shape(
    {"type": one_of("secure", "insecure").required(), "network": formatted(formats.cidr)}, default_key="type"
)
_LIMIT = number(0)
_NOTICE = one_of("always", "never")
_SHAPES = {
    "bwlimit": Shape(dict.fromkeys(("clone", "default", "migration", "move", "restore"), _LIMIT)),
    "crs": Shape({
        "ha": one_of("basic", "static", "dynamic"), "ha-rebalance-on-start": boolean(), "ha-auto-rebalance": boolean(),
        "ha-auto-rebalance-threshold": number(), "ha-auto-rebalance-method": text(), "ha-auto-rebalance-margin": number(),
        "ha-auto-rebalance-hold-duration": number(),
    }, default_key="ha"),
    "ha": Shape({"shutdown_policy": one_of("freeze", "failover", "conditional", "migrate").required()}),
    "migration": _TRAFFIC, "replication": _TRAFFIC,
    "next-id": Shape({"lower": integer(100, 999_999_999), "upper": integer(100, 1_000_000_000)}),
    "notify": Shape({
        "fencing": _NOTICE, "package-updates": one_of("auto", "always", "never"), "replication": _NOTICE, "target-fencing": text(),
        "target-package-updates": text(), "target-replication": text(),
    }),
    "tag-style": Shape({
        "shape": one_of("full", "circle", "dense", "none"), "color-map": text(), "case-sensitive": boolean(),
        "ordering": one_of("config", "alphabetical"),
    }),
    "u2f": Shape({"appid": text(), "origin": text()}),
    "user-tag-access": Shape({"user-allow": one_of("none", "list", "existing", "free"), "user-allow-list": text()}),
    "webauthn": Shape({"rp": text(), "origin": text(), "id": text(), "allow-subdomains": boolean()}),
}  # fmt: skip
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_\-+.]*"
_OPTIONS: Table = {
    **{name: formatted(shape) for name, shape in _SHAPES.items()}, "consent-text": text(65536),
    "console": one_of("applet", "vv", "html5", "xtermjs"), "description": text(65536), "email_from": formatted(formats.email),
    "fencing": one_of("watchdog", "hardware", "both"), "http_proxy": text(pattern="http://.*"), "keyboard": one_of(*_KEYBOARDS),
    "language": one_of(*_LANGUAGES), "mac_prefix": formatted(formats.mac_prefix), "max_workers": integer(1),
    "migration_unsecure": boolean(), "registered-tags": text(pattern=rf"(?:{_TAG};)*{_TAG}"),
}  # fmt: skip
_DEFAULTS: dict[str, Json] = {"keyboard": "en-us", "mac_prefix": "BC:24:11"}
_FOR_ALL = ("console", "consent-text", "description", "tag-style", "registered-tags", "user-tag-access")
"""What also those may read who are no auditors: the user interface needs it."""
_AUDIT, _MODIFY = holder("/", "Sys.Audit"), holder("/", "Sys.Modify")


def _kept(world: World) -> dict[str, Json]:
    kept: dict[str, Json] = world.state.setting("datacenter") or _DEFAULTS
    return kept


def _shown(name: str, value: Json) -> Json:
    if name in _SHAPES and name != "bwlimit":
        shape = _SHAPES[name]
        parts = validation.parse(str(value), shape)
        return {key: validation.typed(shape.keys[key], part) for key, part in parts.items()}
    return str(value).split(";") if name == "registered-tags" else value


@routes.route("GET", "/cluster/options", {}, USER)
def options(call: Call) -> Json:
    sees_all = permissions.may(call.world, call.identity, "/", "Sys.Audit")
    kept = {name: value for name, value in _kept(call.world).items() if sees_all or name in _FOR_ALL}
    return {name: _shown(name, value) for name, value in kept.items()} | {"allowed-tags": _tags_for(call)}


def _tags_for(call: Call) -> list[str]:
    """The tags that one may give: those of the guests that one sees, and for admins the registered ones."""
    found = {
        tag for guest in call.world.state.guests for tag in split_list(str(guest.config.get("tags", "")))
        if permissions.may(call.world, call.identity, f"/vms/{guest.vmid}", "VM.Audit")
    }  # fmt: skip
    if permissions.may(call.world, call.identity, "/", "Sys.Modify"):
        found |= set(split_list(str(_kept(call.world).get("registered-tags", ""))))
    return sorted(found)


@routes.route("PUT", "/cluster/options", {**_OPTIONS, "delete": listing(formats.config_id)}, _MODIFY)
def change_options(call: Call) -> Json:
    """Keep settings of the datacenter; a tag is registered once."""
    values = dict(_kept(call.world))
    for name in split_list(call.string("delete")):
        values.pop(name, None)
    values |= {name: call.params[name] for name in _OPTIONS if name in call.params}
    if "registered-tags" in values:
        values["registered-tags"] = ";".join(sorted(set(split_list(str(values["registered-tags"])))))
    call.world.state.set("datacenter", values)


def id_range(world: World) -> tuple[int, int]:
    """The lowest number that is given to a new guest, and the one that no longer is."""
    span = _shown("next-id", _kept(world).get("next-id", ""))
    return int(span.get("lower", 100)), int(span.get("upper", 1_000_000))


def lowest_free_id(world: World) -> int:
    lower, upper = id_range(world)
    for vmid in range(lower, upper):
        if vmid not in world.state.guests:
            return vmid
    raise die(f"unable to get any free VMID in range [{lower}, {upper}]")


_INDEX = (
    "replication", "metrics", "notifications", "config", "acme", "backup", "backup-info", "ha", "jobs", "mapping", "sdn",
    "firewall", "ceph", "bulk-action", "log", "resources", "tasks", "options", "status", "nextid",
)  # fmt: skip


@routes.route("GET", "/cluster", {}, USER)
def index(call: Call) -> Json:
    return [{"name": name} for name in _INDEX]


@routes.route("GET", "/cluster/config", {}, _AUDIT)
def config(call: Call) -> Json:
    return [{"name": name} for name in ("nodes", "totem", "join", "qdevice", "apiversion")]


@routes.route("GET", "/cluster/config/apiversion", {}, _AUDIT)
def api_version(call: Call) -> Json:
    return 1


@routes.route("GET", "/cluster/config/nodes", {}, _AUDIT)
def members(call: Call) -> Json:
    return [
        {"node": node.name, "name": node.name, "nodeid": str(node.nodeid), "quorum_votes": "1", "ring0_addr": node.ip}
        for node in call.world.state.nodes
    ]


_TOTEM = {
    "cluster_name": "sandbox", "config_version": "3", "interface": {"0": {"linknumber": "0"}}, "ip_version": "ipv4-6",
    "link_mode": "passive", "secauth": "on", "version": "2",
}  # fmt: skip


@routes.route("GET", "/cluster/config/totem", {}, _AUDIT)
def totem(call: Call) -> Json:
    return _TOTEM


@routes.route("GET", "/cluster/config/qdevice", {}, _AUDIT)
def tie_breaker(call: Call) -> Json:
    """No external vote is configured."""
    return {}


@routes.route("GET", "/cluster/config/join", {"node": formatted(formats.node_name)}, _AUDIT)
def join_information(call: Call) -> Json:
    fingerprint = call.world.state.setting("fingerprint", "")
    nodes = [
        {
            "name": node.name, "nodeid": str(node.nodeid), "ring0_addr": node.ip, "quorum_votes": "1", "pve_addr": node.ip,
            "pve_fp": fingerprint,
        }
        for node in call.world.state.nodes
    ]  # fmt: skip
    preferred = call.string("node", call.world.entry_node)
    return {"nodelist": nodes, "preferred_node": preferred, "totem": _TOTEM, "config_digest": sections.digest_of(nodes)}


@routes.route("GET", "/cluster/log", {"max": integer(1)}, USER)
def log(call: Call) -> Json:
    """Beginnings and ends of tasks, the newest first; one's own unless one may read the system log."""
    sees_all = permissions.may(call.world, call.identity, "/", "Sys.Syslog")
    found = [
        row for task in call.world.state.tasks if sees_all or task.user == call.identity.user for row in _lines(task)
    ]
    found.sort(key=lambda row: (row["time"], row["uid"]), reverse=True)
    return found[: call.number("max", 50)]


def _lines(task: Task) -> list[dict[str, Json]]:
    rows = [_line(task, task.starttime, 0, f"starting task {task.upid}\n")]
    if not task.is_running:
        rows.append(_line(task, int(task.endtime), 1, f"end task {task.upid} {task.exitstatus}\n"))
    return rows


def _line(task: Task, moment: int, place: int, message: str) -> dict[str, Json]:
    uid = task.pid * 2 + place
    failed = place == 1 and not re.match("OK|WARNINGS", task.exitstatus)
    return {
        "uid": uid, "id": f"{uid}:{task.node}", "node": task.node, "pid": task.pid, "pri": 3 if failed else 6, "tag": "pvedaemon",
        "time": moment, "user": f"{task.user}!{task.tokenid}" if task.tokenid else task.user, "msg": message,
    }  # fmt: skip
