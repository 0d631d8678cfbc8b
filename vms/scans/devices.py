"""On which devices of a node its storages lie, as far as the node tells."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from vms.scans.asking import Questions
from vms.scans.facts import Missing, StorageFacts

_PLAIN = re.compile(r"/dev/(sd|hd|vd|xvd|nvme|mmcblk)[a-z0-9]+")
_COPIES = ("mirror", "raidz", "draid")
_ASIDE = ("logs", "cache", "spares", "special", "dedup")
MOST_POOLS = 20
Kept = dict[str, Any]


def devices(questions: Questions, node: str) -> Kept:
    """The physical volumes of each volume group, and whether each pool of ZFS has copies. What is refused is left out."""
    here = ("nodes", node, "disks")
    groups = questions.mapping(*here, "lvm", is_optional=True)
    pools = questions.rows(*here, "zfs", is_optional=True)
    names = [] if isinstance(pools, Missing) else [str(row.get("name", "")) for row in pools[:MOST_POOLS]]
    trees = {name: questions.mapping(*here, "zfs", name, is_optional=True) for name in names}
    return {
        "lvm": {} if isinstance(groups, Missing) else _volumes(groups),
        "zfs": {name: _has_copies(tree) for name, tree in trees.items() if not isinstance(tree, Missing)},
    }


def _volumes(tree: Mapping[str, Any]) -> dict[str, list[str]]:
    return {str(group.get("name")): [str(one.get("name")) for one in _children(group)] for group in _children(tree)}


def _children(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in node.get("children") or () if isinstance(one, Mapping)]


def _has_copies(tree: Mapping[str, Any]) -> bool | None:
    """Whether each drive of a pool has another that holds the same; None for a pool without drives."""
    leaves = list(_leaves(tree, is_copied=False))
    return all(leaves) if leaves else None


def _leaves(node: Mapping[str, Any], *, is_copied: bool) -> Iterable[bool]:
    for child in _children(node):
        name = str(child.get("name", ""))
        if name in _ASIDE:
            continue
        inside = is_copied or name.startswith(_COPIES)
        if _children(child):
            yield from _leaves(child, is_copied=inside)
        elif child.get("leaf", 1):
            yield inside


def storage_facts(name: str, told: Mapping[str, Any], node: Mapping[str, Any]) -> StorageFacts:
    """What is known of a storage of a node: what its devices show, and of encryption what an operator says of it."""
    facts = _measured(name, told, node)
    if "encrypts" not in told:
        return facts
    where = f"{facts.where}; " if facts.where else ""
    said = "encrypted" if told["encrypts"] else "not encrypted"
    return replace(facts, is_encrypted=told["encrypts"], where=f"{where}{said}, as the settings of the cluster say")


def _measured(name: str, told: Mapping[str, Any], node: Mapping[str, Any]) -> StorageFacts:
    """Nothing but its plugin, unless it lies on devices that the node lists."""
    plugin, found = str(told.get("plugin", "")), node.get("devices", {})
    volumes = found.get("lvm", {}).get(told.get("vgname"))
    if volumes and all(_PLAIN.fullmatch(one) for one in volumes):
        where = f"volume group {told['vgname']} on {', '.join(volumes[:4])}, not on an encrypted device"
        return StorageFacts(name=name, plugin=plugin, is_encrypted=False, where=where)
    has_copies = found.get("zfs", {}).get(str(told.get("pool", "")).partition("/")[0])
    if has_copies is not None:
        where = f"pool {told['pool']} {'with' if has_copies else 'without'} a mirror or parity"
        return StorageFacts(name=name, plugin=plugin, is_redundant=has_copies, where=where)
    return StorageFacts(name=name, plugin=plugin)
