"""YAML and JSON: every mapping that says how many or how large is a record, named by its key or its "name"."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import yaml

from blueprints.generation.records.cells import Cell, Found, Record, is_value, meaning

_KEY = re.compile(r"^[ \t]*(?:- +)?[\"']?\w[\w .-]{0,39}[\"']?[ \t]{0,9}:(?:[ \t]|$)")
_FLOW = re.compile(r":[ \t]+[{]\s*[\w\"']+\s*:")
"""A mapping behind its key: "api: {count: 3}"."""
_MOST_DEPTH = 12
_QUOTES = ("'", '"')
_TITLES = ("name", "title", "version", "apiversion", "kind", "description", "project")
_APART = ("interfaces", "nics", "networks", "disks", "volumes")
"""Lists of parts of a machine, not of machines."""
_COMMON = ("vlan", "subnet", "gateway", "os")
_OF_ONE = {"name", "os", "cpu", "memory", "disk", "count", "gpu", "ip", "vlan", "backup", "retention"}
_POLICIES = ("backup", "backups", "network")
_NESTED = ("resources", "specs", "spec", "hardware", "size", "requirements")


def trees(text: str) -> Found:
    """The records of the first block that parses: braces, or lines of keys."""
    records: list[Record] = []
    spans: list[tuple[int, int]] = []
    for begin, end in _blocks(text):
        root = _composed(text[begin:end])
        for record, first, last in _records(root, None, 0) if root is not None else ():
            records.append([replace(cell, start=cell.start + begin) for cell in record])
            spans.append((first + begin, last + begin))
        if spans and root is not None:
            spans += [(first + begin, last + begin) for first, last in _titles(root)]
    return Found(records, spans)


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Where braces are, and where two or more lines of keys follow each other."""
    brace = re.search(r"^[ \t]*[{\[]\s*[{\"]", text, re.MULTILINE)
    if brace:
        end = max(text.rfind("}"), text.rfind("]")) + 1
        if end > brace.start():
            yield brace.start(), end
        return
    begin, keys, position, indented = 0, 0, 0, False
    for line in [*text.split("\n"), "end of text"]:
        is_key = _KEY.match(line) is not None
        if is_key or (keys and (line.startswith((" ", "- ")) or not line.strip())):
            begin = begin if keys else position
            keys += is_key
            indented |= is_key and (line[:1] in (" ", "\t", "-") or _FLOW.search(line) is not None)
        else:
            if keys > 1 and (indented or _is_one_machine(text[begin:position])):
                yield begin, min(position, len(text))
            keys, indented = 0, False
        position += len(line) + 1


def _is_one_machine(block: str) -> bool:
    """ "name: reports-db", "os: rocky 9", "cpu: 8": lines that only describe one machine, each another side of it."""
    columns = [meaning(line.split(":")[0].strip())[0] for line in block.split("\n") if line.strip()]
    single = [column for column in columns if column != "what"]
    is_known = "name" in single and "what" in columns and set(single) <= _OF_ONE
    return is_known and len(single) == len(set(single)) and sum(map(is_value, single)) > 1


def _composed(text: str) -> yaml.Node | None:
    """The tree, with the places of its nodes; nothing when it is none, or one with aliases."""
    if re.search(r"[&*]\w", text) or (text.lstrip()[:1] in "{[" and not _is_json(text)):
        return None
    try:
        node: yaml.Node | None = yaml.compose(text, yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError):
        return None
    return node


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _titles(root: yaml.Node) -> Iterator[tuple[int, int]]:
    """What the whole is called is no machine."""
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if isinstance(value, yaml.ScalarNode) and str(key.value).lower() in _TITLES:
            yield int(key.start_mark.index), int(value.end_mark.index)


def _records(node: yaml.Node, key: yaml.Node | None, depth: int) -> Iterator[tuple[Record, int, int]]:
    """Records of a tree with their places: what has values of its own is one, what has not holds some."""
    if depth > _MOST_DEPTH:
        return
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _records(item, None, depth + 1)
    elif isinstance(node, yaml.MappingNode):
        cells = list(_cells(node, depth))
        below = [found for name, value in node.value for found in _machines_below(name, value, depth)]
        if any(is_value(cell.column) for cell in cells) and not below:
            yield from _named(cells, node, key)
            return
        common = [cell for cell in cells if cell.column in _COMMON]
        yield from (([*record, *_lacking(record, common)], start, end) for record, start, end in below)


def _machines_below(name: yaml.Node, value: yaml.Node, depth: int) -> Iterator[tuple[Record, int, int]]:
    """Records inside of this value, if it can hold machines."""
    said = str(name.value).lower()
    is_of_machine = said in _NESTED and any(is_value(cell.column) for cell in _scalars(value, depth))
    if said not in (*_APART, *_POLICIES) and not is_of_machine:
        yield from _records(value, name, depth + 1)


def _scalars(node: yaml.Node, depth: int) -> Iterator[Cell]:
    if isinstance(node, yaml.MappingNode):
        yield from _cells(node, depth + 1)


def _lacking(record: Record, common: list[Cell]) -> list[Cell]:
    """What is said of all, where the record says nothing of it."""
    return [cell for cell in common if all(own.column != cell.column for own in record)]


def _named(cells: list[Cell], node: yaml.Node, key: yaml.Node | None) -> Iterator[tuple[Record, int, int]]:
    """The record and, when it has no name of its own, the key that it stands behind."""
    start, end = int(node.start_mark.index), int(node.end_mark.index)
    if key is not None and all(cell.column != "name" for cell in cells):
        quote = int(isinstance(key, yaml.ScalarNode) and key.style in _QUOTES)
        yield [Cell("name", "", str(key.value), key.start_mark.index + quote), *cells], key.start_mark.index, end
    else:
        yield cells, start, end


def _cells(node: yaml.MappingNode, depth: int) -> Iterator[Cell]:
    """Scalars of the mapping, lists of them, and those one level below: "resources: {cpu: 2}"."""
    for name, value in node.value:
        column, unit = meaning(str(name.value))
        if isinstance(value, yaml.SequenceNode) and column:
            yield from (_cell(column, unit, item) for item in value.value if isinstance(item, yaml.ScalarNode))
        elif isinstance(value, yaml.ScalarNode) and column and value.value:
            yield _cell(column, unit, value)
        elif isinstance(value, yaml.MappingNode) and _is_nested(str(name.value).lower(), depth):
            yield from _cells(value, depth + 1)


def _is_nested(name: str, depth: int) -> bool:
    """What belongs to the machine above it; at the top, a network or a policy is for all."""
    return name in _NESTED or (depth > 0 and name in _POLICIES)


def _cell(column: str, unit: str, node: yaml.ScalarNode) -> Cell:
    return Cell(column, unit, str(node.value), int(node.start_mark.index) + int(node.style in _QUOTES))
