"""The facts of one guest, from the cluster and from what was read of its surroundings."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from ipaddress import ip_interface
from typing import Any

from alma.accounts.models import Environment
from vms.proxmox.agent import ON
from vms.proxmox.answers import mapping, rows, text
from vms.proxmox.values import parse_properties, parse_tags
from vms.scans.asking import MUTE, Questions, moment, unpack
from vms.scans.devices import storage_facts
from vms.scans.facts import (
    BackupFacts,
    ClusterFacts,
    Firewall,
    GuestFacts,
    Missing,
    NodeFacts,
    PasswordFacts,
    SystemFacts,
)
from vms.scans.surroundings import SHALLOW, with_groups

GONE = Missing("it is not in the list of the cluster any more")
DEFAULTS = frozenset(
    {"password", "passw0rd", "admin", "administrator", "root", "toor", "ubuntu", "debian", "123456", "12345678", "changeme",
     "secret", "proxmox", "qwerty", "letmein", "welcome", "test", "alma"}
)  # fmt: skip
_WINDOWS_SERVER, _WINDOWS = re.compile(r"Windows Server (\d{4})"), re.compile(r"Windows (\d+(?:\.\d)?)")
_LONG_TERM, _HOME = re.compile(r"\bLTS[CB]\b"), re.compile(r"\b(Home|Pro)\b")
_ELEVEN = 22_000
"""The first build of Windows 11."""
_PASSWORD = re.compile(r"^\s*password:\s*(\S.*)$", re.MULTILINE)
_HASH = re.compile(r"\$[0-9a-z]+\$")
Kept = Mapping[str, Any]


def environment_of(
    tags: Sequence[str], places: Mapping[str, Environment], declared: Environment | None
) -> dict[str, Any]:
    """The environment that a guest was declared for, else the one that a tag names; nothing when there is neither."""
    place = declared or next((places[tag] for tag in tags if tag in places), None)
    return {"environment": place.slug, "is_protected_environment": place.is_protected} if place else {}


def cluster_facts(kept: Kept, now: datetime) -> ClusterFacts:
    """A whole cluster."""
    told = {name: unpack(value) for name, value in kept["cluster"].items()}
    return ClusterFacts(
        now=now, version=told["version"], firewall=Firewall(options=told["options"], rules=told["rules"]),
        backup_jobs=told["jobs"], is_verified=told["is_verified"], excess=told["excess"],
    )  # fmt: skip


def node_facts(kept: Kept, node: str, now: datetime) -> NodeFacts:
    """One node."""
    told = {name: unpack(value) for name, value in kept["nodes"][node].items()}
    return NodeFacts(
        now=now, node=node, is_online=told["is_online"], firewall=Firewall(options=told["options"], rules=told["rules"]),
        cluster_firewall=unpack(kept["cluster"]["options"]),
    )  # fmt: skip


class GuestReader:
    """Reads one guest; `places` are the environments by slug."""

    def __init__(self, questions: Questions, kept: Kept, *, is_deep: bool, places: Mapping[str, Environment]) -> None:
        self._questions = questions
        self._kept = kept
        self._is_deep = is_deep
        self._places = places

    def read(self, vmid: int, kind: str, node: str, *, now: datetime, declared: Environment | None) -> GuestFacts:
        """All that can be known. Raises Unknown while it is worth asking again."""
        row = self._kept["guests"].get(str(vmid))
        if row is None:
            return GuestFacts(
                now=now, kind=kind, node=node, vmid=vmid, config=GONE, firewall=Firewall(options=GONE, rules=GONE)
            )
        here = ("nodes", row["node"], "lxc" if row["kind"] == "lxc" else "qemu", vmid)
        host = self._kept["nodes"].get(row["node"], {})
        config = self._config(host, here)
        environment = environment_of(_tags(config), self._places, declared)
        return GuestFacts(
            now=now, kind=row["kind"], node=row["node"], vmid=vmid, status=row["status"], is_template=row["is_template"],
            config=config, firewall=self._firewall(config, here), cluster_firewall=unpack(self._kept["cluster"]["options"]),
            backups=self._backups(vmid), is_in_backup_job=self._is_saved(vmid), storages=self._storages(row["node"], host),
            node_cores=host.get("cores") or Missing(f"the node {row['node']} does not tell its cores"),
            node_memory=host.get("memory") or Missing(f"the node {row['node']} does not tell its memory"),
            **(environment | self._inside(row, config, here)),
        )  # fmt: skip

    def _config(self, host: Kept, here: tuple[str | int, ...]) -> Any:
        if not host.get("is_online", True):
            return Missing(f"the node {here[1]} is offline")
        return self._questions.mapping(*here, "config")

    def _firewall(self, config: Any, here: tuple[str | int, ...]) -> Firewall:
        if isinstance(config, Missing):
            return Firewall(options=config, rules=config)
        rules = self._questions.rows(*here, "firewall", "rules")
        groups = self._kept.get("groups", {})
        return Firewall(
            options=self._questions.mapping(*here, "firewall", "options"),
            rules=rules if isinstance(rules, Missing) else _tuple(with_groups(rules, groups)),
        )

    def _backups(self, vmid: int) -> tuple[BackupFacts, ...] | Missing:
        told = unpack(self._kept["backups"])
        last = told if isinstance(told, Missing) else unpack(told.get(str(vmid), {}))
        if isinstance(last, Missing) or not last:
            return last or ()
        return (
            BackupFacts(
                at=datetime.fromisoformat(last["at"]), volume=last["volume"], is_encrypted=last["is_encrypted"]
            ),
        )

    def _is_saved(self, vmid: int) -> bool | Missing:
        saved = unpack(self._kept["saved"])
        return saved if isinstance(saved, Missing) else vmid in saved

    def _storages(self, node: str, host: Kept) -> Any:
        found = self._kept["storages"].get(node, {})
        return {name: storage_facts(name, told, host) for name, told in found.items()}

    # -- what only the guest itself and its disks tell ---------------------------------------------
    def _inside(self, row: Kept, config: Any, here: tuple[str | int, ...]) -> dict[str, Any]:
        if not self._is_deep or isinstance(config, Missing):
            why = SHALLOW if not isinstance(config, Missing) else config
            return dict.fromkeys(("snapshots", "agent_answers", "system", "addresses", "password"), why)
        told = {"snapshots": self._snapshots(here), "password": self._password(config, here)}
        if row["kind"] == "lxc":
            system = _of_type(config)
            return told | {"system": system, "addresses": self._of_container(row, here)}
        return told | self._by_agent(row, config, here)

    def _snapshots(self, here: tuple[str | int, ...]) -> dict[str, datetime] | Missing:
        found = self._questions.rows(*here, "snapshot")
        if isinstance(found, Missing):
            return found
        return {text(row, "name"): moment(row["snaptime"]) for row in found if row.get("snaptime")}

    def _password(self, config: Kept, here: tuple[str | int, ...]) -> PasswordFacts | None | Missing:
        if here[2] == "lxc" or not config.get("cipassword"):
            return None
        return self._questions.ask(_password_of, *here, "cloudinit", "dump", type="user", is_optional=True)

    def _of_container(self, row: Kept, here: tuple[str | int, ...]) -> Any:
        if row["status"] != "running":
            return Missing("its addresses are only known while it runs")
        return self._questions.ask(_container_addresses, *here, "interfaces", is_optional=True)

    def _by_agent(self, row: Kept, config: Kept, here: tuple[str | int, ...]) -> dict[str, Any]:
        """What the agent tells, and whether it answers at all."""
        parts = parse_properties(str(config.get("agent", "0")))
        is_asked = (parts.get("enabled") or parts.get("", "0")).lower() in ON and row["status"] == "running"
        if not is_asked:
            why = Missing("it has no guest agent" if row["status"] == "running" else "it does not run")
            return {"agent_answers": why, "system": why, "addresses": why}
        system = self._questions.ask(system_of, *here, "agent", "get-osinfo")
        if isinstance(system, Missing):
            return {"agent_answers": False if system.why == MUTE else system, "system": system, "addresses": system}
        addresses = self._questions.ask(_agent_addresses, *here, "agent", "network-get-interfaces", is_optional=True)
        return {"agent_answers": True, "system": system, "addresses": addresses}


def _tags(config: Any) -> tuple[str, ...]:
    return () if isinstance(config, Missing) else parse_tags(str(config.get("tags", "")))


def _tuple(found: Any) -> Any:
    return found if isinstance(found, Missing) else tuple(found)


def _of_type(config: Kept) -> Missing:
    """Of a container only the family is known: no call of Proxmox reads a file in it, such as /etc/os-release."""
    family = str(config.get("ostype") or "unmanaged")[:30]
    named = "no distribution" if family == "unmanaged" else family
    return Missing(
        f"the configuration of the container names {named} and no version, and the interface of Proxmox reads no file in it"
    )


def system_of(answer: Any) -> SystemFacts:
    """What the agent says of the system, in the words of the table of lifetimes."""
    told = mapping(mapping(answer, "osinfo").get("result", answer), "osinfo")
    name = str(told.get("pretty-name") or told.get("name") or "")[:100]
    server, client = _WINDOWS_SERVER.search(name), _WINDOWS.search(name)
    if server:
        return SystemFacts(family="windows-server", version=server[1], name=name)
    if client:
        return SystemFacts(
            family="windows", version=_client(name, client[1], str(told.get("kernel-release", ""))), name=name
        )
    version = str(told.get("version-id") or told.get("version") or "")
    return SystemFacts(family=str(told.get("id", "")).lower(), version=version[:30], name=name)


def _client(name: str, major: str, build: str) -> str:
    """The version of a client of Windows: `8.1`, `10.19045-w`, `lts.19044`. The build counts: Windows 11 often calls itself 10."""
    build = build.rpartition(".")[2]
    if not build.isdecimal() or major not in {"10", "11"}:
        return major
    if _LONG_TERM.search(name):
        return f"lts.{build}"
    return f"{11 if int(build) >= _ELEVEN else 10}.{build}-{'w' if _HOME.search(name) else 'e'}"


def _password_of(seed: Any) -> PasswordFacts | None:
    """Of the password of a seed only whether it is hashed, and whether it is one that everybody tries."""
    found = _PASSWORD.search(str(seed))
    if found is None:
        return None
    said = found[1].strip().strip("'\"")
    if _HASH.match(said):
        return PasswordFacts(is_plain=False)
    return PasswordFacts(is_plain=True, is_default=said.lower() in DEFAULTS)


def _agent_addresses(answer: Any) -> dict[str, tuple[str, ...]]:
    found = rows(mapping(answer, "interfaces").get("result", []), "interfaces")
    return {
        str(row.get("hardware-address", "")).upper(): tuple(
            str(one.get("ip-address")) for one in row.get("ip-addresses") or ()
        )
        for row in found
    }


def _container_addresses(answer: Any) -> dict[str, tuple[str, ...]]:
    return {
        str(row.get("hwaddr", "")).upper(): tuple(
            str(ip_interface(row[name]).ip) for name in ("inet", "inet6") if row.get(name)
        )
        for row in rows(answer, "interfaces")
    }
