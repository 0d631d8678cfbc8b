"""Pages of what is real."""

from typing import Any, NamedTuple

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from alma.accounts.actors import Actor
from alma.htmx import HtmxRequest
from vms.forms import KINDS, ORIGINS, SORTS, STATUSES, FilterForm
from vms.models import Cluster, Guest, GuestQuerySet

PER_PAGE = 50
COLUMNS = (
    ("name", "Name", ""), ("status", "Status", ""), ("node", "Node", ""), ("cores", "Cores", "num"),
    ("memory", "Memory", "num"), ("disk", "Disk", "num"), ("", "Declared by", ""),
)  # fmt: skip


class Column(NamedTuple):
    """A heading; one without a key does not sort."""

    key: str
    title: str
    css: str
    direction: str
    next_order: str


@require_safe
@login_required
@vary_on_headers("HX-Request")
def guest_list(request: HtmxRequest) -> HttpResponse:
    """The guests of the person's clusters as they were last read; HTMX gets the part below the filters."""
    request.actor.require("vm:read")
    values = FilterForm(request.GET).values()
    visible = Guest.objects.visible_to(request.actor)
    rows = _sorted(_filtered(visible, values), values).select_related("cluster", "claim").with_drift()
    context = {
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "filters": values,
        "chips": [
            (name, _label(name, values[name])) for name in ("status", "kind", "origin", "cluster") if values[name]
        ],
        "columns": [_column(*column, values) for column in COLUMNS],
    }
    if request.htmx:
        return render(request, "vms/_list.html", context | _clusters(request.actor))
    return render(request, "vms/guest_list.html", context | _clusters(request.actor) | _surroundings(visible))


@require_safe
@login_required
def summary(request: HtmxRequest) -> HttpResponse:
    """Figures and the age of the readings, for the strip above the list."""
    request.actor.require("vm:read")
    visible = Guest.objects.visible_to(request.actor)
    return render(request, "vms/_summary.html", _clusters(request.actor) | _surroundings(visible))


def _clusters(actor: Actor) -> dict[str, Any]:
    """The clusters, and their streams, whose changes redraw the page."""
    clusters = list(Cluster.objects.visible_to(actor).enabled().defer("ca_pem", "token_secret_sealed"))
    return {"clusters": clusters, "live": " ".join(cluster.stream for cluster in clusters)}


def _surroundings(visible: GuestQuerySet) -> dict[str, Any]:
    guests = visible.present().filter(is_template=False)
    return {
        "statuses": STATUSES,
        "kinds": KINDS,
        "origins": ORIGINS,
        "figures": guests.aggregate(
            all=Count("pk"),
            running=Count("pk", filter=Q(status="running")),
            declared=Count("pk", filter=~Q(claim=None)),
        ),
    }


def _filtered(rows: GuestQuerySet, values: dict[str, str]) -> GuestQuerySet:
    for word in values["q"].split():
        match = (
            Q(name__icontains=word) | Q(node__icontains=word) | Q(tags__icontains=word) | Q(claim__key__icontains=word)
        )
        rows = rows.filter(match | Q(vmid=int(word)) if word.isascii() and word.isdigit() and len(word) < 10 else match)
    rows = rows.exclude(missing_since=None) if values["status"] == "missing" else rows.present()
    if values["status"] not in {"", "missing"}:
        rows = rows.filter(status=values["status"])
    rows = rows.filter(is_template=values["kind"] == "template")
    if values["kind"] not in {"", "template"}:
        rows = rows.filter(kind=values["kind"])
    if values["origin"]:
        rows = rows.filter(claim__isnull=values["origin"] == "foreign")
    return rows.filter(cluster__slug=values["cluster"]) if values["cluster"] else rows


def _sorted(rows: GuestQuerySet, values: dict[str, str]) -> GuestQuerySet:
    """By name unless asked otherwise; ties by id, so that pages do not overlap."""
    sign = "-" if values["order"] == "desc" else ""
    return rows.order_by(f"{sign}{SORTS[values['sort'] or 'name']}", f"{sign}pk")


def _column(key: str, title: str, css: str, values: dict[str, str]) -> Column:
    is_here = bool(key) and key == (values["sort"] or "name")
    is_down = values["order"] == "desc"
    direction = ("descending" if is_down else "ascending") if is_here else ""
    return Column(key, title, css, direction, "desc" if is_here and not is_down else "asc")


def _label(name: str, value: str) -> str:
    labels = {"kind": dict(KINDS), "origin": dict(ORIGINS)}
    return labels.get(name, {}).get(value, f"{name}: {value}")
