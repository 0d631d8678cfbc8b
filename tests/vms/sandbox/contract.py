"""What real nodes of Proxmox VE 9.1 and 9.2 answer, in our own words: calls in order, with the shape of each answer.

A shape is a type, a list of one shape, or keys with shapes; `?` after a key says that it may be missing, and keys that are
not named may be there as well. `UPID` is the id of a task, which `{task}` in a later path stands for.
"""

import re
from dataclasses import dataclass, field
from typing import Any

UPID = "upid"
NOTHING = None
NUMBER = (int, float)


@dataclass(frozen=True)
class Expected:
    """One call and its answer. `ends` says that the task named last has ended before."""

    method: str
    path: str
    params: dict[str, Any] = field(default_factory=dict)
    shape: Any = None
    status: int = 200
    reason: str = "OK"
    errors: tuple[str, ...] = ()
    ends: bool = False
    waits: float = 0.0


def problems(shape: Any, value: Any, at: str = "data") -> list[str]:
    """Where a value is not what its shape says."""
    if shape == UPID:
        return [] if isinstance(value, str) and value.startswith("UPID:") else [f"{at} is no task: {value!r}"]
    if isinstance(shape, dict):
        return _problems_of_object(shape, value, at)
    if isinstance(shape, list):
        if not isinstance(value, list) or not value:
            return [f"{at} is no list with something in it: {value!r}"]
        return [text for index, one in enumerate(value) for text in problems(shape[0], one, f"{at}[{index}]")]
    if shape is None or isinstance(shape, str):
        return [] if value == shape else [f"{at} is {value!r}, not {shape!r}"]
    is_right = isinstance(value, shape) and not isinstance(value, bool)
    return [] if is_right else [f"{at} is {value!r}, no {shape}"]


