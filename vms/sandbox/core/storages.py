"""The types of storage: what each must be told, may hold, and how one is defined, changed and forgotten."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from vms.sandbox.core.errors import ApiError, die, invalid
from vms.sandbox.core.model import Storage, Value
from vms.sandbox.core.routing import Call
from vms.sandbox.core.sizes import GIB
from vms.sandbox.core.validation import split_list
from vms.sandbox.core.world import World

FILES = ("images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import", "none")
_BLOCKS = ("images", "rootdir", "none")
_COMMON = {"nodes", "content", "disable", "bwlimit", "format", "prune-backups", "shared"}
_FOLDERS = {
    "mkdir", "create-base-path", "create-subdirs", "content-dirs", "preallocation", "max-protected-backups",
    "snapshot-as-volume-chain",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Type:
    """`required` and `optional` name its settings, `content` what it may hold."""

    required: tuple[str, ...]
    optional: frozenset[str]
    content: tuple[str, ...]
    is_shared: bool = False


def _type(required: str, optional: Iterable[str], content: tuple[str, ...] = FILES, *, is_shared: bool = False) -> Type:
    return Type(tuple(required.split()), frozenset({*optional, *_COMMON}), content, is_shared)


TYPES = {
    "dir": _type("path", {"is_mountpoint", *_FOLDERS}),
    "btrfs": _type("path", {"is_mountpoint", "nocow", *_FOLDERS}),
    "nfs": _type("server export", {"path", "options", *_FOLDERS}, is_shared=True),
    "cifs": _type(
        "server share", {"path", "username", "password", "domain", "smbversion", "options", "subdir", *_FOLDERS},
        is_shared=True,
    ),
    "cephfs": _type(
        "", {"path", "monhost", "username", "fuse", "subdir", "keyring", "fs-name", "options", *_FOLDERS},
        ("vztmpl", "iso", "backup", "snippets", "import", "none"), is_shared=True,
    ),
    "lvm": _type(
        "vgname", {"base", "saferemove", "saferemove_throughput", "tagged_only", "snapshot-as-volume-chain"}, _BLOCKS
    ),
    "lvmthin": _type("vgname thinpool", (), _BLOCKS),
    "zfspool": _type("pool", {"blocksize", "sparse", "mountpoint"}, _BLOCKS),
    "pbs": _type(
        "server datastore",
        {"username", "password", "fingerprint", "encryption-key", "master-pubkey", "namespace", "port", "max-protected-backups"},
        ("backup", "none"), is_shared=True,
    ),
    "rbd": _type(
        "pool", {"monhost", "username", "krbd", "keyring", "data-pool", "namespace", "authsupported"}, _BLOCKS,
        is_shared=True,
    ),
}  # fmt: skip
_SECRET = {"password", "keyring"}
_HELD_APART = {"storage", "type", "content", "nodes", "disable", "shared", "digest", "delete"}


def digest(world: World) -> str:
    """The SHA-1 of storage.cfg."""
    lines = [
        f"{one.type}: {one.name} {one.content} {one.nodes} {one.is_enabled} {sorted(one.settings.items())}"
        for one in world.state.storages
    ]
    return hashlib.sha1("\n".join(lines).encode(), usedforsecurity=False).hexdigest()


def row(world: World, storage: Storage) -> dict[str, Value]:
    """The section of a storage as the API answers it."""
    shown: dict[str, Value] = {
        "storage": storage.name, "type": storage.type, "content": ",".join(storage.content), "digest": digest(world),
        **{name: value for name, value in storage.settings.items() if name not in _SECRET},
    }  # fmt: skip
    if storage.nodes:
        shown["nodes"] = ",".join(storage.nodes)
    if storage.is_shared and not TYPES[storage.type].is_shared:
        shown["shared"] = 1
    return shown if storage.is_enabled else shown | {"disable": 1}


def define(call: Call) -> dict[str, Value]:
    name, kind = call.string("storage"), _known_type(call.string("type"))
    _check(call, kind, is_new=True)
    if name in call.world.state.storages:
        prefix = "create storage failed: error during cfs-locked 'file-storage_cfg' operation:"
        raise die(f"{prefix} storage ID '{name}' already defined")
    storage = Storage(
        name,
        call.string("type"),
        _content(call, kind, "images,rootdir" if "images" in kind.content else "backup"),
        _size_of(name),
    )
    _take(call, storage)
    call.world.state.storages.put(storage)
    return {"storage": name, "type": storage.type}


def _known_type(name: str) -> Type:
    kind = TYPES.get(name)
    if kind is None:
        raise ApiError(501, f"storage type '{name}' not implemented")
    return kind


def _size_of(name: str) -> int:
    """Bytes of a storage that nobody has measured: between 1 and 4 TiB, always the same for a name."""
    number = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=2).digest())
    return (1024 + number % 3073) * GIB


def _check(call: Call, kind: Type, *, is_new: bool) -> None:
    given = call.params.keys() - {"storage", "type", "digest", "delete"}
    for name in sorted(given - kind.optional - set(kind.required)):
        raise die(f"unexpected property '{name}'")
    for name in kind.required if is_new else ():
        if name not in given:
            raise die(f"missing value for required option '{name}'")
    for node in split_list(call.string("nodes")):
        if node not in call.world.state.nodes:
            raise invalid(nodes=f"no such node '{node}'")


def _content(call: Call, kind: Type, default: str) -> list[str]:
    wanted = split_list(call.string("content", default))
    for name in wanted:
        if name not in FILES:
            raise invalid(content=f"invalid format - invalid content type '{name}'\n")
        if name not in kind.content and "content" in call.params:
            raise die(f"storage does not support content type '{name}'")
    return [name for name in wanted if name in kind.content]


def _take(call: Call, storage: Storage) -> None:
    """Store what a request says."""
    kind = TYPES[storage.type]
    storage.settings |= {name: value for name, value in call.params.items() if name not in _HELD_APART}
    if call.params.get("encryption-key"):
        storage.settings["encryption-key"] = _fingerprint(call.string("encryption-key"))
    if storage.type in {"nfs", "cifs", "cephfs"}:
        storage.settings.setdefault("path", f"/mnt/pve/{storage.name}")
    if "nodes" in call.params:
        storage.nodes = split_list(call.string("nodes"))
    storage.is_enabled = not call.flag("disable", default=not storage.is_enabled)
    storage.is_shared = kind.is_shared or call.flag("shared", default=storage.is_shared)


def _fingerprint(key: str) -> str:
    """What the definition shows of a key; the key itself lies with the node."""
    return ":".join(re.findall("..", hashlib.sha256(key.encode()).hexdigest()))


def change(call: Call) -> dict[str, Value]:
    storage = call.world.storage(call.string("storage"))
    kind = _known_type(storage.type)
    if "digest" in call.params and call.string("digest") != digest(call.world):
        raise die("detected modified configuration - file changed by other user? Try again.")
    _check(call, kind, is_new=False)
    content = _content(call, kind, ",".join(storage.content))
    call.world.state.storages.edit(storage).content = content
    _take(call, storage)
    for name in split_list(call.string("delete")):
        _unset(storage, kind, name)
    return {"storage": storage.name, "type": storage.type}


def _unset(storage: Storage, kind: Type, name: str) -> None:
    if name in kind.required:
        raise die(f"unable to delete required option '{name}'")
    if name not in kind.optional:
        raise invalid(delete=f"no such option '{name}'")
    storage.settings.pop(name, None)
    if name == "nodes":
        storage.nodes = []
    elif name == "disable":
        storage.is_enabled = True
    elif name == "shared":
        storage.is_shared = kind.is_shared


def forget(call: Call) -> None:
    """Drop the definition; what lies on the storage stays there, out of everybody's sight."""
    storage = call.world.storage(call.string("storage"))
    for other in call.world.state.storages:
        if str(other.settings.get("base", "")).startswith(f"{storage.name}:"):
            raise die(f"can't remove storage - storage is used as base of another storage ({other.name})")
    call.world.state.storages.remove(storage)
