"""The list: search, filter, sort and page, all in the address."""

from typing import NamedTuple

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from alma.htmx import HtmxRequest
from blueprints import services
from blueprints.forms import ENVIRONMENTS, SORTS, FilterForm
from blueprints.models import Blueprint, BlueprintQuerySet

PER_PAGE = 25
COLUMNS = {"name": "Name", "updated": "Changed", "author": "Author"}


class Column(NamedTuple):
    """A heading that sorts."""

    key: str
    title: str
    direction: str
    next_order: str


@require_safe
@login_required
@vary_on_headers("HX-Request")
def blueprint_list(request: HtmxRequest) -> HttpResponse:
    """All blueprints of the person's organization; HTMX gets the part below the filters."""
    values = FilterForm(request.GET).values()
    visible = Blueprint.objects.visible_to(request.actor)
    page = Paginator(_sorted(_filtered(visible, values), values), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "filters": values,
        "is_filtered": bool(values["q"] or values["environment"]),
        "columns": [_column(key, title, values) for key, title in COLUMNS.items()],
        "environments": ENVIRONMENTS,
        "can_write": request.actor.has(services.WRITE),
    }
    template = "blueprints/_list.html" if request.htmx else "blueprints/blueprint_list.html"
    return render(request, template, context)


def _filtered(rows: BlueprintQuerySet, values: dict[str, str]) -> BlueprintQuerySet:
    for word in values["q"].split():
        rows = rows.filter(Q(name__icontains=word) | Q(description__icontains=word) | Q(created_by__icontains=word))
    if values["environment"]:
        rows = rows.filter(metadata__environment=values["environment"])
    return rows


def _sorted(rows: BlueprintQuerySet, values: dict[str, str]) -> BlueprintQuerySet:
    """Newest change first, unless asked otherwise; ties by id, so that pages do not overlap."""
    sign = "-" if _order(values) == "desc" else ""
    return rows.order_by(f"{sign}{SORTS[values['sort'] or 'updated']}", f"{sign}id")


def _order(values: dict[str, str]) -> str:
    return values["order"] or ("asc" if values["sort"] in ("name", "author") else "desc")


def _column(key: str, title: str, values: dict[str, str]) -> Column:
    order = _order(values) if key == (values["sort"] or "updated") else ""
    direction = {"asc": "ascending", "desc": "descending"}.get(order, "")
    return Column(key, title, direction, "desc" if order == "asc" else "asc")
