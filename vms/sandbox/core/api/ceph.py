"""Ceph, which is not installed: its indexes are there, and every question about it is answered so."""

from functools import partial

from vms.sandbox.core.api.shapes import LOG, fixed, names
from vms.sandbox.core.api.tables import NODE
from vms.sandbox.core.errors import die
from vms.sandbox.core.model import Json
from vms.sandbox.core.parameters import Table, boolean, integer, one_of, text
from vms.sandbox.core.routing import USER, Access, Call, Routes, holder

routes = Routes()
_AUDIT = holder("/", "Sys.Audit")


def _without_ceph(call: Call) -> Json:
    """What every question about Ceph is answered with where it is not installed."""
    raise die("binary not installed: /usr/bin/ceph-mon")


_READ = holder("/", "Sys.Audit", "Datastore.Audit")
_CHILDREN = (
    "cfg", "mon", "mds", "osd", "mgr", "pool", "fs", "init", "start", "stop", "restart", "status", "crush", "log", "rules", "cmd-safety",
)  # fmt: skip
_OSD = {**NODE, "osdid": integer().required()}
_POOL = {**NODE, "name": text().required()}
_ABSENT: dict[str, Table] = {
    "cfg/db": NODE, "cfg/raw": NODE, "cfg/value": {**NODE, "config-keys": text().required()}, "crush": NODE, "fs": NODE, "log": LOG,
    "cmd-safety": {
        **NODE, "service": one_of("osd", "mon", "mds").required(), "id": text().required(),
        "action": one_of("stop", "destroy").required(),
    },
    "mds": NODE, "mgr": NODE, "mon": NODE, "osd": NODE, "pool": NODE, "rules": NODE, "status": NODE,
    "osd/{osdid}/lv-info": {**_OSD, "type": one_of("block", "db", "wal")}, "osd/{osdid}/metadata": _OSD,
    "pool/{name}/status": {**_POOL, "verbose": boolean()},
}  # fmt: skip


def _access(name: str) -> Access:
    if name == "log":
        return holder("/nodes/{node}", "Sys.Syslog")
    return _AUDIT if name in _SYSTEM else _READ


_AUDITED = {"/nodes/{node}/ceph", "/nodes/{node}/ceph/pool/{name}"}
_SYSTEM = {"cfg/value", "cmd-safety", "osd/{osdid}/lv-info", "osd/{osdid}/metadata"}
for _name, _table in _ABSENT.items():
    routes.route("GET", f"/nodes/{{node}}/ceph/{_name}", _table, _access(_name))(_without_ceph)
for _path, _table, _children in (
    ("/nodes/{node}/ceph", NODE, _CHILDREN), ("/nodes/{node}/ceph/cfg", NODE, ("db", "raw", "value")),
    ("/nodes/{node}/ceph/osd/{osdid}", _OSD, ("metadata", "lv-info")), ("/nodes/{node}/ceph/pool/{name}", _POOL, ("status",)),
    ("/cluster/ceph", {}, ("metadata", "status", "flags")),
):  # fmt: skip
    routes.shape(_path, _table, _READ if _path in _AUDITED else USER, partial(fixed, names(*_children)))
_FLAG = one_of(
    "nobackfill", "nodeep-scrub", "nodown", "noin", "noout", "norebalance", "norecover", "noscrub", "notieragent", "noup", "pause",
)  # fmt: skip
for _path, _table in (
    ("/cluster/ceph/metadata", {"scope": one_of("all", "versions")}), ("/cluster/ceph/status", {}), ("/cluster/ceph/flags", {}),
    ("/cluster/ceph/flags/{flag}", {"flag": _FLAG.required()}),
):  # fmt: skip
    routes.route("GET", _path, _table, _AUDIT if "flags" in _path else _READ)(_without_ceph)
