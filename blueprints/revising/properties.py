"""What words say of a machine beside its sizes: on what storage it lies, on which node it runs, its ports, its time zone."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from django.utils.translation import gettext as _

from blueprints.generation.lexicon import fold
from blueprints.revising.hearing import Heard, hear, mentions, spots_of

_SLUG = r"[a-z][a-z0-9_]*(?:-[a-z0-9_]+)+|[a-z][a-z0-9_-]*\d[\w-]*|ceph|zfs|lvm|local"
"""What a storage or a node is called, and no everyday word."""
_PLACE = r"(?:on|onto|to|in|auf|nach|sur|vers|en|su|sul|sulla|sullo|use|nimm|utilise|usa)"
_POOL = re.compile(
    rf"\b(?:storage pool|storage|datastore|pool|speicher|speicherpool|stockage|almacenamiento|archiviazione)"
    rf" (?:called |named |namens )?(?P<after>{_SLUG})\b"
    rf"|\b{_PLACE} (?:the |den |dem |le |el |lo |il )?(?P<before>{_SLUG}) (?:storage|datastore|pool|speicher)\b"
    rf"|\b{_PLACE} (?:the )?(?P<known>(?:local|ceph|zfs|rbd|nfs|lvm)(?:-[a-z0-9_-]+)|ceph)\b(?! (?:for|als|as|comme|como|come)\b)"
)
_NODE = re.compile(
    rf"\b(?:node|host|knoten|noeud|nodo|hypervisor|hote)s? (?:called |named )?(?P<named>{_SLUG})\b"
    rf"|\b{_PLACE} (?P<known>(?:pve|proxmox|prox|node|hv|host)-?\d+)\b"
)
_PORTS = re.compile(
    r"\b(?:ports?|puertos?|porte|porta|porten)\s+(?P<ports>\d{1,5}(?:\W+(?:(?:and|und|et|y|e)\W+)?\d{2,5})*)"
)
_ZONE = re.compile(r"\b[A-Z]\w+(?:/[A-Z]\w+(?:[-_][A-Z]\w+)*)+\b|\bUTC\b")
_KEY = re.compile(r"\b(?:ssh-(?:ed25519|rsa)|ecdsa-sha2-[\w-]+) [A-Za-z0-9+/=]{20,}(?: [\w.@-]+)?")
_USER = re.compile(r"\b(?:user|benutzer|utilisateur|usuario|utente)(?:name)?(?: (?:is|shall be|should be|called|named|soll|ist|est|es|heisst|s appelle|se llama|si chiama|to|auf|a|e|=))*[ :]+(?P<user>[a-z_][a-z0-9_-]*)")  # fmt: skip
_NAMESERVER = re.compile(
    r"\b(?:dns|nameserver|name server|resolver)\b[^.\d]*(?P<ip>\d+(?:\.\d+){3})|(?P<ip2>\d+(?:\.\d+){3})\b[^.\d]*\b(?:as|als|comme|como|come)\b.*\b(?:dns|nameserver|resolver)\b"
)
_BRIDGE = re.compile(r"\b(?P<bridge>vmbr\d{1,4})\b")
_MTU = re.compile(r"\bmtu\W+(?:(?:of|to|von|auf|de|a|di)\W+)?(?P<mtu>\d{3,5})\b")
_RELEASE = re.compile(r"[\s-]*(?:(?:to|auf|a|version|v|release|versione)\s*)*(?P<release>\d{1,4}(?:\.\d{1,4}){0,2})(?![\w.]*\d)(?! ?(?:[kmgt]i?[bo]|cores?|kerne|machines?|servers?|nodes?|vms?)\b)")  # fmt: skip


@dataclass(frozen=True)
class Property:
    """A value of specs, how the change is told, and whether it comes beside the values that are there."""

    key: str
    value: Any
    told: str
    is_further: bool = False


def properties(heard: Heard) -> list[Property]:
    """Those that the words name."""
    return [found for read in _READERS for found in read(heard)]


def _storage(heard: Heard) -> Iterator[Property]:
    """A storage by its name, or what disks it is made of."""
    found = _POOL.search(fold(heard.text))
    if found:
        name = found["after"] or found["before"] or found["known"]
        yield Property("storage_pool", name, _("on the storage %(name)s") % {"name": name})
    kind = next((kind for kind in ("nvme", "ssd", "hdd") if heard.has("storage", kind)), "")
    if kind and not found:
        yield Property(
            "disk_type",
            kind,
            _("on %(kind)s storage (noted, but only the name of a storage chooses one)") % {"kind": kind.upper()},
        )


def _node(heard: Heard) -> Iterator[Property]:
    if found := _NODE.search(fold(heard.text)):
        name = found["named"] or found["known"]
        yield Property("node", name, _("on the node %(name)s") % {"name": name})


def _ports(heard: Heard) -> Iterator[Property]:
    if found := _PORTS.search(fold(heard.text)):
        ports = [int(number) for number in re.findall(r"\d+", found["ports"])]
        yield Property("ports", ports, _("port %(numbers)s") % {"numbers": ", ".join(map(str, ports))}, is_further=True)


def _switches(heard: Heard) -> Iterator[Property]:
    """What is on or off."""
    is_on = not (heard.denies or heard.has("sentences", "declining") or heard.position("operations", "remove") == 0)
    if heard.has("switches", "start"):
        yield Property("start", is_on, _("starts with its node") if is_on else _("does not start with its node"))
    if heard.has("switches", "protected"):
        yield Property("protected", is_on, _("protected from deletion") if is_on else _("not protected from deletion"))
    if heard.has("switches", "dhcp") and is_on and not mentions(heard, "machine", "any"):
        yield Property("dhcp", True, _("its address by DHCP"))


def _system(heard: Heard) -> Iterator[Property]:
    """Its time zone, user and key."""
    for zone in _ZONE.findall(heard.text):
        if zone in available_timezones():
            yield Property("timezone", zone, _("time zone %(zone)s") % {"zone": zone})
    if key := _KEY.search(heard.text):
        yield Property("ssh_keys", [key[0]], _("one more SSH key"), is_further=True)
    elif found := _USER.search(fold(heard.text)):
        yield Property("user", found["user"], _("user %(name)s") % {"name": found["user"]})


def _network(heard: Heard) -> Iterator[Property]:
    text = fold(heard.text)
    if (found := _NAMESERVER.search(text)) and heard.verb != "add":
        address = found["ip"] or found["ip2"]
        yield Property("dns", [address], _("DNS server %(address)s") % {"address": address})
    if found := _BRIDGE.search(text):
        yield Property("bridge", found["bridge"], _("on the bridge %(name)s") % {"name": found["bridge"]})
    if found := _MTU.search(text):
        yield Property("mtu", int(found["mtu"]), f"MTU {found['mtu']}")


def _tags(heard: Heard) -> Iterator[Property]:
    """ "Tag the web servers with frontend"."""
    at = heard.position("switches", "tag")
    rest = hear(heard.text).part(at + 1) if at is not None else None
    if rest and (found := re.search(r"\b(?:with|as|mit|als|avec|comme|con|como|come)\s+[\"“']?([\w-]+)", rest.text)):
        yield Property("tags", [found[1].lower()], _("tag %(name)s") % {"name": found[1].lower()}, is_further=True)


def _release(heard: Heard) -> Iterator[Property]:
    """ "PostgreSQL 16", "postgres to 14": which release of what runs."""
    for _at, end, (kind, _value) in spots_of(heard):
        if kind == "software" and (found := _RELEASE.match(fold(heard.part(end).text))):
            yield Property("version", found["release"], _("version %(number)s") % {"number": found["release"]})
            return


_READERS: tuple[Callable[[Heard], Iterator[Property]], ...] = (
    _storage, _node, _ports, _switches, _system, _network, _tags, _release,
)  # fmt: skip
