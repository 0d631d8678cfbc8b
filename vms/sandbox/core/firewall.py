"""Firewalls of the cluster, of nodes, guests and vnets: rules, options, aliases and sets of addresses."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass

from vms.sandbox.core import sections
from vms.sandbox.core.errors import die, wrong
from vms.sandbox.core.formats import interface
from vms.sandbox.core.model import Entry, Json
from vms.sandbox.core.parameters import FormatError
from vms.sandbox.core.world import World

Rule = dict[str, Json]
NAME = r"[A-Za-z][A-Za-z0-9\-\_]+"
WITH_PORTS = {"tcp", "udp", "udplite", "sctp", "dccp", "6", "17", "136", "132", "33"}
_ICMP = {"icmp", "icmpv6", "ipv6-icmp"}
_DIRECTIONS = {
    "cluster": ("in", "out", "forward", "group"), "host": ("in", "out", "forward", "group"), "vm": ("in", "out", "group"),
    "ct": ("in", "out", "group"), "group": ("in", "out", "forward"), "vnet": ("forward", "group"),
}  # fmt: skip
MACROS = {
    "Ceph": "Ceph Storage Cluster traffic", "DNS": "Domain Name System traffic (upd and tcp)", "FTP": "File Transfer Protocol",
    "GRE": "Generic Routing Encapsulation tunneling protocol", "Git": "Git distributed revision control traffic",
    "HTTP": "Hypertext Transfer Protocol (WWW)", "HTTPS": "Hypertext Transfer Protocol (WWW) over SSL",
    "IMAP": "Internet Message Access Protocol", "IMAPS": "Internet Message Access Protocol over SSL",
    "IPsec": "IPsec traffic", "LDAP": "Lightweight Directory Access Protocol traffic",
    "LDAPS": "Secure Lightweight Directory Access Protocol traffic", "MDNS": "Multicast DNS", "MSSQL": "Microsoft SQL Server",
    "Mail": "Mail traffic (SMTP, SMTPS, Submission)", "MySQL": "MySQL server", "NTP": "Network Time Protocol (ntpd)",
    "OpenVPN": "OpenVPN traffic", "POP3": "POP3 traffic", "Ping": "ICMP echo request", "PostgreSQL": "PostgreSQL server",
    "RDP": "Microsoft Remote Desktop Protocol traffic", "Rsync": "Rsync server", "SMB": "Microsoft SMB traffic",
    "SMTP": "Simple Mail Transfer Protocol", "SMTPS": "Encrypted Simple Mail Transfer Protocol",
    "SNMP": "Simple Network Management Protocol", "SPICEproxy": "Proxmox VE SPICE display proxy traffic",
    "SSH": "Secure shell traffic", "Syslog": "Syslog protocol (RFC 5424) traffic", "TFTP": "Trivial File Transfer Protocol traffic",
    "Telnet": "Telnet traffic", "VNC": "VNC traffic for VNC display's 0 - 99", "Web": "WWW traffic (HTTP and HTTPS)",
    "Webcache": "Web Cache/Proxy traffic (port 8080)", "Whois": "Whois (nicname, RFC 3912) traffic",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose firewall: `kind` decides which rules are possible, `lock` is what its lock is called."""

    kind: str
    name: str
    lock: str


CLUSTER = Scope("cluster", "cluster", "cluster")
_EMPTY: dict[str, Json] = {"options": {}, "rules": [], "aliases": {}, "ipsets": {}, "groups": {}}


def config(world: World, scope: Scope) -> dict[str, Json]:
    """The firewall's configuration, to look at."""
    entry = world.state.entries.get(f"firewall {scope.name}")
    return _EMPTY if entry is None else entry.values


@contextmanager
def changing(world: World, scope: Scope) -> Iterator[dict[str, Json]]:
    """The configuration, to change: a refusal inside leaves it as it was, and names the lock."""
    values: dict[str, Json] = {
        "options": dict(config(world, scope)["options"]), "rules": _copies(config(world, scope)["rules"]),
        "aliases": dict(config(world, scope)["aliases"]),
        "ipsets": {name: _copy_of_set(one) for name, one in config(world, scope)["ipsets"].items()},
        "groups": {name: {**one, "rules": _copies(one["rules"])} for name, one in config(world, scope)["groups"].items()},
    }  # fmt: skip
    with sections.plain_locked(f"firewall-{scope.lock}"):
        yield values
        world.state.entries.put(Entry("firewall", scope.name, values))


def _copies(rules: list[Rule]) -> list[Rule]:
    return [dict(rule) for rule in rules]


def _copy_of_set(one: dict[str, Json]) -> dict[str, Json]:
    return {**one, "entries": _copies(one["entries"])}


def forget(world: World, name: str) -> None:
    """Whoever had a firewall is gone."""
    entry = world.state.entries.get(f"firewall {name}")
    if entry is not None:
        world.state.entries.remove(entry)


