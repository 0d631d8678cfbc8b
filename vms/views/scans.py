"""Security scans: what was found, how it developed, and starting another."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, F, Window
from django.db.models.functions import RowNumber
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from alma.accounts.actors import Actor
from alma.errors import Invalid
from alma.htmx import HtmxRequest, done
from alma.jobs.gate import decided_at
from vms.forms.scans import VIEWS, FindingFilter, ScanForm
from vms.models import ScanFinding, SecurityScan
from vms.scans import mending, scoring, services
from vms.scans.charting import chart
from vms.scans.controls import CONTROLS
from vms.scans.lifetimes import AS_OF
from vms.scans.rules import REGISTER

PER_PAGE = 25
SHOWN = 5
"""Findings of a rule that are shown before one asks for all of them."""


def tone_of(score: int | None) -> str:
    """By how good a score is."""
    if score is None:
        return "neutral"
    return "ok" if score >= 90 else "warn" if score >= 60 else "bad"


def _find(request: HtmxRequest, pk: int) -> SecurityScan:
    return get_object_or_404(SecurityScan.objects.visible_to(request.actor).select_related("job"), pk=pk)


@require_safe
@login_required
@vary_on_headers("HX-Request")
def scan_list(request: HtmxRequest) -> HttpResponse:
    """The last score, its trend, and all scans; HTMX gets the part below the head."""
    request.actor.require(services.READ)
    rows = SecurityScan.objects.visible_to(request.actor).defer("tally").order_by("-pk")
    counted = rows.annotate(targets=Count("subjects"), assessed=Count("subjects__assessed_at"))
    last = rows.completed().first()
    context = {
        "page": Paginator(counted, PER_PAGE).get_page(request.GET.get("page")),
        "last": last, "tone": tone_of(last.score if last else None), "chart": chart(services.trend(last)) if last else None,
        "is_running": rows.filter(state=SecurityScan.State.RUNNING).exists(),
    }  # fmt: skip
    if request.htmx:
        return render(request, "vms/scans/_list.html", context)
    return render(request, "vms/scans/scan_list.html", context | {"form": ScanForm(by=request.actor)})


@require_POST
@login_required
def scan_start(request: HtmxRequest) -> HttpResponse:
    """Begin a scan, and watch it."""
    request.actor.require(services.WRITE)
    form = ScanForm(request.POST, by=request.actor)
    if not form.is_valid():
        raise Invalid("Choose what to scan.", details=form.errors.get_json_data())
    chosen = form.cleaned_data
    scan = services.start(
        by=request.actor, guests=form.guests(), kind=chosen["kind"], is_deep=chosen["is_deep"],
        has_surroundings=chosen["has_surroundings"],
    )  # fmt: skip
    return redirect(scan)


@require_POST
@login_required
def scan_cancel(request: HtmxRequest, pk: int) -> HttpResponse:
    """Ask a scan to stop."""
    scan = _find(request, pk)
    services.cancel(scan, by=request.actor)
    return done(request, scan, "The scan stops after the guests that it looks at now.")


@require_POST
@login_required
def finding_fix(request: HtmxRequest, pk: int, finding: int) -> HttpResponse:
    """Propose what mends a finding, and show where people agree to it."""
    rows = ScanFinding.objects.filter(subject__scan=_find(request, pk)).select_related("subject__scan")
    job = mending.fix(get_object_or_404(rows, pk=finding), by=request.actor)
    return redirect(decided_at(job.params)["ipr_url"])


@require_safe
@login_required
@vary_on_headers("HX-Request")
def scan_detail(request: HtmxRequest, pk: int) -> HttpResponse:
    """One scan. While it runs HTMX asks for its progress, and loads the page anew at its end."""
    request.actor.require(services.READ)
    scan = _find(request, pk)
    done, targets = services.progress(scan)
    filters = FindingFilter(request.GET).values()
    context = {"scan": scan, "done": done, "targets": targets, "filters": filters, "tone": tone_of(scan.score)}
    if request.htmx and request.GET.get("part") == "state":
        response = render(request, "vms/scans/_state.html", context)
        if scan.state != SecurityScan.State.RUNNING:
            response["HX-Refresh"] = "true"
        return response
    context |= {"tabs": _tabs(scan), "severities": scan.counts} | _view(request, scan, filters)
    return render(request, "vms/scans/_view.html" if request.htmx else "vms/scans/scan_detail.html", context)


def _tabs(scan: SecurityScan) -> list[tuple[str, str, int]]:
    rows = {
        "": sum(scan.counts.values()), "unassessed": scan.unassessed, "subjects": scan.subjects.count(),
        "controls": sum(row["status"] == "failed" for row in scoring.controls(scan.tally)),
    }  # fmt: skip
    return [(name, label, rows[name]) for name, label in VIEWS]


def _view(request: HtmxRequest, scan: SecurityScan, filters: Mapping[str, str]) -> dict[str, Any]:
    """What the chosen tab shows."""
    if filters["view"] == "controls":
        rows = scoring.controls(scan.tally)
        groups = [(name, list(found)) for name, found in groupby(rows, key=lambda row: str(row["framework"]))]
        return {"groups": groups, "frameworks": services.frameworks(rows)}
    if filters["view"] == "subjects":
        subjects = _named(scan.subjects.defer("tally"), "name", filters["q"]).order_by(
            F("score").asc(nulls_last=True), "name"
        )
        return {"page": Paginator(subjects, PER_PAGE).get_page(request.GET.get("page"))}
    findings = ScanFinding.objects.filter(subject__scan=scan)
    is_unknown = filters["view"] == "unassessed"
    rows = _filtered(findings.not_assessed() if is_unknown else findings.broken(), filters)
    if filters["rule"]:
        ordered = rows.select_related("subject").order_by("subject__name", "pk")
        page = Paginator(ordered, PER_PAGE).get_page(request.GET.get("page"))
        cards = [_card(filters["rule"], page.paginator.count, page)] if page.object_list else []
        return {"page": page, "cards": _with_chances(cards, request.actor)}
    return {"cards": _with_chances(_cards(rows), request.actor), "as_of": AS_OF}


def _with_chances(cards: list[dict[str, Any]], actor: Actor) -> list[dict[str, Any]]:
    """The same cards, each finding with whether this person can have it mended."""
    known = mending.chances([row for card in cards for row in card["findings"]], by=actor)
    return [{**card, "findings": [(row, known[row.pk]) for row in card["findings"]]} for card in cards]


def _filtered(rows: Any, filters: Mapping[str, str]) -> Any:
    rows = rows.filter(severity=filters["severity"]) if filters["severity"] else rows
    rows = rows.filter(rule=filters["rule"]) if filters["rule"] else rows
    return _named(rows, "subject__name", filters["q"])


def _named(rows: Any, field: str, words: str) -> Any:
    for word in words.split():
        rows = rows.filter(**{f"{field}__icontains": word})
    return rows


def _cards(rows: Any) -> list[dict[str, Any]]:
    """A card for each rule, the worst first, with its first findings: two queries for all of them."""
    counts = rows.order_by("rank", "rule").values_list("rule").annotate(number=Count("pk"), worst=F("rank"))
    place = Window(RowNumber(), partition_by=F("rule"), order_by=[F("subject__name").asc(), F("pk").asc()])
    first = rows.annotate(place=place).filter(place__lte=SHOWN).select_related("subject").order_by("rule", "place")
    found = {rule: list(some) for rule, some in groupby(first, key=lambda one: one.rule)}
    return [_card(rule, number, found.get(rule, ())) for rule, number, _ in counts]


def _card(rule: str, number: int, findings: Iterable[ScanFinding]) -> dict[str, Any]:
    known = REGISTER.get(rule)
    return {
        "rule": rule, "title": known.title if known else rule, "severity": known.severity.value if known else "info",
        "remedy": known.remedy if known else "", "findings": list(findings), "count": number,
        "controls": [CONTROLS[key] for key in known.controls] if known else [],
    }  # fmt: skip
