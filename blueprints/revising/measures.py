"""Sizes, names and values of the parts of a draft, as they are compared, changed and told."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from blueprints.schema import Resource
from blueprints.schema.images import read_image
from blueprints.schema.machines import DEFAULT_CORES, usual_size
from blueprints.schema.sizes import GIB, MIB, format_size

Sizes = dict[str, Any]


def given(resource: Resource) -> dict[str, int]:
    """Its sizes in numbers, those of a usual machine where it has none."""
    specs = resource.specs
    usual_memory, usual_disk = usual_size(read_image(specs.os) if specs.os else None)
    return {
        "cpu": specs.cpu or DEFAULT_CORES,
        "memory": specs.memory or usual_memory,
        "disk": specs.disk or usual_disk,
    }


def sizes_of(resource: Resource) -> Sizes:
    """Its sizes as one writes them."""
    specs = resource.specs
    return {
        "cpu": specs.cpu,
        "memory": format_size(specs.memory) if specs.memory else None,
        "disk": format_size(specs.disk) if specs.disk else None,
        "os": specs.os,
        "count": specs.count or 1,
        "software": list(specs.software or ()),
        "gpu": specs.gpu.count if specs.gpu else None,
        "virtual_ip": specs.virtual_ip[0] if specs.virtual_ip else None,
    }


def told_value(value: Any) -> str:
    """A value in words."""
    return ", ".join(value) if isinstance(value, list) else str(value or "")


def plain(value: Any) -> Any:
    """A value as it is compared, however it was written."""
    return value.replace(" ", "").upper() if isinstance(value, str) else value


def scaled(name: str, value: int, factor: float) -> Any:
    """So many times as much, at least one core or one unit."""
    if name == "cpu":
        return max(1, round(value * factor))
    unit = GIB if value * factor >= GIB else MIB
    return format_size(max(unit, round(value * factor / unit) * unit))


def free(name: str, taken: set[str]) -> str:
    """The name, with a number where another has it."""
    if name.lower() not in taken:
        return name
    return next(f"{name}-{number}" for number in range(2, 1000) if f"{name}-{number}".lower() not in taken)


def numbered(name: str, taken: set[str]) -> str:
    """The next free number after the highest."""
    return next(f"{name}-{number}" for number in range(1, 1000) if f"{name}-{number}".lower() not in taken)


def summary(row: Mapping[str, Any]) -> str:
    """What a resource is, in a few words."""
    specs = row.get("specs") or {}
    parts = [f"{specs['count']} ×" if specs.get("count", 1) != 1 else "", str(row["type"]).replace("_", " ")]
    units = {"cpu": " " + _("cores")}
    sizes = [f"{specs[key]}{units.get(key, '')}" for key in ("cpu", "memory", "disk") if key in specs]
    what = " ".join(part for part in parts if part)
    return _("%(what)s with %(sizes)s") % {"what": what, "sizes": ", ".join(sizes)} if sizes else what