def copy(world: World, name: str, other: str) -> None:
    """A clone has the firewall of what it was cloned from."""
    entry = world.state.entries.get(f"firewall {name}")
    if entry is not None:
        world.state.entries.put(Entry("firewall", other, deepcopy(entry.values)))


def with_digest(found: list[Rule]) -> list[Rule]:
    digest = sections.digest_of(found)
    return [{**row, "digest": digest} for row in found]


def rows(rules: list[Rule]) -> list[Rule]:
    """Rules with their places."""
    return [{**rule, "pos": place} for place, rule in enumerate(with_digest(rules))]


def at(rules: list[Rule], place: int) -> Rule:
    if place >= len(rules):
        raise die(f"no rule at position {place}")
    return rules[place]


def move(rules: list[Rule], place: int, target: int) -> list[Rule]:
    """The rules with one of them put before the place that `target` is now."""
    moved, rest = rules[place], [*rules]
    if target > place:
        rest.insert(min(target, len(rest)), moved)
        rest.pop(place)
    else:
        rest.pop(place)
        rest.insert(target, moved)
    return rest


def verify(world: World, scope: Scope, kind: str, rule: Rule) -> None:
    """Refuse a rule that means nothing, or that is not possible where it stands."""
    _verify_direction(kind, rule)
    _verify_interface(kind, rule)
    macro = str(rule.get("macro") or "")
    if macro:
        known = {name.lower(): name for name in MACROS}
        if macro.lower() not in known:
            raise wrong({"macro": f"unknown macro '{macro}'"})
        rule["macro"] = known[macro.lower()]
    _verify_ports(rule)
    for key in ("source", "dest"):
        _verify_reference(world, scope, key, str(rule.get(key) or ""))


def _verify_direction(kind: str, rule: Rule) -> None:
    type, action = rule["type"], str(rule["action"])
    if type == "group" and kind == "group":
        raise wrong({"type": "security groups not allowed"})
    if type not in _DIRECTIONS[kind]:
        raise wrong({"type": f"invalid rule type '{type}' for rule_env '{kind}'"})
    if type == "group":
        if not re.fullmatch(NAME, action):
            raise wrong({"action": "invalid characters in security group name"})
    elif type == "forward" and action == "REJECT":
        raise wrong({"action": "cannot define REJECT rules on forward chain"})
    elif action not in {"ACCEPT", "DROP", "REJECT"}:
        raise wrong({"action": f"unknown action '{action}'"})


def _verify_interface(kind: str, rule: Rule) -> None:
    name = str(rule.get("iface") or "")
    if not name:
        return
    if kind == "vnet":
        raise wrong({"type": "parameter -i not allowed for this rule type"})
    try:
        interface(name)
    except FormatError as error:
        raise wrong({"iface": str(error)}) from error
    if kind in {"vm", "ct"} and not re.fullmatch(r"net\d+", name):
        raise wrong({"iface": "value does not match the regex pattern 'net\\d+'"})


def _verify_ports(rule: Rule) -> None:
    proto = str(rule.get("proto") or "")
    for key in ("dport", "sport"):
        if not rule.get(key):
            continue
        if not proto:
            raise wrong({"proto": f"missing property - '{key}' requires this property"})
        if proto not in WITH_PORTS and not (proto in _ICMP and key == "dport"):
            raise wrong({key: f"protocol '{proto}' does not support ports"})
    if rule.get("icmp-type") and proto not in _ICMP:
        raise wrong({"proto": "missing property - 'icmp-type' requires this property"})


def _verify_reference(world: World, scope: Scope, key: str, value: str) -> None:
    """A source or destination may name a set (`+web`) or an alias."""
    own, whole = config(world, scope), config(world, CLUSTER)
    named_set = re.fullmatch(rf"\+(guest/|dc/|sdn/)?({NAME})", value)
    alias = re.fullmatch(rf"(guest/|dc/)?({NAME})", value)
    if named_set and named_set[2] not in {**own["ipsets"], **whole["ipsets"]}:
        raise wrong({key: f"no such ipset '{named_set[2]}'"})
    if alias and alias[2].lower() not in {**own["aliases"], **whole["aliases"]}:
        raise wrong({key: f"no such alias '{value}'"})


def references(found: dict[str, Json], scope: str, wanted: str) -> list[Rule]:
    """The aliases and sets that a rule may name."""
    listed: list[Rule] = []
    for key, kind, sign in (("ipsets", "ipset", "+"), ("aliases", "alias", "")):
        for name, one in sorted(found[key].items()) if wanted in {"", kind} else ():
            comment = {"comment": one["comment"]} if one.get("comment") else {}
            shown = one.get("name", name)
            listed.append({"type": kind, "name": shown, "ref": f"{sign}{scope}/{shown}", "scope": scope, **comment})
    return listed