def _problems_of_object(shape: dict[str, Any], value: Any, at: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{at} is no object: {value!r}"]
    found = []
    for key, expected in shape.items():
        name = key.removesuffix("?")
        if name in value:
            found += problems(expected, value[name], f"{at}.{name}")
        elif not key.endswith("?"):
            found.append(f"{at}.{name} is missing")
    return found


def is_reason(expected: str, told: str) -> bool:
    return re.fullmatch(expected, told) is not None


_TASK = {
    "upid": str, "node": str, "pid": int, "pstart": int, "starttime": int, "type": str, "id": str, "user": str,
}  # fmt: skip
RUNNING = Expected("GET", "/nodes/pve1/tasks/{task}/status", shape={**_TASK, "status": "running"})
WARNED = Expected(
    "GET", "/nodes/pve1/tasks/{task}/status", shape={**_TASK, "status": "stopped", "exitstatus": str}, ends=True
)
"""Containers end with `WARNINGS: 1` in normal life."""
ENDED = Expected(
    "GET", "/nodes/pve1/tasks/{task}/status", shape={**_TASK, "status": "stopped", "exitstatus": "OK"}, ends=True
)
_PRIVILEGES = {"Permissions.Modify?": int}
_RESOURCE = {
    "id": str, "type": "qemu", "vmid": int, "node": str, "status": str, "name": str, "template": int, "uptime": int, "maxcpu": NUMBER,
    "cpu": NUMBER, "maxmem": int, "mem": int, "memhost?": int, "maxdisk": int, "disk": int, "netin": int, "netout": int,
    "diskread": int, "diskwrite": int, "hastate?": str, "lock?": str, "tags?": str, "pool?": str,
}  # fmt: skip
_NODE = {
    "id": str, "type": "node", "node": str, "status": "online", "level": str, "cpu": NUMBER, "maxcpu": int, "mem": int, "maxmem": int,
    "disk": int, "maxdisk": int, "uptime": int,
}  # fmt: skip
_MACHINE = {
    "vmid": 9102,
    "name": "console",
    "cores": 1,
    "memory": 512,
    "net0": "virtio,bridge=vmbr0",
    "scsi0": "local-lvm:8",
}
_CONTAINER = {
    "vmid": 9103, "hostname": "box", "memory": 512, "cores": 1, "rootfs": "local-lvm:4",
    "ostemplate": "local:vztmpl/debian-12-standard_12.12-1_amd64.tar.zst", "net0": "name=eth0,bridge=vmbr0,ip=dhcp",
}  # fmt: skip
_ON = "/nodes/pve1/qemu/9102"
_BOX = "/nodes/pve1/lxc/9103"
_APART = {"rule": "far", "type": "resource-affinity", "affinity": "negative"}
_HA = "/cluster/ha"
_FABRIC = "/cluster/sdn/fabrics"
_MEMBER = {"node_id": "pve1", "protocol": "openfabric", "interfaces": "name=vmbr0", "ip": "10.99.99.1"}

JOURNEYS: dict[str, tuple[Expected, ...]] = {
    "logging in": (
        Expected("POST", "/access/ticket", {"username": "root@pam", "password": "correct horse"}, {
            "username": "root@pam", "ticket": str, "CSRFPreventionToken": str, "clustername": str,
            "cap": {
                "vms": {"VM.Audit": int, "VM.Snapshot.Rollback": int, "Permissions.Modify": int},
                "nodes": {"Sys.AccessNetwork": int, "Sys.PowerMgmt": int}, "storage": {"Datastore.AllocateTemplate": int},
                "access": {"User.Modify": int, "Group.Allocate": int}, "dc": {"Sys.Modify": int, "SDN.Use": int},
                "sdn": {"SDN.Allocate": int}, "mapping": {"Mapping.Modify": int},
            },
        }),
        Expected("POST", "/access/ticket", {"username": "root@pam", "password": "wrong"}, status=401, reason="authentication failure"),
        Expected("GET", "/version", shape={"version": str, "release": str, "repoid": str}),
        Expected("GET", "/access/users", shape=[{"userid": str, "enable": int, "expire": int, "realm-type": "pam", "email": str}]),
        Expected("GET", "/access/domains", shape=[{"realm": str, "type": str, "comment": str}]),
    ),
    "looking around": (
        Expected("GET", "/cluster/resources", {"type": "vm"}, [{**_RESOURCE, "type": str}]),
        Expected("GET", "/cluster/resources", {"type": "node"}, [{**_NODE, "hastate": str, "cgroup-mode": int}]),
        Expected("GET", "/cluster/resources", {"type": "pool"}, status=400, reason="Parameter verification failed.", errors=("type",)),
        Expected("GET", "/nodes", shape=[{**_NODE, "ssl_fingerprint": str}]),
        Expected("GET", "/storage", shape=[{"storage": str, "type": str, "content": str, "digest": str}]),
        Expected("GET", "/nodes/pve1/storage", shape=[{
            "storage": str, "type": str, "content": str, "active": int, "enabled": int, "shared": int, "total": int, "used": int,
            "avail": int, "used_fraction": NUMBER,
        }]),
        Expected("GET", "/cluster/nextid", shape=str),
        Expected("GET", "/cluster/nextid", {"vmid": 99}, status=400, reason="Parameter verification failed.", errors=("vmid",)),
        Expected("GET", "/cluster/acme/directories", shape=[{"name": str, "url": str}]),
        Expected("GET", "/cluster/acme/meta", shape={"termsOfService": str, "website": str, "caaIdentities": [str], "profiles": {"classic": str}}),
        Expected("GET", "/cluster/acme/account/nobody", status=400, reason="Parameter verification failed.", errors=("name",)),
        Expected("GET", "/nodes/pve1/foo", status=501, reason="Method 'GET /nodes/pve1/foo' not implemented"),
        Expected("GET", "/nodes/nosuch/qemu", status=500, reason="hostname lookup 'nosuch' failed - .* Name or service not known"),
    ),
    "the life of a machine": (
        Expected("POST", "/nodes/pve1/qemu", _MACHINE, UPID), RUNNING, ENDED,
        Expected("POST", "/nodes/pve1/qemu", _MACHINE, status=500,
                 reason="unable to create VM 9102 - VM 9102 already exists on node 'pve1'"),
        Expected("GET", "/cluster/resources", {"type": "vm"}, [{**_RESOURCE, "type": str}]),
        Expected("POST", f"{_ON}/status/start", shape=UPID), RUNNING, ENDED,
        Expected("POST", f"{_ON}/snapshot", {"snapname": "itest0"}, UPID), ENDED,
        Expected("POST", f"{_ON}/snapshot/itest0/rollback", shape=UPID), ENDED,
        Expected("POST", f"{_ON}/status/stop", shape=UPID), ENDED,
        Expected("DELETE", _ON, shape=UPID), RUNNING, ENDED,
        Expected("GET", f"{_ON}/config", status=500, reason="Configuration file 'nodes/pve1/qemu-server/9102.conf' does not exist"),
    ),
    "the life of a container": (
        Expected("POST", "/nodes/pve1/lxc", _CONTAINER, UPID), WARNED,
        Expected("POST", f"{_BOX}/status/start", shape=UPID), WARNED,
        Expected("POST", f"{_BOX}/status/start", status=500, reason="CT 9103 already running"),
        Expected("POST", f"{_BOX}/snapshot", {"snapname": "itest0"}, UPID), WARNED,
        Expected("POST", f"{_BOX}/snapshot/itest0/rollback", {"start": 1}, UPID), WARNED,
        Expected("POST", f"{_BOX}/status/stop", shape=UPID), WARNED,
        Expected("DELETE", _BOX, shape=UPID), WARNED,
    ),
    "high availability": (
        Expected("GET", f"{_HA}/resources", shape=[]),
        Expected("GET", f"{_HA}/status/current", shape=[{"id": str, "type": str, "node": str, "status": str, "armed-state?": "standby"}]),
        Expected("GET", f"{_HA}/status/manager_status", shape={"manager_status": {"node_status": {}}, "quorum": {"quorate": "1", "node": str}}),
        Expected("POST", f"{_HA}/resources", {"sid": "vm:101", "state": "started", "comment": "ours"}, NOTHING),
        Expected("POST", f"{_HA}/resources", {"sid": "vm:102", "state": "started"}, NOTHING),
        Expected("POST", f"{_HA}/resources", {"sid": "vm:102"}, status=500,
                 reason="create resource failed: .* resource ID 'vm:102' already defined"),
        Expected("POST", f"{_HA}/rules", {**_APART, "resources": "vm:101,vm:102"}, status=500,
                 reason="create ha rule failed: 400 Rule 'far' is invalid."),
        Expected("POST", f"{_HA}/rules", {**_APART, "resources": "vm:101,vm:102"}, NOTHING, waits=12),
        Expected("GET", f"{_HA}/status/current", shape=[{
            "id": str, "type": str, "node": str, "status": str, "timestamp?": int, "quorate?": int, "sid?": str, "state?": str,
            "crm_state?": str, "request_state?": str, "max_restart?": int, "max_relocate?": int, "failback?": int,
        }]),
        Expected("POST", f"{_HA}/resources/vm:101/migrate", {"node": "pve2"}, {
            "sid": "vm:101", "requested-node": "pve2", "blocking-resources": [{"sid": "vm:102", "cause": "resource-affinity"}],
        }),
        Expected("POST", f"{_HA}/status/disarm-ha", {"resource-mode": "freeze"}, NOTHING),
        Expected("GET", f"{_HA}/status/current", shape=[{"id": str, "armed-state?": "disarmed", "resource_mode?": "freeze"}], waits=12),
        Expected("POST", f"{_HA}/status/arm-ha", shape=NOTHING),
        Expected("PUT", f"{_HA}/rules/far", {"type": "resource-affinity", "affinity": "positive"}, NOTHING),
        Expected("DELETE", f"{_HA}/rules/far", shape=NOTHING),
        Expected("DELETE", f"{_HA}/resources/vm:101", shape=NOTHING),
        Expected("DELETE", f"{_HA}/resources/vm:101", status=500, reason="cannot delete service 'vm:101', not HA managed!"),
    ),
    "a rule with more resources than nodes": (
        *(Expected("POST", f"{_HA}/resources", {"sid": f"vm:{vmid}", "state": "ignored"}, NOTHING) for vmid in (101, 102, 110, 111)),
        Expected("POST", f"{_HA}/rules", {**_APART, "resources": "vm:101,vm:102,vm:110,vm:111"}, status=500,
                 reason="create ha rule failed: 400 Rule 'far' is invalid.", waits=12),
        Expected("GET", f"{_HA}/status/manager_status", shape={"manager_status": {"node_status": {"pve1": "online", "pve3": "online"}}}),
    ),
    "software-defined networks": (
        Expected("GET", "/cluster/sdn/zones", shape=[]), Expected("GET", "/cluster/sdn/vnets", shape=[]),
        Expected("GET", f"{_FABRIC}/fabric", shape=[]), Expected("GET", "/nodes/pve1/sdn/zones", shape=[]),
        Expected("POST", f"{_FABRIC}/fabric", {"id": "fab0", "protocol": "openfabric", "ip_prefix": "10.99.99.0/24"}, ""),
        Expected("POST", f"{_FABRIC}/node/fab0", _MEMBER, ""),
        Expected("GET", f"{_FABRIC}/node/fab0", shape=[{
            "fabric_id": "fab0", "node_id": "pve1", "protocol": "openfabric", "ip": str, "interfaces": [str], "digest": str,
        }]),
        Expected("PUT", "/cluster/sdn", shape=UPID), ENDED,
        Expected("GET", "/nodes/pve1/sdn/fabrics/fab0/interfaces", shape=[]), Expected("GET", "/nodes/pve1/sdn/fabrics/fab0/routes", shape=[]),
        Expected("DELETE", f"{_FABRIC}/node/fab0/pve1", shape=""), Expected("DELETE", f"{_FABRIC}/fabric/fab0", shape=""),
    ),
    "certificates and notes": (
        Expected("POST", "/cluster/acme/plugins", {"id": "mine", "type": "dns", "api": "cf", "data": "a2V5PTE=", "validation-delay": 60}, NOTHING),
        Expected("GET", "/cluster/acme/plugins/mine", shape={
            "plugin": "mine", "type": "dns", "api": "cf", "data": "key=1", "validation-delay": int, "digest": str,
        }),
        Expected("DELETE", "/cluster/acme/plugins/mine", shape=NOTHING),
        Expected("GET", "/nodes/pve1/config", shape={}),
        Expected("PUT", "/nodes/pve1/config", {"acme": "account=x", "acmedomain0": "domain=pve.example,plugin=mine"}, NOTHING),
        Expected("GET", "/nodes/pve1/config", shape={"acme": "account=x", "acmedomain0": str, "description": "", "digest": str}),
        Expected("PUT", "/nodes/pve1/config", {"delete": "acme,acmedomain0"}, NOTHING),
    ),
    "tokens": (
        Expected("POST", "/access/users/root@pam/token/ci", shape={"full-tokenid": "root@pam!ci", "info": {"privsep": int}, "value": str}),
        Expected("POST", "/access/users/root@pam/token/ci", status=400, reason="Parameter verification failed.", errors=("tokenid",)),
        Expected("GET", "/access/users/root@pam/token", shape=[{"tokenid": str, "privsep": int, "expire": int}]),
        Expected("PUT", "/access/users/root@pam/token/ci", {"expire": "1900000000"}, {"expire": "1900000000"}),
        Expected("DELETE", "/access/users/root@pam/token/ci", shape=NOTHING),
    ),
    "pools": (
        Expected("POST", "/pools", {"poolid": "p1", "comment": "ours"}, NOTHING),
        Expected("POST", "/pools", {"poolid": "p1"}, status=500,
                 reason="create pool failed: error during cfs-locked 'file-user_cfg' operation: pool 'p1' already exists"),
        Expected("PUT", "/pools", {"poolid": "p1", "vms": "110"}, NOTHING),
        Expected("GET", "/pools", {"poolid": "p1"}, [{"poolid": "p1", "comment": "ours", "members": [{**_RESOURCE, "pool?": "p1"}]}]),
        Expected("DELETE", "/pools/p1", status=500, reason="delete pool failed: .* pool 'p1' is not empty .*"),
    ),
    "networks of a node": (
        Expected("GET", "/nodes/pve1/network", {"type": "bridge"}, [{
            "iface": "vmbr0", "type": "bridge", "active": int, "autostart": int, "method": "static", "method6": "manual",
            "families": ["inet"], "priority": int, "cidr": str, "address": str, "netmask": str, "gateway": str, "bridge_ports": str,
            "bridge_stp": str, "bridge_fd": str,
        }]),
        Expected("POST", "/nodes/pve1/network", {"iface": "vmbr9", "type": "bridge"}, NOTHING),
        Expected("POST", "/nodes/pve1/network", {"iface": "vmbr9", "type": "bridge"}, status=400, reason="Parameter verification failed.",
                 errors=("iface",)),
        Expected("PUT", "/nodes/pve1/network", shape=UPID), ENDED,
    ),
}  # fmt: skip
