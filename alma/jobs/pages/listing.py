"""The list of jobs, narrowed as the query string says."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.jobs import tray
from alma.jobs.gate import decided_at
from alma.jobs.kinds import Place, job_kind, topics
from alma.jobs.models import Job, JobQuerySet, Step
from alma.jobs.progress import NONE, Progress, progress_of
from alma.templatetags.statuses import words_of

PER_PAGE = 25
LONGEST = 100
VIEWS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "": ("All", ()),
    "active": ("At work", Job.ACTIVE),
    "waiting": ("Waiting for approval", (Job.State.WAITING,)),
    "failed": ("Failed", (Job.State.FAILED,)),
    "completed": ("Completed", (Job.State.COMPLETED,)),
    "cancelled": ("Cancelled", (Job.State.CANCELLED,)),
}
SPANS: Mapping[str, tuple[str, timedelta]] = {
    "hour": ("Last hour", timedelta(hours=1)),
    "day": ("Last 24 hours", timedelta(days=1)),
    "week": ("Last 7 days", timedelta(days=7)),
    "month": ("Last 30 days", timedelta(days=30)),
}
TYPED = ("q", "machine", "who")
"""Filters that are typed, each with how it is said: see `chips_of`."""


@dataclass(frozen=True)
class Row:
    """A job of the list."""

    job: Job
    progress: Progress
    kind: str
    places: Sequence[Place]
    is_unread: bool
    """Whether it is a failure that the person has not dismissed."""

    @property
    def percentage(self) -> int:
        """How far it is; all of it once it is completed."""
        return 100 if self.job.state == Job.State.COMPLETED else self.progress.percentage


def kind_in_words(name: str) -> str:
    """A kind of job as people read it: `vm_start` is «Machine start»."""
    return words_of(f"machine_{name[3:]}" if name.startswith("vm_") else name)


def rows_of(jobs: Iterable[Job]) -> list[Row]:
    """Jobs with how far they are; one query for all of them."""
    found = list(jobs)
    progress = progress_of(job.pk for job in found)
    return [
        Row(job, progress.get(job.pk, NONE), kind_in_words(job.kind), places_of(job), tray.is_unread(job))
        for job in found
    ]


def places_of(job: Job) -> Sequence[Place]:
    """Where that is which a job is about, and before it where people decide about it; nowhere for a kind that is no longer
    known."""
    found = job_kind(job.kind).places(job) if job.kind in settings.ALMA_JOB_KINDS else ()
    asked = decided_at(job.params)
    if not asked["ipr_url"] or asked["ipr_url"] in {place.url for place in found}:
        return found
    return [Place(f"IPR #{asked['ipr_id']}", asked["ipr_url"], "review"), *found]


def list_context(params: Mapping[str, str], actor: Actor) -> dict[str, Any]:
    """The page of the list that a query string asks for."""
    asked = _asked(params)
    found = _narrowed(Job.objects.visible_to(actor), asked)
    states = VIEWS[asked["state"]][1]
    rows = found.filter(state__in=states) if states else found
    page = Paginator(tray.marked(rows, actor).order_by("-pk"), PER_PAGE).get_page(params.get("page"))
    return {
        "asked": asked, "page": page, "rows": rows_of(page), "tabs": _tabs(found, asked["state"]), "chips": chips_of(asked),
        "title": VIEWS[asked["state"]][0], "topics": topics(), "spans": [(name, label) for name, (label, _) in SPANS.items()],
        "kinds": sorted(((name, kind_in_words(name)) for name in settings.ALMA_JOB_KINDS), key=lambda kind: kind[1]),
    }  # fmt: skip


def _asked(params: Mapping[str, str]) -> dict[str, str]:
    """The filters of a query string; what makes no sense there is left out."""
    given = {name: params.get(name, "").replace("\0", "")[:LONGEST].strip() for name in TYPED}
    offered: Mapping[str, Iterable[str]] = {"state": VIEWS, "kind": settings.ALMA_JOB_KINDS, "since": SPANS}
    chosen = {name: params.get(name, "") for name in offered}
    return given | {name: value if value in offered[name] else "" for name, value in chosen.items()}


def _narrowed(rows: JobQuerySet, asked: Mapping[str, str]) -> JobQuerySet:
    """All but the state, of which the tabs count each."""
    if asked["kind"]:
        rows = rows.filter(kind=asked["kind"])
    if asked["since"]:
        rows = rows.filter(created_at__gte=timezone.now() - SPANS[asked["since"]][1])
    if asked["who"]:
        rows = rows.filter(created_by__icontains=asked["who"])
    if asked["machine"]:
        rows = rows.filter(_about(asked["machine"]))
    for word in asked["q"].split():
        rows = rows.filter(_mentions(word))
    return rows


def _about(machine: str) -> Q:
    """Jobs about a machine: by its name, its id, its VMID, or as one of many that a job works on."""
    found = Q(title__icontains=machine) | Q(params__vm=machine)
    found |= Q(Exists(Step.objects.filter(job=OuterRef("pk"), key=machine)))
    is_number = machine.isascii() and machine.isdigit() and len(machine) < 10
    return found | Q(params__vmid=int(machine)) if is_number else found


def _mentions(word: str) -> Q:
    found = Q()
    for name in ("title", "public_id", "created_by", "error__message", "error__code"):
        found |= Q((f"{name}__icontains", word))
    return found | Q(kind__icontains=word.replace(" ", "_"))


def _tabs(found: JobQuerySet, here: str) -> list[dict[str, Any]]:
    counted = found.order_by().aggregate(
        **{
            name or "all": Count("pk", filter=Q(state__in=states) if states else None)
            for name, (_, states) in VIEWS.items()
        }
    )
    return [
        {"name": name, "label": label, "count": counted[name or "all"], "is_here": name == here}
        for name, (label, _) in VIEWS.items()
    ]


def chips_of(asked: Mapping[str, str]) -> list[tuple[str, str]]:
    """The filters that are set, each with its name and in words."""
    said = {
        "q": f"“{asked['q']}”", "kind": kind_in_words(asked["kind"]), "machine": f"machine {asked['machine']}",
        "who": f"by {asked['who']}", "since": SPANS[asked["since"]][0].lower() if asked["since"] else "",
    }  # fmt: skip
    return [(name, words) for name, words in said.items() if asked[name]]
