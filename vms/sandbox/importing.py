"""A snapshot of a real cluster, read through the driver, becomes the state of a sandbox."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from alma.jobs.kinds import StepFailed
from vms.models import Cluster
from vms.proxmox.answers import Refusal, rows, text, whole
from vms.proxmox.client import Api, connect, disconnect
from vms.sandbox.core import interfaces, sizes
from vms.sandbox.core.kinds import KINDS, Kind
from vms.sandbox.core.model import Guest, Json, Node, Pool, Storage, Volume
from vms.sandbox.core.parameters import FormatError
from vms.sandbox.core.state import State
from vms.sandbox.core.validation import parse
from vms.sandbox.core.volumes import own_files

READERS = 8
ORIGIN = ("node", "storage", "volume", "guest", "pool", "setting")
_ROW_ONLY = {"iface", "priority"}
_FILES = {"iso", "vztmpl", "import", "snippets", "backup"}
_HIDDEN = {"shared", "digest", "type", "storage", "content", "nodes", "disable"}
Row = dict[str, Json]


@dataclass
class Import:
    """`left_out` says in sentences what of the cluster could not be read or is not modelled."""

    state: State = field(default_factory=State)
    left_out: list[str] = field(default_factory=list)
    at: float = 0.0

    def note(self, sentence: str) -> None:
        self.left_out.append(sentence)


@dataclass(frozen=True)
class _Look:
    """What one connection reads of a guest."""

    row: Row
    config: Row
    snapshots: dict[str, Row]


def read(cluster: Cluster) -> Import:
    """Nodes, storages, guests with their snapshots, templates, files, pools and networks as they are now.

    Raises Unknown and Refusal when the cluster does not answer clearly; what it refuses to tell is left out and named."""
    api, made = connect(cluster), Import(at=time.time())
    resources = rows(api.get("cluster", "resources"), "resources")
    _take_nodes(made, api, [row for row in resources if row.get("type") == "node"])
    _take_storages(made, api, [row for row in resources if row.get("type") == "storage"])
    guests = [row for row in resources if row.get("type") in KINDS]
    for guest in _looks(made, cluster, guests):
        _take_guest(made, guest)
    _take_pools(made, guests)
    _disown(made)
    _fill_up(made, [row for row in resources if row.get("type") == "storage"])
    made.state.set("seed", f"import of {cluster.slug}")
    made.state.set("reset_at", made.at)
    made.state.set("origin", made.state.content(*ORIGIN))
    return made


def _asked(made: Import, api: Api, what: str, *path: str) -> list[Row]:
    """The rows of an answer; nothing, and a note of it, where the token may not ask. Raises Unknown."""
    try:
        return rows(api.begin().get(*path), what)
    except Refusal as error:
        made.note(f"{what} cannot be read: {error.text}")
        return []


# -- nodes and their networks ----------------------------------------------------------------------
def _take_nodes(made: Import, api: Api, found: list[Row]) -> None:
    told = _asked(made, api, "The addresses of the nodes", "cluster", "status")
    members = {text(row, "name"): row for row in told if row["type"] == "node"}
    for row in sorted(found, key=lambda row: text(row, "node")):
        name = text(row, "node")
        if text(row, "status") != "online":
            made.note(f"Node {name} is {text(row, 'status')}; it and its guests are left out.")
            continue
        member = members.get(name, {})
        made.state.nodes.put(
            Node(
                name, whole(member, "nodeid") or 1 + len(made.state.nodes), text(member, "ip", "127.0.0.1"),
                max(1, whole(row, "maxcpu")), whole(row, "maxmem"), whole(row, "maxdisk"), made.at - whole(row, "uptime"),
            )
        )  # fmt: skip
        found_here = _asked(made, api, f"The network of {name}", "nodes", name, "network")
        if found_here:
            interfaces.install(made.state, name, {text(one, "iface"): _interface(one) for one in found_here})


def _interface(row: Row) -> Row:
    return {key: value for key, value in row.items() if key not in _ROW_ONLY}


# -- storages and what lies on them ----------------------------------------------------------------
def _take_storages(made: Import, api: Api, found: list[Row]) -> None:
    configured = {text(row, "storage"): row for row in rows(api.get("storage"), "storages")}
    for row in found:
        name, node = text(row, "storage"), text(row, "node")
        if node not in made.state.nodes:
            continue
        storage = made.state.storages.get(name) or _new_storage(made, row, configured.get(name, {}))
        storage.total = max(storage.total, whole(row, "maxdisk"))
        if text(row, "status") == "available" and not (storage.is_shared and _has_volumes(made, name)):
            _take_volumes(made, api, storage, node)


def _new_storage(made: Import, row: Row, config: Row) -> Storage:
    settings = {key: value for key, value in config.items() if key not in _HIDDEN and isinstance(value, (str, int))}
    return made.state.storages.put(
        Storage(
            text(row, "storage"), text(row, "plugintype"), sorted(filter(None, text(row, "content").split(","))), 0,
            is_shared=bool(whole(row, "shared")), nodes=sorted(filter(None, text(config, "nodes").split(","))),
            settings=settings,
        )
    )  # fmt: skip


def _has_volumes(made: Import, storage: str) -> bool:
    return any(volume.storage == storage for volume in made.state.volumes)


def _take_volumes(made: Import, api: Api, storage: Storage, node: str) -> None:
    for row in _asked(
        made, api, f"What lies on {storage.name} of {node}", "nodes", node, "storage", storage.name, "content"
    ):
        name, content = text(row, "volid").partition(":")[2], text(row, "content", "images")
        size = whole(row, "size")
        made.state.volumes.put(
            Volume(
                storage.name, "" if storage.is_shared else node, name, content, text(row, "format", "raw"), size,
                whole(row, "used") or size, whole(row, "ctime"), vmid=whole(row, "vmid") if content not in _FILES else 0,
                parent=_base_of(text(row, "parent")), notes=text(row, "notes"), is_protected=bool(whole(row, "protected")),
                system=_system_of(name) if content in _FILES else "linux",
            )
        )  # fmt: skip


def _base_of(parent: str) -> str:
    """The name of a linked clone's base; some storages tell it with what follows an `@`."""
    name = parent.partition("@")[0]
    return name if "base" in name else ""


