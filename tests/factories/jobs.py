"""Jobs for tests, as rows: nothing is queued and nothing is carried out."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from alma.accounts.models import Organization
from alma.jobs.models import Job, Step
from tests.factories.accounts import make_organization

_numbers = count(1)


def make_row(
    state: str = "running", *, kind: str = "vm_start", organization: Organization | None = None,
    steps: Mapping[str, str] | None = None, **overrides: Any,
) -> Job:  # fmt: skip
    """A job in that state; `steps` says how each of its steps is, by key."""
    number, now = next(_numbers), timezone.now()
    public_id = overrides.pop("public_id", f"job-{number:06d}")
    has_ended = state in {"completed", "failed", "cancelled"}
    values = {
        "title": f"Start web-{number}", "kind": kind, "state": state, "stream": f"{kind}:{public_id}",
        "started_at": None if state == "queued" else now, "finished_at": now if has_ended else None,
        "error": {"code": "BROKEN", "message": "It does not work."} if state == "failed" else None, "created_by": "ana",
    }  # fmt: skip
    job = Job.objects.create(
        public_id=public_id, organization=organization or make_organization(), **(values | overrides)
    )
    for ordinal, (key, how) in enumerate((steps or {}).items(), start=1):
        make_step(job, ordinal=ordinal, key=key, state=how)
    return job


def make_step(job: Job, **overrides: Any) -> Step:
    """A step of it that is pending."""
    values = {"ordinal": job.steps.count() + 1, "kind": "guest.start", "key": "web", "weight": 1, **overrides}
    values.setdefault("title", f"Start {values['key']}")
    return Step.objects.create(job=job, **values)


def age(job: Job, by: timedelta) -> Job:
    """As if all of it had happened so long ago."""
    for name in ("created_at", "started_at", "finished_at"):
        if getattr(job, name) is not None:
            setattr(job, name, getattr(job, name) - by)
    job.save()
    return job
