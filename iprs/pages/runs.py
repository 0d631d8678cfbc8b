"""The list of deployments."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Q, Sum

from alma.accounts.actors import Actor
from alma.jobs.models import Step
from iprs.models import Deployment

PAGE_SIZE = 25
NOTHING = {"all": 0, "done": 0, "percentage": 0}
_STOPPED = (
    Deployment.Status.FAILED,
    Deployment.Status.CANCELLED,
    Deployment.Status.ROLLED_BACK,
    Deployment.Status.ROLLBACK_FAILED,
)
VIEWS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "": ("All", ()),
    "running": ("Running", tuple(Deployment.LIVE)),
    "failed": ("Failed", _STOPPED),
    "completed": ("Completed", (Deployment.Status.COMPLETED,)),
}


def list_context(params: Mapping[str, str], actor: Actor) -> dict[str, Any]:
    """The page of the list that a query string asks for."""
    view = params.get("view", "") if params.get("view", "") in VIEWS else ""
    everything = Deployment.objects.visible_to(actor)
    rows = everything.filter(status__in=VIEWS[view][1]) if view else everything
    rows = rows.select_related("job", "plan", "ipr__environment").order_by("-pk")
    page = Paginator(rows, PAGE_SIZE).get_page(params.get("page"))
    progress = _progress(page)
    return {
        "tabs": _tabs(everything, view),
        "view": view,
        "view_title": VIEWS[view][0],
        "page": page,
        "runs": [(run, progress.get(run.job_id, NOTHING)) for run in page],
    }


def _progress(runs: Iterable[Deployment]) -> dict[int, dict[str, int]]:
    """How far the runs of this page are, counted by the database for them alone."""
    done = Q(state__in=Step.DONE)
    rows = Step.objects.filter(job__in=[run.job_id for run in runs]).order_by().values("job")
    found = rows.annotate(
        all=Count("pk"),
        done=Count("pk", filter=done),
        total=Sum("weight"),
        through=Sum("weight", filter=done, default=0),
    )
    return {
        row["job"]: {"all": row["all"], "done": row["done"], "percentage": 100 * row["through"] // (row["total"] or 1)}
        for row in found
    }


def _tabs(everything: Any, here: str) -> list[dict[str, Any]]:
    counts = everything.aggregate(
        **{
            name or "all": Count("pk", filter=Q(status__in=states) if states else None)
            for name, (_, states) in VIEWS.items()
        }
    )
    return [
        {"name": name, "label": label, "count": counts[name or "all"], "is_here": name == here}
        for name, (label, _) in VIEWS.items()
    ]
