"""What `/api/ws` says, in the three types of llamactl-old-api.txt."""

from collections.abc import Callable, Mapping
from typing import Any

from alma.events.reading import EventRow
from instances.models import Instance

Data = Mapping[str, Any]
_ALERTS: Mapping[str, Callable[[Data], tuple[str, str]]] = {
    "queue.frozen": lambda data: ("error", f"No worker has shown life for {data['silent_seconds']} s: work waits."),
    "queue.moving": lambda data: ("info", "Workers show life again."),
    "doctor.alarmed": lambda data: (
        "error",
        f"The doctor found {data['findings']} breaches: {', '.join(data['codes'])}.",
    ),
}
"""By event of the installation: how grave it is, and its words."""


def message(row: EventRow) -> dict[str, Any] | None:
    """A row of the event log as a message, or None where the document has no type for it."""
    if row.kind == "instance.status_changed":
        return _status(row.data) | _where(row)
    if row.kind in _ALERTS:
        level, words = _ALERTS[row.kind](row.data)
        return {"type": "system_alert", "level": level, "code": row.kind, "message": words} | _where(row)
    return None


def stats(instance: Instance) -> dict[str, Any]:
    """What an instance takes now: bytes, per cent of one core, seconds."""
    figures = {
        "memory_usage": instance.memory_bytes, "cpu_usage": instance.cpu_percent, "uptime": instance.uptime_seconds,
    }  # fmt: skip
    return {"type": "instance_stats_updated", "name": instance.name, "stats": figures, "timestamp": instance.checked_at}


def _status(data: Data) -> dict[str, Any]:
    return {
        "type": "instance_status_changed", "name": data["name"], "status": data["status"], "previous_status": data["was"],
        "reason": data["reason"],
    }  # fmt: skip


def _where(row: EventRow) -> dict[str, Any]:
    return {"timestamp": row.at, "seq": row.seq}