def _system_of(name: str) -> str:
    """`debian-12` of `vztmpl/debian-12-standard_12.12-1_amd64.tar.zst`."""
    match = re.match(r"(?:[a-z]+/)?([a-z]+-\d+(?:\.\d+)?)", name)
    return match[1] if match else "linux"


def _fill_up(made: Import, found: list[Row]) -> None:
    """What a storage holds beside the volumes that can be seen counts as one file, so that its room is the real one."""
    for row in found:
        storage = made.state.storages.get(text(row, "storage"))
        node = text(row, "node")
        if storage is None or node not in made.state.nodes:
            continue
        place = "" if storage.is_shared else node
        held = [one for one in made.state.volumes if (one.storage, one.node) == (storage.name, place)]
        _fit(held, whole(row, "disk"))
        rest = whole(row, "disk") - own_files(storage) - sum(one.used for one in held)
        if rest > 0 and not any(one.name == "other" for one in held):
            made.state.volumes.put(Volume(storage.name, place, "other", "none", "raw", rest, rest, int(made.at)))


def _fit(held: list[Volume], used: int) -> None:
    """Thin volumes are told by their full size: together they use what their storage says is used."""
    whole_size = sum(volume.used for volume in held)
    if whole_size > used > 0:
        for volume in held:
            volume.used = volume.used * used // whole_size


# -- guests ----------------------------------------------------------------------------------------
def _looks(made: Import, cluster: Cluster, found: list[Row]) -> list[_Look]:
    """Every guest read closely, over several connections side by side."""
    here = [row for row in found if text(row, "node") in made.state.nodes]
    parts = [here[start::READERS] for start in range(READERS) if here[start::READERS]]
    with ThreadPoolExecutor(READERS, thread_name_prefix="import") as readers:
        answers = [one for part in readers.map(lambda part: _read_part(cluster, part), parts) for one in part]
    looks: list[_Look] = []
    for answer in answers:
        if isinstance(answer, str):
            made.note(answer)
        else:
            looks.append(answer)
    return sorted(looks, key=lambda look: whole(look.row, "vmid"))


def _read_part(cluster: Cluster, part: list[Row]) -> list[_Look | str]:
    """In a thread that ends afterwards, and its connection with it."""
    try:
        return [_read_guest(connect(cluster), row) for row in part]
    finally:
        disconnect()


