"""Calls of the sandbox's API at random: any method, with parameters that it takes."""

import re

from hypothesis import strategies as st

from vms.sandbox.core.api import ALL_ROUTES
from vms.sandbox.core.parameters import Param
from vms.sandbox.core.routing import Route

ROUTES = [
    route for part in ALL_ROUTES for route in part.all
    if not route.pattern.startswith(("/sandbox", "/access")) and route.method in {"POST", "PUT", "DELETE", "GET"}
]  # fmt: skip
# Whoever allocates or frees volumes by hand, or takes a storage away, may leave guests without their disks, as on a node.
BY_HAND = (
    "/storage/{storage}",
    "/nodes/{node}/storage/{storage}/content",
    "/nodes/{node}/storage/{storage}/content/{volume...}",
)
CHANGES = [route for route in ROUTES if route.method != "GET" and route.pattern not in BY_HAND]
READS = [route for route in ROUTES if route.method == "GET"]
GUESTS = [route for route in CHANGES if "{vmid}" in route.pattern or route.pattern.endswith(("/qemu", "/lxc"))]
KINDS: dict[str, list[Route]] = {"reads": READS, "changes": CHANGES, "guests": GUESTS}

NODES = st.sampled_from(["pve1", "pve1", "pve2"])
VMIDS = st.sampled_from([300, 300, 301, 301, 302, 302, 303, 303, 304, 9000, 110, 201])
NEW = st.sampled_from([303, 303, 304, 305, 300])
MOSTLY = st.sampled_from([True, True, True, False])
ARCHIVE = "local:vztmpl/debian-12-standard_12.12-1_amd64.tar.zst"
STORAGES = st.sampled_from(["local-lvm", "shared", "local"])
DISKS = st.sampled_from([
    "local-lvm:1", "shared:2", "shared:1,format=raw", "shared:1,format=qcow2", "local-lvm:3,iothread=1", "none,media=cdrom",
    "shared:cloudinit", "local-lvm:cloudinit", "local-lvm:900", 
    "local:iso/debian-12.12.0-amd64-netinst.iso,media=cdrom", "local-lvm:0,import-from=shared:9000/base-9000-disk-0.raw",
])  # fmt: skip
MOUNTS = st.sampled_from(["local-lvm:1", "local-lvm:1,mp=/srv", "shared:2,mp=/data"])
NETS = st.sampled_from(
    ["virtio,bridge=vmbr0", "e1000=BC:24:11:00:00:01,bridge=vmbr0,tag=5", "name=eth0,bridge=vmbr0,ip=dhcp"]
)
KEYS = [
    "scsi0",
    "scsi1",
    "virtio0",
    "sata1",
    "ide2",
    "unused0",
    "unused1",
    "net0",
    "net1",
    "rootfs",
    "mp0",
    "cores",
    "boot",
    "tags",
]
WORDS = st.sampled_from(
    ["", "a", "web-1", "x,y", "1", "order=scsi0;net0", "order=scsi9", "host", "ö\n", "user@pve", "s1", "vmbr0"]
)
NAMED = {
    "node": NODES, "target": NODES, "vmid": VMIDS, "newid": NEW, "storage": STORAGES, "snapname": st.sampled_from(["s1", "s2", "s3"]),
    "disk": st.sampled_from(["scsi0", "scsi1", "virtio0", "rootfs", "mp0", "ide2"]),
    "volume": st.sampled_from(["scsi0", "rootfs", "mp0"]), "size": st.sampled_from(["+1G", "4G", "1M", "+90T", "0", "16G"]),
    "delete": st.lists(st.sampled_from(KEYS), min_size=1, max_size=2).map(",".join), "idlist": st.sampled_from(KEYS),
    "revert": st.sampled_from(KEYS), "pool": st.just("infrastructure"), "poolid": st.sampled_from(["infrastructure", "p1"]),
    "ostemplate": st.just("local:vztmpl/debian-12-standard_12.12-1_amd64.tar.zst"), "rootfs": MOUNTS, "hostname": st.just("ct"),
    "memory": st.sampled_from([64, 512, 1024]), "cores": st.integers(1, 8), "timeout": st.integers(0, 5), "skiplock": st.just(1),
    "archive": st.sampled_from(["local:backup/nothing.vma.zst", "pipe"]), "bwlimit": st.just(0), "sid": st.sampled_from(["vm:300", "300"]),
    "filename": st.sampled_from(["vm-300-disk-7", "vm-301-disk-0"]),
}  # fmt: skip


PLACES = (
    (r"(scsi|virtio|sata|ide|efidisk|tpmstate)\d+", DISKS), (r"mp\d+", MOUNTS), (r"net\d+", NETS),
)  # fmt: skip


def value_of(name: str, param: Param) -> st.SearchStrategy:
    """Something that a parameter may be given: mostly what makes sense, now and then what does not."""
    by_place = (what for pattern, what in PLACES if re.fullmatch(pattern, name))
    known = NAMED[name] if name in NAMED else next(by_place, None)
    if known is not None:
        return known
    if param.enum:
        return st.sampled_from(param.enum)
    if param.type == "boolean":
        return st.sampled_from([0, 1])
    numbers = [int(param.minimum or 0), int(param.maximum or 8), 3]
    return st.sampled_from(numbers) if param.type in {"integer", "number"} else WORDS


LIKELY = (
    "scsi0",
    "scsi1",
    "net0",
    "ide2",
    "rootfs",
    "mp0",
    "delete",
    "cores",
    "memory",
    "full",
    "storage",
    "start",
    "disk",
    "size",
)


@st.composite
def calls(draw: st.DrawFn, kind: str) -> tuple[str, str, dict]:
    """A method, a path and parameters."""
    routes = KINDS[kind]
    route = routes[draw(st.integers(0, len(routes) - 1))]
    placed = re.findall(r"\{(\w+)(?:\.\.\.)?\}", route.pattern)
    path = route.pattern
    for name in placed:
        value = draw(value_of(name, route.table.get(name, Param())))
        path = re.sub(rf"\{{{name}(\.\.\.)?\}}", str(value) or "x", path)
    likely = [name for name in LIKELY if name in route.table and name not in placed]
    others = sorted(set(route.table) - {*placed, *likely})
    chosen = set(draw(st.lists(st.sampled_from(likely), max_size=3)) if likely else [])
    chosen |= set(draw(st.lists(st.sampled_from(others), max_size=1)) if others else [])
    chosen |= {name for name, param in route.table.items() if param.is_required and name not in placed}
    return route.method, path, {name: draw(value_of(name, route.table[name])) for name in sorted(chosen)}
