"""What guests stand on, read once per cluster and kept in the journal of its step for the guests that are read after it.

    {"read_at", "cluster": {...}, "nodes": {name: {...}}, "groups": {name: [...]}, "guests": {vmid: {...}},
     "backups": {vmid: {...}}, "saved": [vmid, ...], "storages": {node: {name: {...}}}}

A value that is not known is `{"missing": why}`.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.utils import timezone

from vms.models import Cluster
from vms.proxmox.answers import text, whole
from vms.proxmox.cluster import guest_rows, node_rows, read_resources, storage_rows
from vms.proxmox.privileges import TOO_MUCH, allows
from vms.proxmox.readings import StorageReading
from vms.scans.asking import Questions, moment, pack
from vms.scans.devices import devices
from vms.scans.facts import Missing

MOST_NODES, MOST_STORAGES, MOST_GROUPS = 100, 200, 50
SHALLOW = Missing("only a deep scan reads this")
Pulse = Callable[[], None]
Kept = dict[str, Any]


def read(questions: Questions, cluster: Cluster, vmids: Iterable[int], *, is_deep: bool, pulse: Pulse) -> Kept:
    """Everything; `pulse` is called between the parts. Raises Unknown, and Refusal for the list of all there is."""
    resources = read_resources(questions.api)
    wanted = set(vmids)
    storages = storage_rows(resources)[:MOST_STORAGES]
    held = questions.mapping("access", "permissions")
    pulse()
    groups = _groups(questions)
    nodes: Kept = {}
    for node in node_rows(resources)[:MOST_NODES]:
        pulse()
        figures = {"is_online": node.is_online, "cores": node.cores, "memory": node.memory_bytes}
        nodes[node.name] = figures | _node(questions, node.name, groups, is_online=node.is_online, is_deep=is_deep)
    pulse()
    return {
        "read_at": timezone.now().isoformat(),
        "cluster": _cluster(questions, cluster, held, groups),
        "nodes": nodes,
        "groups": groups,
        "guests": {str(row.vmid): _row(row) for row in guest_rows(resources) if row.vmid in wanted},
        "backups": _backups(questions, storages, held, wanted, pulse) if is_deep else pack(SHALLOW),
        "saved": pack(_saved(questions, wanted)),
        "storages": _storages(cluster, storages, questions, pulse),
    }


def _row(row: Any) -> Kept:
    return {name: getattr(row, name) for name in ("kind", "node", "name", "status", "is_template")}


def _cluster(questions: Questions, cluster: Cluster, held: Kept | Missing, groups: Kept) -> Kept:
    version = questions.mapping("version")
    return {
        "version": pack(version if isinstance(version, Missing) else text(version, "version")),
        "options": pack(questions.mapping("cluster", "firewall", "options")),
        "rules": pack(_rules(questions, groups, "cluster", "firewall", "rules")),
        "jobs": pack(_jobs(questions)),
        "is_verified": bool(cluster.fingerprint) or cluster.verifies_tls,
        "excess": pack(held if isinstance(held, Missing) else sorted(TOO_MUCH & _all(held))),
    }


def _all(held: Kept) -> set[str]:
    return {privilege for privileges in held.values() if isinstance(privileges, dict) for privilege in privileges}


def _jobs(questions: Questions) -> list[Kept] | Missing:
    """Backup jobs, without what is private to them."""
    found = questions.rows("cluster", "backup")
    if isinstance(found, Missing):
        return found
    return [{name: row[name] for name in ("id", "enabled", "schedule") if name in row} for row in found]


def _groups(questions: Questions) -> Kept:
    """The rules of each security group by its name."""
    found = questions.rows("cluster", "firewall", "groups")
    names = [] if isinstance(found, Missing) else [text(row, "group") for row in found[:MOST_GROUPS]]
    return {name: pack(questions.rows("cluster", "firewall", "groups", name)) for name in names}


def _rules(questions: Questions, groups: Kept, *path: str | int) -> list[Kept] | Missing:
    """The rules of a firewall."""
    found = questions.rows(*path)
    return found if isinstance(found, Missing) else with_groups(found, groups)


def with_groups(rules: list[Kept], groups: Kept) -> list[Kept] | Missing:
    """Rules, with those of the enabled groups that they name; Missing when a group is not known."""
    whole_list: list[Kept] = []
    for row in rules:
        if row.get("type") != "group":
            whole_list.append(row)
        elif str(row.get("enable", 0)) == "1":
            inner = groups.get(str(row.get("action", "")))
            if not isinstance(inner, list):
                return Missing(f"the rules of the group {row.get('action')} were not read")
            whole_list += [{**one, "group": str(row["action"])} for one in inner]
    return whole_list


def _node(questions: Questions, node: str, groups: Kept, *, is_online: bool, is_deep: bool) -> Kept:
    if not is_online:
        off = pack(Missing(f"the node {node} is offline"))
        return {"options": off, "rules": off, "devices": {}}
    here = ("nodes", node, "firewall")
    return {
        "options": pack(questions.mapping(*here, "options")),
        "rules": pack(_rules(questions, groups, *here, "rules")),
        "devices": devices(questions, node) if is_deep else {},
    }


def _saved(questions: Questions, wanted: set[int]) -> list[int] | Missing:
    """Those of the wanted guests that some backup job saves."""
    found = questions.rows("cluster", "backup-info", "not-backed-up")
    return found if isinstance(found, Missing) else sorted(wanted - {whole(row, "vmid") for row in found})


def _storages(cluster: Cluster, storages: list[StorageReading], questions: Questions, pulse: Pulse) -> Kept:
    """By node and name: the plugin, where it lies as its configuration says, and what an operator says of encryption."""
    pulse()
    listed = questions.rows("storage")
    places = {} if isinstance(listed, Missing) else {text(row, "storage"): row for row in listed}
    found: Kept = {}
    for storage in storages:
        told = places.get(storage.name, {})
        place: Kept = {name: text(told, name) for name in ("vgname", "pool") if told.get(name)}
        place |= {} if (encrypts := cluster.encrypts(storage.name)) is None else {"encrypts": encrypts}
        found.setdefault(storage.node, {})[storage.name] = {"plugin": storage.plugin, **place}
    return found


def _backups(
    questions: Questions, storages: list[StorageReading], held: Kept | Missing, wanted: set[int], pulse: Pulse
) -> Kept:
    """The last backup of each wanted guest; of one without any, whether the token would have seen one."""
    latest: dict[int, Kept] = {}
    blind = _blindness(held, storages)
    for storage in _once(storages):
        pulse()
        found = questions.rows("nodes", storage.node, "storage", storage.name, "content", content="backup")
        if isinstance(found, Missing):
            blind = blind or f"the backups on {storage.name} were not read: {found.why}"
            continue
        for row in found:
            vmid, at = whole(row, "vmid"), moment(row.get("ctime", 0)).isoformat()
            if vmid in wanted and at > latest.get(vmid, {}).get("at", ""):
                is_encrypted = bool(row.get("encrypted"))
                latest[vmid] = {"at": at, "volume": text(row, "volid")[:200], "is_encrypted": is_encrypted}
    told: Kept = {}
    for vmid in wanted:
        unseen = blind or _unseen(held, vmid)
        told[str(vmid)] = latest.get(vmid) or (pack(Missing(unseen)) if unseen else {})
    return told


def _once(storages: list[StorageReading]) -> list[StorageReading]:
    """Each storage for backups once, a shared one on the first node that has it."""
    found = {
        (one.name, "" if one.is_shared else one.node): one for one in reversed(storages) if "backup" in one.content
    }
    return [one for one in reversed(found.values()) if one.is_active]


def _blindness(held: Kept | Missing, storages: list[StorageReading]) -> str:
    """Why backups may lie where they are not seen; empty when they would be."""
    if isinstance(held, Missing):
        return f"what the token may see is not known: {held.why}"
    if not allows(held, "/storage", "Datastore.Audit") and not allows(held, "/storage", "Datastore.Allocate"):
        return "the token does not see every storage (Datastore.Audit on /storage)"
    offline = next((one.name for one in storages if "backup" in one.content and not one.is_active), "")
    return f"the storage {offline} is not available" if offline else ""


def _unseen(held: Kept | Missing, vmid: int) -> str:
    """Proxmox lists a backup to those who may make one, and leaves it out of the list for others."""
    if isinstance(held, Missing) or allows(held, "/storage", "Datastore.Allocate"):
        return ""
    return "" if allows(held, f"/vms/{vmid}", "VM.Backup") else "the token does not see its backups (VM.Backup)"
