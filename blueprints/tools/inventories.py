"""Machines of another platform that somebody put into a question: a list in YAML or JSON, with the names that exports give its
columns."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from alma.errors import Invalid
from blueprints.excerpts import blocks
from blueprints.schema.yaml_text import value_of

_LISTS = ("machines", "inventory", "vms", "virtual_machines", "servers", "hosts", "guests", "instances")
_CORES = ("cpu", "cpus", "vcpu", "vcpus", "cores", "num_cpu", "numcpu", "cpu_cores")
_MEMORY = {
    "memory": "GB",
    "ram": "GB",
    "mem": "GB",
    "memory_gb": "GB",
    "ram_gb": "GB",
    "memory_mb": "MB",
    "ram_mb": "MB",
    "memorymb": "MB",
}
_DISK = {
    "disk": "GB",
    "storage": "GB",
    "disk_gb": "GB",
    "storage_gb": "GB",
    "disk_size": "GB",
    "provisioned_gb": "GB",
    "disk_mb": "MB",
}
_GROUP = ("group", "app", "application", "folder", "service")
_STATE = ("is_running", "running", "status", "state", "power_state", "powerstate")
_OFF = frozenset({"false", "off", "stopped", "poweredoff", "powered_off", "shutdown", "down", "0"})


def inventory_in(question: str) -> tuple[list[dict[str, Any]], str]:
    """The machines that stand in a question, as migrate_infrastructure takes them, and the words beside them."""
    found = [block for block in blocks(question, _is_inventory) if _is_inventory(block.text)]
    if len(found) != 1:
        return [], question
    return list(_machines(found[0].text)), f"{question[: found[0].start]} {question[found[0].end :]}".strip()


def _is_inventory(text: str) -> bool:
    return bool(list(_machines(text)))


def _machines(text: str) -> Iterator[dict[str, Any]]:
    """Every row must be a machine: it has a name and a size."""
    rows = _rows(_value(text))
    if all(isinstance(row, dict) and row.get("name") and _sizes(_folded(row)) for row in rows):
        yield from (_machine(_folded(row)) for row in rows)


def _value(text: str) -> Any:
    try:
        return orjson.loads(text) if text.lstrip()[:1] in ("{", "[") else value_of(text)
    except (orjson.JSONDecodeError, Invalid):
        return None


def _rows(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        value = next((value[key] for key in value if str(key).lower() in _LISTS), [])
    return value if isinstance(value, list) else []


def _folded(row: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key).lower().replace(" ", "_").replace("-", "_"): value for key, value in row.items()}


def _machine(row: Mapping[str, Any]) -> dict[str, Any]:
    group = next((str(row[key]) for key in _GROUP if row.get(key)), "")
    state = next((str(row[key]).lower() for key in _STATE if key in row), "")
    told = {"group": group} if group else {}
    return {"name": str(row["name"]), **_sizes(row), **told, **({"is_running": False} if state in _OFF else {})}


def _sizes(row: Mapping[str, Any]) -> dict[str, Any]:
    cores = next((row[key] for key in _CORES if isinstance(row.get(key), int)), None)
    found = {"memory": _size(row, _MEMORY), "disk": _size(row, _DISK)}
    return ({"cpu": cores} if cores else {}) | {name: value for name, value in found.items() if value}


def _size(row: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """As it is written; a bare number has the unit of its column."""
    key = next((key for key in names if isinstance(row.get(key), int | float | str)), None)
    if key is None or isinstance(row[key], bool):
        return ""
    text = str(row[key]).strip()
    return f"{text}{names[key]}" if text.replace(".", "", 1).isdigit() else text
