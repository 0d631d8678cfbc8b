"""Pages of an organization: its name, environments and projects."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from alma.accounts.desk import policies
from alma.accounts.desk.audit import organization_of
from alma.accounts.desk.forms import EnvironmentForm, NameForm
from alma.accounts.models import Environment, Organization, Project
from alma.accounts.recent_login import browser_required, recent_login_required
from alma.errors import Invalid
from alma.htmx import HtmxRequest

MOST_ROWS = 100


@require_GET
@browser_required
def organization(request: HtmxRequest) -> HttpResponse:
    """What the organization is made of."""
    actor = request.actor
    actor.require("policy:read")
    context = {
        "organization": Organization.objects.get(pk=organization_of(actor)),
        "environments": Environment.objects.visible_to(actor)[:MOST_ROWS],
        "projects": Project.objects.visible_to(actor)[:MOST_ROWS],
        "can_rename": actor.has(policies.ADMIN),
        "can_write": actor.has(policies.WRITE),
    }
    return render(request, "accounts/organization_detail.html", context)


@require_POST
@recent_login_required
def rename(request: HtmxRequest) -> HttpResponse:
    """Give the organization another name."""
    request.actor.require(policies.ADMIN)
    form = NameForm(request.POST)
    if not form.is_valid():
        raise Invalid(str(form.errors["name"][0]), details={"field": "name"})
    row = policies.rename(form.cleaned_data["name"], by=request.actor)
    messages.success(request, f"The organization is called {row.name}.")
    return redirect("accounts:organization")


@require_http_methods(["GET", "HEAD", "POST"])
@recent_login_required
def environment(request: HtmxRequest, slug: str) -> HttpResponse:
    """The rule of an environment."""
    request.actor.require(policies.WRITE)
    row = policies.environment_of(slug, by=request.actor)
    initial = {"required_approvals": row.required_approvals, "is_protected": row.is_protected}
    form = EnvironmentForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        policies.change_rule(row, **form.cleaned_data, by=request.actor)
        messages.success(request, f"The rule of {row.name} holds from now on, for plans that wait as well.")
        return redirect("accounts:organization")
    context = {"form": form, "place": row, "most": policies.MOST_APPROVALS}
    return render(request, "accounts/environment_form.html", context, status=422 if form.is_bound else 200)
