"""Routers, their loads, requests that wait, and the log of requests; nothing is routed."""

import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from instances.models import Instance, Load, RequestRecord, Router, Waiter


def make_router(**overrides: Any) -> Router:
    """One that lives on this node and has just read."""
    now = timezone.now()
    return Router.objects.create(**{"node": "main", "pid": 1, "seen_at": now, "read_at": now, **overrides})


def make_load(instance: Instance, router: Router | None = None, **overrides: Any) -> Load:
    """One request under way."""
    values = {"outstanding": 1, **overrides}
    return Load.objects.create(instance=instance, router=router or make_router(), **values)


def make_waiter(instance: Instance, router: Router | None = None, *, seconds: float = 0, **overrides: Any) -> Waiter:
    """A request that has waited for so many seconds."""
    now = timezone.now()
    values = {"since": now - timedelta(seconds=seconds), "deadline": now + timedelta(seconds=60), **overrides}
    return Waiter.objects.create(
        organization=instance.organization, instance=instance, router=router or make_router(), **values
    )


def make_record(instance: Instance, *, seconds: float = 1.0, ago: float = 60.0, **overrides: Any) -> RequestRecord:
    """A request that began so many seconds ago and took so long, and went well unless told otherwise."""
    began = timezone.now() - timedelta(seconds=ago)
    values = {
        "organization": instance.organization, "instance": instance, "model": instance.name, "router": uuid.uuid4(),
        "label": "a key", "path": "/v1/chat/completions", "state": "done", "http_status": 200, "prompt_tokens": 10,
        "completion_tokens": 20, "duration_seconds": seconds, "began_at": began,
        "ended_at": began + timedelta(seconds=seconds), **overrides,
    }  # fmt: skip
    return RequestRecord.objects.create(**values)
