"""Pages of IPRs."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from alma.htmx import HtmxRequest, done
from iprs import services
from iprs.forms import NewIPRForm, ReviewForm
from iprs.models import IPR, Review
from iprs.pages.changes import changes_context
from iprs.pages.detail import detail_context
from iprs.pages.new import first_values, new_context
from iprs.pages.queue import list_context

_SAID = {
    Review.Action.APPROVE: "Approved. Your approval is bound to the plan that you read.",
    Review.Action.REJECT: "Rejected. The author sees why.",
    Review.Action.REQUEST_CHANGES: "Changes requested. The author sees what you wrote.",
    Review.Action.COMMENT: "Comment added.",
}
_SNAPSHOTS = {"on": True, "off": False}
_PARTS = {"ipr-head": "iprs/_ipr_head.html", "ipr-body": "iprs/_ipr_body.html", "review": "iprs/_review.html"}


def _find(request: HtmxRequest, pk: int) -> IPR:
    rows = IPR.objects.visible_to(request.actor).for_page()
    return get_object_or_404(rows.select_related("current_plan__revision", "current_plan__cluster"), pk=pk)


@require_GET
@vary_on_headers("HX-Request", "HX-Target")
@login_required
def ipr_list(request: HtmxRequest) -> HttpResponse:
    """The review queue and its tabs."""
    template = "iprs/_ipr_list.html" if request.htmx else "iprs/ipr_list.html"
    return render(request, template, list_context(request.GET.dict(), request.actor))


@require_http_methods(["GET", "POST"])
@login_required
def ipr_new(request: HtmxRequest) -> HttpResponse:
    """Propose a blueprint for an environment."""
    form = NewIPRForm(request.POST or None, actor=request.actor, initial=first_values(request.GET, request.actor))
    if request.method == "POST" and form.is_valid():
        ipr = services.open_ipr(by=request.actor, **form.cleaned_data)
        return redirect(ipr)
    status = 422 if form.is_bound else 200
    return render(request, "iprs/ipr_form.html", new_context(form, request.actor), status=status)


@require_GET
@vary_on_headers("HX-Request", "HX-Target")
@login_required
def ipr_detail(request: HtmxRequest, pk: int) -> HttpResponse:
    """What changes, who asked for it, and what is missing before it may run."""
    template = _PARTS.get(request.htmx.target or "", "iprs/ipr_detail.html")
    return render(request, template, _detail(request, _find(request, pk)))


def _detail(request: HtmxRequest, ipr: IPR) -> dict[str, Any]:
    return {**detail_context(ipr, request.actor), "tab": "overview", "here": ipr.get_absolute_url()}


@require_GET
@vary_on_headers("HX-Request", "HX-Target")
@login_required
def ipr_changes(request: HtmxRequest, pk: int) -> HttpResponse:
    """The plan item by item."""
    parts = {**_PARTS, "ipr-body": "iprs/_changes_body.html"}
    template = parts.get(request.htmx.target or "", "iprs/ipr_changes.html")
    context = changes_context(_find(request, pk), request.actor)
    return render(request, template, {**context, "tab": "changes", "here": request.path})


@require_POST
@login_required
def ipr_review(request: HtmxRequest, pk: int) -> HttpResponse:
    """Say something of the plan that was read, with or without a verdict."""
    ipr, form = _find(request, pk), ReviewForm(request.POST)
    if not form.is_valid():
        page = {**_detail(request, ipr), "review_form": form, "acknowledged": request.POST.getlist("acknowledged")}
        return render(request, "iprs/_review.html" if request.htmx else "iprs/ipr_detail.html", page, status=422)
    _say(request, ipr, form.cleaned_data)
    if request.htmx:
        return render(request, "iprs/_ipr_reviewed.html", _detail(request, _find(request, pk)))
    return done(request, ipr, _SAID[form.cleaned_data["action"]], messages.SUCCESS)


def _say(request: HtmxRequest, ipr: IPR, data: dict[str, Any]) -> Review:
    words = data["comments"].strip()
    if data["action"] == Review.Action.COMMENT:
        return services.comment(ipr, words, by=request.actor)
    return services.review(
        ipr, data["action"], by=request.actor, comments=words, plan_digest=data["plan_digest"],
        acknowledged=request.POST.getlist("acknowledged"),
    )  # fmt: skip


@require_POST
@login_required
def ipr_replan(request: HtmxRequest, pk: int) -> HttpResponse:
    """Compute the plan again."""
    ipr = _find(request, pk)
    wanted = _SNAPSHOTS.get(request.POST.get("safety_snapshots", ""))
    services.replan(ipr, by=request.actor, safety_snapshots=wanted)
    return done(request, ipr, "A new plan is being computed. Approvals count again if it comes out the same.")


@require_POST
@login_required
def ipr_withdraw(request: HtmxRequest, pk: int) -> HttpResponse:
    """Take it back."""
    ipr = _find(request, pk)
    services.withdraw(ipr, by=request.actor)
    return done(request, ipr, "Withdrawn. Nothing was changed.")


@require_POST
@login_required
def ipr_reopen(request: HtmxRequest, pk: int) -> HttpResponse:
    """Bring it back into review."""
    ipr = _find(request, pk)
    services.reopen(ipr, by=request.actor)
    return done(request, ipr, "Open again; a new plan is being computed.")


@require_POST
@login_required
def ipr_deploy(request: HtmxRequest, pk: int) -> HttpResponse:
    """Carry out the plan that was read, or try it without touching anything."""
    ipr = _find(request, pk)
    if request.POST.get("dry_run"):
        return redirect(services.dry_run(ipr, by=request.actor))
    return redirect(services.deploy(ipr, by=request.actor, plan_digest=request.POST.get("plan_digest", "")))
