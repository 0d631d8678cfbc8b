"""What a draft still assumes, after somebody said more."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from blueprints.revising.matching import stem
from blueprints.schema import Resource

_SIZES = re.compile(
    r"(?P<kind>[^:]+): (?P<names>(?:cpu|memory|disk)(?:, (?:cpu|memory|disk))*) (?P<rest>not given, .+)"
)
_COUNT = re.compile(r"(?P<kind>[^:]+): \d+, because ")


def still_assumed(assumptions: Iterable[Any], resources: Sequence[Resource], causes: Mapping[str, Any]) -> list[Any]:
    """The assumptions without the values that have another cause by now; what is gone, or called otherwise, has its own word."""
    said = (_still(line, resources, causes) if isinstance(line, str) else line for line in assumptions)
    return [line for line in said if line]


def _still(line: str, resources: Sequence[Resource], causes: Mapping[str, Any]) -> str:
    found = _SIZES.fullmatch(line) or _COUNT.match(line)
    if found is None:
        return line
    kind = found["kind"]
    alike = [_causes_of(one.name, causes) for one in resources if kind in (one.name, stem(one.name))]
    if "names" not in found.groupdict():
        return "" if any("words" in _cause(rows, "count") for rows in alike) else line
    names = [name for name in found["names"].split(", ") if any("default" in _cause(rows, name) for rows in alike)]
    return f"{kind}: {', '.join(names)} {found['rest']}" if names else ""


def _causes_of(name: str, causes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those of a resource, or of all its siblings."""
    found = causes.get(name) or causes.get(stem(name))
    return found if isinstance(found, Mapping) else {}


def _cause(rows: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = rows.get(name)
    return found if isinstance(found, Mapping) else {}
