"""Registering, changing, testing and switching off clusters: for operators in person, a little while after they signed in."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from alma.accounts.recent_login import browser_required, recent_login_required
from alma.errors import Invalid
from alma.htmx import HtmxRequest
from vms import registration
from vms.forms import ClusterForm, initial_of
from vms.models import Cluster

View = Callable[..., HttpResponse]
GROUPS = (
    ("Where it is", "", ("name", "url", "token_id", "token_secret")),
    (
        "How it proves who it is",
        "A pinned fingerprint, or the certificate of its authority; nothing for a certificate that browsers take.",
        ("fingerprint", "ca_pem", "verifies_tls"),
    ),
    (
        "What ALMA may use",
        "Keep the range of numbers for ALMA alone: a number is never used twice.",
        ("vmid_first", "vmid_last", "parallel_limit", "pool", "chosen_nodes", "chosen_storages"),
    ),
    ("What is known of it", "", ("encrypting_storages",)),
    ("Preferences", "", ("default_storage", "default_bridge")),
)


def operators(view: View) -> View:
    """For operators in person; the right is checked before the password is asked for."""
    confirmed = recent_login_required(view)

    @wraps(view)
    def checked(request: HtmxRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.actor.require("vm:write")
        response = confirmed(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    return browser_required(checked)


def find(request: HtmxRequest, slug: str) -> Cluster:
    """A cluster that the actor may see. Raises Http404."""
    return get_object_or_404(Cluster.objects.visible_to(request.actor), slug=slug)


@require_http_methods(["GET", "HEAD", "POST"])
@operators
def cluster_new(request: HtmxRequest) -> HttpResponse:
    """Register one, and test the connection at once."""
    form = ClusterForm(request.POST if request.method == "POST" else None, initial=initial_of(None))
    if form.is_bound and form.is_valid():
        try:
            cluster = registration.register(
                form.values(), token_secret=form.cleaned_data["token_secret"], by=request.actor
            )
        except Invalid as error:
            _show(form, error)
        else:
            return _tested(request, cluster, "Registered.")
    return _form(request, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@operators
def cluster_change(request: HtmxRequest, slug: str) -> HttpResponse:
    """Other settings."""
    cluster = find(request, slug)
    form = ClusterForm(request.POST if request.method == "POST" else None, initial=initial_of(cluster), cluster=cluster)
    if form.is_bound and form.is_valid():
        try:
            registration.change(
                cluster, form.values(), token_secret=form.cleaned_data["token_secret"], by=request.actor
            )
        except Invalid as error:
            _show(form, error)
        else:
            return _tested(request, cluster, "Saved.")
    return _form(request, form, cluster)


def _show(form: ClusterForm, error: Invalid) -> None:
    """What the service objects to, beside the fields."""
    details = error.details if isinstance(error.details, dict) else {}
    for name, sentences in details.items():
        place = {"host": "url", "port": "url"}.get(name, name)
        form.add_error(place if place in form.fields else None, sentences)
    if not details:
        form.add_error(None, error.message)


def _form(request: HtmxRequest, form: ClusterForm, cluster: Cluster | None) -> HttpResponse:
    groups = [(title, words, [form[name] for name in names if name in form.fields]) for title, words, names in GROUPS]
    context = {"form": form, "cluster": cluster, "groups": groups}
    return render(request, "vms/cluster_form.html", context, status=422 if form.is_bound else 200)


@require_POST
@operators
def cluster_test(request: HtmxRequest, slug: str) -> HttpResponse:
    """Reach it now, and say what is missing."""
    return _tested(request, find(request, slug), "")


def _tested(request: HtmxRequest, cluster: Cluster, done: str) -> HttpResponse:
    result = registration.check(cluster, by=request.actor)
    if result["error"]:
        messages.error(request, f"{done} The connection failed: {result['error']}".strip())
    elif result["missing"]:
        count = len(result["missing"])
        messages.warning(request, f"{done} The cluster answers, but {count} privileges are missing; see below.".strip())
    else:
        messages.success(request, f"{done} The cluster answers, and the token may do all that is needed.".strip())
    return redirect("vms:cluster-checks", cluster.slug)


@require_POST
@operators
def cluster_switch(request: HtmxRequest, slug: str) -> HttpResponse:
    """Use it, or leave it alone."""
    cluster = find(request, slug)
    registration.switch(cluster, to=request.POST.get("to") == "on", by=request.actor)
    if cluster.is_enabled:
        messages.success(request, f"{cluster.name} is read and deployed to from now on.")
    else:
        messages.info(request, f"{cluster.name} is left alone from now on; its guests run as they do.")
    return redirect(cluster)