def _read_guest(api: Api, row: Row) -> _Look | str:
    path = ("nodes", text(row, "node"), text(row, "type"), whole(row, "vmid"))
    try:
        config = api.get(*path, "config", current=1)
        names = (
            [text(one, "name") for one in rows(api.get(*path, "snapshot"), "snapshots")] if "parent" in config else []
        )
        snapshots = {name: api.get(*path, "snapshot", name, "config") for name in names if name != "current"}
    except (Refusal, StepFailed) as error:
        return f"{row['type']} {row['vmid']} cannot be read: {error}"
    return _Look(row, config, snapshots)


def _take_guest(made: Import, look: _Look) -> None:
    row, kind = look.row, KINDS[text(look.row, "type")]
    is_running = text(row, "status") == "running"
    guest = Guest(
        whole(row, "vmid"), kind.name, text(row, "node"), _config(made, kind, look), is_running=is_running,
        started_at=made.at - whole(row, "uptime") if is_running else 0.0, pid=1000 + whole(row, "vmid") if is_running else 0,
    )  # fmt: skip
    for name, config in look.snapshots.items():
        guest.snapshots[name] = {
            "config": _kept(kind, config), "snaptime": whole(config, "snaptime"),
            "description": text(config, "description"), "parent": text(config, "parent"),
        }  # fmt: skip
    made.state.guests.put(guest)


def _config(made: Import, kind: Kind, look: _Look) -> Row:
    """The options that the sandbox knows, and the volumes that they name although no storage told of them."""
    config = _kept(kind, look.config)
    for key in ("parent", "lock"):
        if key in look.config:
            config[key] = look.config[key]
    if "lock" in config:
        made.note(f"{kind.label} {look.row['vmid']} is locked ({config['lock']}).")
    dropped = sorted(set(look.config) - set(config) - {"digest", "lxc"})
    if dropped:
        made.note(f"{kind.label} {look.row['vmid']}: {', '.join(dropped)} is not modelled and left out.")
    for key, value in config.items():
        if key in kind.drive_keys or kind.is_unused(key):
            _make_sure(made, kind, look.row, key, str(value))
    return config


def _kept(kind: Kind, config: Row) -> Row:
    known = {*kind.options, "meta", "smbios1", "vmgenid", "template", "runningmachine"}
    return {key: value for key, value in config.items() if key in known or kind.is_unused(key)}


def _make_sure(made: Import, kind: Kind, row: Row, key: str, value: str) -> None:
    try:
        parts = {kind.file_key: value} if kind.is_unused(key) else parse(value, kind.drive_shape(key))
    except FormatError as error:
        made.note(f"{kind.label} {row['vmid']}: {key} is not understood: {error}")
        return
    storage_name, _, name = parts[kind.file_key].partition(":")
    storage = made.state.storages.get(storage_name)
    if storage is None or not name:
        return
    place, size = "" if storage.is_shared else text(row, "node"), parts.get("size", "")
    is_there = any((one.storage, one.node, one.name) == (storage.name, place, name) for one in made.state.volumes)
    if not is_there:
        amount = sizes.parse(size) if size else 0
        content = "iso" if name.startswith("iso/") else kind.content
        owner = 0 if content == "iso" else whole(row, "vmid")
        made.state.volumes.put(
            Volume(storage.name, place, name, content, "raw", amount, amount, int(made.at), vmid=owner, system="linux")
        )


def _disown(made: Import) -> None:
    """Disks of guests that are not there belong to nobody."""
    for volume in made.state.volumes:
        if volume.vmid and volume.vmid not in made.state.guests:
            volume.vmid = 0


def _take_pools(made: Import, found: list[Row]) -> None:
    for row in found:
        name = text(row, "pool")
        if name and whole(row, "vmid") in made.state.guests:
            pool = made.state.pools.get(name) or made.state.pools.put(Pool(name))
            pool.vms.append(whole(row, "vmid"))


def facts(made: Import) -> dict[str, Any]:
    """How much was taken, for whoever asked."""
    state = made.state
    return {
        "nodes": len(state.nodes), "storages": len(state.storages), "guests": len(state.guests),
        "templates": sum(guest.is_template for guest in state.guests), "volumes": len(state.volumes),
    }  # fmt: skip
