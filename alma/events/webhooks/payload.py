"""What a receiver is sent: the documented shape, at most 20 KB, the same at every attempt but for the number of it."""

from collections.abc import Mapping
from typing import Any

from alma.api.renderers import dumps
from alma.events.models import Event, WebhookDelivery
from alma.events.webhooks.kinds import NAMES, TEST

MOST_BYTES = 20_000
_TELLING = ("id", "name", "status", "code", "title", "ipr", "type")
_LONGEST_VALUE = 500


def body_of(delivery: WebhookDelivery) -> bytes:
    """The body of the present attempt."""
    message = message_of(delivery)
    body = dumps(message)
    return body if len(body) <= MOST_BYTES else dumps({**message, "data": _cut(message["data"])})


def message_of(delivery: WebhookDelivery) -> dict[str, Any]:
    """The documented keys, and beside them where the event stands in its stream."""
    event = delivery.event
    return {
        "event": delivery.kind,
        "timestamp": event.at,
        "data": _data(delivery.kind, event),
        "webhook": {"id": delivery.endpoint.public_id, "attempt": delivery.attempt},
        "id": delivery.message_id,
        "stream": event.stream.name,
        "seq": event.seq,
    }


def _data(name: str, event: Event) -> dict[str, Any]:
    """The event's facts under the noun of its public name."""
    noun = name.partition(".")[0]
    about = event.stream.name.partition(":")[2]
    if name == TEST:
        return dict(event.data)
    if noun == "vm":
        return {"vm": {"id": f"vm-{event.data.get('vmid', '')}", **event.data}}
    if noun == "ipr":
        return {"ipr": {"id": event.data.get("ipr"), **event.data, "actor": event.actor}}
    if name == "job.completed":
        return {"job": {"id": about, "type": event.kind.rpartition(".")[0], "status": "completed", **_of_job(event)}}
    if name == "system.alert":
        return {"alert": {"type": event.kind, "subject": event.stream.name, **event.data}}
    return {noun: {"id": about, "actor": event.actor, **event.data}}


def _of_job(event: Event) -> dict[str, Any]:
    """What the end of a job says; an end with a name of its own is about another thing, which has an id and a status too."""
    own = event.kind in NAMES and event.kind.partition(".")[0]
    return {own: event.data} if own and "id" in event.data else dict(event.data)


def _cut(data: Mapping[str, Any]) -> dict[str, Any]:
    """What an event is about, when the whole of it would be too long; the rest is read over the API."""
    return {"truncated": True, **{noun: _brief(facts) for noun, facts in data.items()}}


def _brief(facts: Any) -> Any:
    if not isinstance(facts, Mapping):
        return str(facts)[:_LONGEST_VALUE]
    return {key: str(facts[key])[:_LONGEST_VALUE] for key in _TELLING if facts.get(key) is not None}
