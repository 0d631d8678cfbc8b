"""A record turned into machines: each cell is read as what its heading says."""

import re
from collections.abc import Callable
from decimal import Decimal
from ipaddress import ip_interface

from blueprints.generation.combining import combine
from blueprints.generation.facts import Cause, Group
from blueprints.generation.hostnames import SIX
from blueprints.generation.lexicon import fold, software_facts
from blueprints.generation.records.cells import Cell, Record
from blueprints.generation.tagging import tag
from blueprints.generation.tokens import Token
from blueprints.schema.names import guest_name
from blueprints.schema.sizes import UNITS

_NUMBER = re.compile(r"\d{1,9}(?:[.,]\d{1,3})?")
_SIZE = re.compile(r"(?P<number>\d{1,9}(?:[.,]\d{1,3})?)\s*(?P<unit>[a-zA-Z]{1,9})?")
_ADDRESS = re.compile(rf"\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?:/\d{{1,2}})?|{SIX}(?:/\d{{1,3}})?", re.IGNORECASE)
_ENOUGH_MEGABYTES = 256
"""A bare number of memory that large is in MB."""
_YES = ("yes", "y", "true", "ja", "oui", "si", "x", "1", "on")


def groups_of(record: Record) -> list[Group]:
    """The machines of a record: one group, or none when it says nothing about machines."""
    group = Group(is_counted=True)
    for cell in record:
        if cell.column in _READINGS:
            _READINGS[cell.column](group, cell)
    for cell in record:
        if cell.column == "needs":
            group.wants.append(cell.text)
    _settle(group, record)
    return [] if group.is_vague and group.gpu == 0 else [group]


def _settle(group: Group, record: Record) -> None:
    """What the name tells when nothing else does, and the role of the software."""
    if group.is_generic:
        for cell in (cell for cell in record if cell.column == "name"):
            _what(group, cell, " ")
    for name in group.software:
        group.role = group.role or software_facts(name).get("role", "")
    group.is_exact = False


def _tokens(cell: Cell) -> list[Token]:
    return combine(tag(cell.text)[0])


def _cause(cell: Cell) -> Cause:
    return Cause(" ".join(cell.text.split()), cell.start, cell.end)


def _name(group: Group, cell: Cell) -> None:
    """A name of one word; several words say what it is."""
    if re.fullmatch(r"[\w.-]+", cell.text, re.ASCII) and guest_name(cell.text) and not cell.text.isdigit():
        group.set("name", guest_name(cell.text), _cause(cell))
    else:
        _what(group, cell)


def _what(group: Group, cell: Cell, between: str = "") -> None:
    """Role, software, kind, system and count, whichever the words name; of a name, the words `between` its marks."""
    text = re.sub(r"[-_.\d]", between, cell.text) if between else cell.text
    for token in combine(tag(text)[0]):
        if token.kind == "software" and token.value not in group.software:
            group.software.append(token.value)
            group.causes.setdefault("software", _cause(cell))
        elif (said := _said(token)) and not getattr(group, said[0]):
            group.set(*said, _cause(cell))
        group.words.add(fold(token.text))


def _said(token: Token) -> tuple[str, object] | None:
    """What a word says of the machines of its row."""
    if token.kind in ("role", "os"):
        return token.kind, token.value
    if token.kind == "machine" and token.value != "any":
        return "kind", token.value
    is_times = token.kind == "number" and token.text.lower().strip()[-1:] in ("x", "×")
    return ("count", max(1, int(token.value))) if is_times else None


def _system(group: Group, cell: Cell) -> None:
    system = next((token.value for token in _tokens(cell) if token.kind == "os"), None)
    if system:
        group.set("os", system, _cause(cell))
    else:
        _what(group, cell)


def _whole(name: str) -> Callable[[Group, Cell], None]:
    def read(group: Group, cell: Cell) -> None:
        number = _NUMBER.search(cell.text)
        if number and float(number[0].replace(",", ".")) >= 1:
            group.set(name, int(float(number[0].replace(",", "."))), _cause(cell))
        elif name == "gpu" and cell.text.lower() in _YES:
            group.set("gpu", 1, _cause(cell))

    return read


def _size(name: str) -> Callable[[Group, Cell], None]:
    def read(group: Group, cell: Cell) -> None:
        sizes = [size for size in (_bytes(match, cell, name) for match in _SIZE.finditer(cell.text)) if size]
        if not sizes:
            return
        if getattr(group, name) is None:
            group.set(name, sizes[0], _cause(cell))
            sizes = sizes[1:]
        if name == "disk":
            group.further_disks += sizes

    return read


def _bytes(match: re.Match[str], cell: Cell, name: str) -> int:
    """The unit of the cell, or of the heading, or what is usual."""
    number, unit = Decimal(match["number"].replace(",", ".")), (match["unit"] or cell.unit).lower()
    if unit not in UNITS:
        unit = "mb" if name == "memory" and number >= _ENOUGH_MEGABYTES else "gb"
    return int(number * UNITS[unit])


def _address(group: Group, cell: Cell) -> None:
    for found in _ADDRESS.findall(cell.text):
        if _is_address(found):
            group.ips.append(found)
            group.causes["ip"] = _cause(cell)


def _is_address(text: str) -> bool:
    try:
        return bool(ip_interface(text))
    except ValueError:
        return False


def _network(name: str) -> Callable[[Group, Cell], None]:
    def read(group: Group, cell: Cell) -> None:
        found = _ADDRESS.search(cell.text)
        if found and _is_address(found[0]):
            group.set(name, found[0], _cause(cell))
        elif name == "subnet" and (vlan := re.search(r"\bvlan\s?(\d{1,4})", cell.text, re.IGNORECASE)):
            group.set("vlan", int(vlan[1]), _cause(cell))

    return read


def _backup(group: Group, cell: Cell) -> None:
    tokens = _tokens(cell)
    schedule = next((token.value for token in tokens if token.kind == "schedule"), None)
    days = next((token.value for token in tokens if token.kind == "days"), None)
    if schedule or days or cell.text.lower() in _YES:
        group.set("backup_schedule", schedule or group.backup_schedule or "daily", _cause(cell))
    if days:
        group.set("backup_days", days, _cause(cell))


def _spread(group: Group, cell: Cell) -> None:
    if cell.text.lower() in _YES:
        group.set("is_spread", True, _cause(cell))


def _retention(group: Group, cell: Cell) -> None:
    days = next((token.value for token in _tokens(cell) if token.kind == "days"), None)
    number = _NUMBER.search(cell.text)
    if days or number:
        group.set("backup_days", int(days or (number and number[0]) or 0), _cause(cell))


_READINGS: dict[str, Callable[[Group, Cell], None]] = {
    "name": _name,
    "what": _what,
    "os": _system,
    "cpu": _whole("cpu"),
    "count": _whole("count"),
    "gpu": _whole("gpu"),
    "vlan": _whole("vlan"),
    "memory": _size("memory"),
    "disk": _size("disk"),
    "ip": _address,
    "subnet": _network("subnet"),
    "gateway": _network("gateway"),
    "backup": _backup,
    "spread": _spread,
    "retention": _retention,
}
