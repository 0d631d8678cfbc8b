"""Numbers of an organization, counted from rows each time they are asked for."""

from datetime import timedelta
from typing import Any

from django.db.models import Count, Max, Q, Sum
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.accounts.models import Organization, Project
from alma.events.models import Event
from blueprints.models import Assistant, Blueprint, Conversation
from blueprints.pricing.book import price_list
from iprs.budgets import committed_by
from iprs.models import IPR, Deployment
from iprs.queues import waiting_for
from vms.models import Cluster, Guest

DAY = timedelta(days=1)
MOST_AGENTS = 100


def organization(actor: Actor) -> dict[str, Any]:
    """Whose figures these are."""
    row = Organization.objects.filter(pk=actor.organization_id or 0).first()
    return {"slug": row.slug, "name": row.name} if row else {"slug": "", "name": ""}


def proposals(actor: Actor) -> dict[str, Any]:
    """IPRs by status, and how many of them wait for the actor."""
    rows = IPR.objects.visible_to(actor).order_by()
    by_status = _by_status(rows, IPR.Status.values)
    return {
        "total": sum(by_status.values()),
        "waitingForYou": waiting_for(IPR.objects.visible_to(actor), actor).order_by().count(),
        "byStatus": by_status,
    }


def deployments(actor: Actor) -> dict[str, Any]:
    """Deployments by status; rehearsals are none. The rate is of those that came to an end by themselves."""
    rows = Deployment.objects.visible_to(actor).filter(is_dry_run=False).order_by()
    by_status = _by_status(rows, Deployment.Status.values)
    done = Q(status=Deployment.Status.COMPLETED)
    last = rows.aggregate(completed=Max("job__finished_at", filter=done), started=Max("created_at"))
    completed, ended = by_status["completed"], by_status["completed"] + by_status["failed"]
    return {
        "total": sum(by_status.values()),
        "running": sum(by_status[status] for status in Deployment.ACTIVE),
        "byStatus": by_status,
        "successRate": round(completed / ended, 4) if ended else None,
        "lastStartedAt": last["started"],
        "lastCompletedAt": last["completed"],
    }


def machines(actor: Actor) -> dict[str, Any]:
    """Guests of the last reading of each cluster."""
    running = Q(status="running")
    found = present(actor).aggregate(
        total=Count("pk"),
        running=Count("pk", filter=running),
        managed=Count("pk", filter=~Q(claim=None)),
        cores=Sum("cores", filter=running, default=0),
        memoryUsedBytes=Sum("memory_used", filter=running, default=0),
        memoryBytes=Sum("memory_bytes", filter=running, default=0),
    )
    return {**found, "stopped": found["total"] - found["running"]}


def present(actor: Actor) -> Any:
    """Guests that are there and can run."""
    rows = Guest.objects.visible_to(actor).present().filter(is_template=False, cluster__is_enabled=True)
    return rows.order_by()


def machines_of(actor: Actor, name: str = "") -> Any:
    """Those guests with their clusters, in a definite order; those of a name alone when there is one."""
    rows = present(actor).select_related("cluster").order_by("cluster_id", "vmid")
    return rows.filter(name=name) if name else rows


def clusters(actor: Actor) -> list[dict[str, Any]]:
    """Each cluster that is read, and when that last went well."""
    rows = Cluster.objects.visible_to(actor).enabled()
    return [
        {
            "slug": row.slug, "name": row.name, "isSandbox": row.is_sandbox, "isReadable": not row.last_error,
            "lastReadAt": row.last_read_at, "error": row.last_error or None,
        }
        for row in rows
    ]  # fmt: skip


def catalogue(actor: Actor) -> dict[str, int]:
    """What people have described."""
    return {
        "projects": Project.objects.visible_to(actor).count(),
        "blueprints": Blueprint.objects.visible_to(actor).count(),
    }


def spending(actor: Actor) -> dict[str, Any]:
    """What is deployed costs so much in a month at the prices of the day; budgets are those of projects that have one."""
    budgets = Project.objects.visible_to(actor).aggregate(sum=Sum("monthly_budget"))["sum"]
    prices = price_list(actor.organization_id)
    return {
        "currency": prices.currency,
        "monthlyCommitted": float(committed_by(actor.organization_id, prices)),
        "monthlyBudget": None if budgets is None else float(budgets),
    }


def events(actor: Actor) -> dict[str, Any]:
    """How much has happened in a day, by what it was about."""
    since = timezone.now() - DAY
    rows = Event.objects.visible_to(actor).filter(at__gte=since).order_by().values("kind").annotate(number=Count("pk"))
    by_area: dict[str, int] = {}
    for row in rows:
        area = row["kind"].partition(".")[0]
        by_area[area] = by_area.get(area, 0) + row["number"]
    return {"lastDay": sum(by_area.values()), "byArea": dict(sorted(by_area.items()))}


def agents(actor: Actor) -> dict[str, Any]:
    """Assistants; those are active with whom a conversation is open. The first 100 are named."""
    is_open = Q(conversations__status=Conversation.Status.OPEN, conversations__deleted_at=None)
    rows = Assistant.objects.visible_to(actor)
    rows = rows.annotate(open=Count("conversations", filter=is_open), last=Max("conversations__updated_at"))
    found = rows.aggregate(total=Count("pk"), active=Count("pk", filter=Q(open__gt=0)))
    return {**found, "items": [_agent(row) for row in rows.order_by("pk")[:MOST_AGENTS]]}


def _agent(row: Any) -> dict[str, Any]:
    return {
        "id": str(row.uid), "name": row.name, "model": row.model or row.endpoint or None,
        "openSessions": row.open, "lastActiveAt": row.last,
    }  # fmt: skip


def _by_status(rows: Any, statuses: list[str]) -> dict[str, int]:
    counted = dict(rows.values_list("status").annotate(number=Count("pk")))
    return {status: counted.get(status, 0) for status in statuses}
