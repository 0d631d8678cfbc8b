"""One network: what is known of it, its rules, and making and removing those of ALMA's."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from alma.errors import DomainError
from alma.htmx import HtmxRequest
from alma.jobs.models import Job
from vms.forms.places import NETWORK_KINDS, NetworkChangeForm, NetworkForm, RuleForm
from vms.models import ClusterNetwork, PlaceClaim
from vms.operations import networks, rules
from vms.operations.places import STREAMS, at_work, status_of
from vms.views.places import limits_of

READ, WRITE = "network:read", "network:write"


def find(request: HtmxRequest, pk: int) -> ClusterNetwork:
    """A network that the actor may see. Raises Http404."""
    rows = ClusterNetwork.objects.visible_to(request.actor).select_related("cluster", "claim")
    return get_object_or_404(rows, pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def network_new(request: HtmxRequest) -> HttpResponse:
    """Make one, and watch it."""
    request.actor.require(WRITE)
    form = NetworkForm(request.POST if request.method == "POST" else None, by=request.actor)
    if form.is_bound and form.is_valid():
        wish = form.wish()
        try:
            row, _ = networks.create(wish, cluster=form.text("cluster"), by=request.actor)
        except DomainError as error:
            form.object(error)
        else:
            for note in wish.notes():
                messages.info(request, note)
            return redirect("vms:network", row.pk)
    context = {"form": form, "kinds": NETWORK_KINDS, "limits": limits_of(request.actor, "/sdn", "/nodes")}
    return render(request, "vms/places/network_form.html", context, status=422 if form.is_bound else 200)


@require_safe
@login_required
@vary_on_headers("HX-Request")
def network_detail(request: HtmxRequest, pk: int) -> HttpResponse:
    """What is known of it; HTMX gets the part that changes, without the form."""
    request.actor.require(READ)
    row = find(request, pk)
    return _detail(request, row, RuleForm())


def _detail(request: HtmxRequest, row: ClusterNetwork, form: RuleForm) -> HttpResponse:
    claim = row.claim if row.claim and row.claim.state in PlaceClaim.ACTIVE else None
    context: dict[str, Any] = {
        "network": row, "claim": claim, "form": form, "has_firewall": row.kind != "bridge" and not row.node,
        "may_change": claim is not None and request.actor.has(WRITE), "live": f"{row.cluster.stream} {STREAMS}",
        "rules": [{**rule, "is_ours": rules.is_ours(rule["id"])} for rule in row.firewall_rules or ()],
        "status": status_of(None, {}, is_active=row.is_active), "dns": row.dns_servers,
    }  # fmt: skip
    context |= _of_ledger(claim, row) if claim else {}
    template = "vms/places/_network.html" if request.htmx else "vms/places/network_detail.html"
    return render(request, template, context, status=422 if form.is_bound else 200)


def _of_ledger(claim: PlaceClaim, row: ClusterNetwork) -> dict[str, Any]:
    """What is known of a network of ALMA's beside what its cluster tells."""
    jobs = at_work([claim])
    return {
        "job": jobs.get(claim.job), "last": Job.objects.filter(public_id=claim.job).first(),
        "status": status_of(claim, jobs, is_active=row.is_active), "dns": claim.wish.get("dns_servers"),
        "span": claim.wish.get("dhcp_range"),
    }  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def network_change(request: HtmxRequest, pk: int) -> HttpResponse:
    """Change one that ALMA made, and watch it."""
    request.actor.require(WRITE)
    row = find(request, pk)
    form = NetworkChangeForm(request.POST if request.method == "POST" else None, wish=networks.changeable(row))
    if form.is_bound and form.is_valid():
        try:
            job = networks.change(row, form.changes(), by=request.actor)
        except DomainError as error:
            form.object(error)
        else:
            for note in networks.wished(job).notes():
                messages.info(request, note)
            return redirect("vms:network", row.pk)
    context = {"form": form, "network": row}
    return render(request, "vms/places/network_change.html", context, status=422 if form.is_bound else 200)


@require_POST
@login_required
def rule_add(request: HtmxRequest, pk: int) -> HttpResponse:
    """Add a rule."""
    request.actor.require(WRITE)
    row, form = find(request, pk), RuleForm(request.POST)
    if not form.is_valid():
        return _detail(request, row, form)
    try:
        rules.add(row, form.rule(), by=request.actor)
    except DomainError as error:
        form.object(error)
        return _detail(request, row, form)
    messages.info(request, rules.EFFECT)
    return redirect("vms:network", row.pk)


@require_POST
@login_required
def rule_remove(request: HtmxRequest, pk: int, rule_id: str) -> HttpResponse:
    """Remove a rule that ALMA added."""
    request.actor.require(WRITE)
    row = find(request, pk)
    rules.remove(row, rule_id, by=request.actor)
    return redirect("vms:network", row.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def network_delete(request: HtmxRequest, pk: int) -> HttpResponse:
    """Ask, then remove it."""
    request.actor.require(WRITE)
    row = find(request, pk)
    if request.method != "POST":
        return render(request, "vms/places/network_delete.html", {"network": row})
    job = networks.delete(row, by=request.actor)
    return redirect(job)
