"""Pages of webhooks: for administrators of the organization, in a browser, a little while after they signed in."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from alma.accounts.recent_login import browser_required, recent_login_required
from alma.events.models import Outcome, WebhookDelivery, WebhookEndpoint
from alma.events.webhooks import services
from alma.events.webhooks.forms import WebhookForm, initial_of
from alma.events.webhooks.kinds import GROUPS
from alma.events.webhooks.payload import body_of
from alma.htmx import HtmxRequest

View = Callable[..., HttpResponse]
PER_PAGE = 25
TABS = (("", "All"), ("waiting", "Waiting"), ("delivered", "Delivered"), ("dead", "Dead"))
AWAITED = timedelta(seconds=75)
"""Pages of deliveries look again by themselves while something is to happen within this time."""


class Attempt(NamedTuple):
    """A row of the table of attempts."""

    number: int
    outcome: Outcome
    took: str
    at: str


def administrators(view: View) -> View:
    """For administrators in person; the right is checked before the password is asked for."""
    confirmed = recent_login_required(view)

    @wraps(view)
    def checked(request: HtmxRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.actor.require("admin:write")
        response = confirmed(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    return browser_required(checked)


def _find(request: HtmxRequest, pk: int) -> WebhookEndpoint:
    return get_object_or_404(WebhookEndpoint.objects.visible_to(request.actor), pk=pk)


def _find_delivery(request: HtmxRequest, pk: int, delivery_pk: int) -> WebhookDelivery:
    rows = WebhookDelivery.objects.visible_to(request.actor).select_related("endpoint", "event__stream")
    return get_object_or_404(rows, pk=delivery_pk, endpoint_id=pk)


@require_safe
@administrators
def webhook_list(request: HtmxRequest) -> HttpResponse:
    """All of them, with how the last delivery went."""
    last = WebhookDelivery.objects.filter(endpoint=OuterRef("pk")).order_by("-pk")
    rows = WebhookEndpoint.objects.visible_to(request.actor).annotate(
        last_state=Subquery(last.values("state")[:1]), last_at=Subquery(last.values("created_at")[:1])
    )
    return render(request, "events/webhook_list.html", {"webhooks": rows, "most": services.MOST_ENDPOINTS})


@require_http_methods(["GET", "HEAD", "POST"])
@administrators
def webhook_new(request: HtmxRequest) -> HttpResponse:
    """Add one; its secret is on the page that answers and nowhere else."""
    form = WebhookForm(request.POST if request.method == "POST" else None, initial=initial_of(None))
    if form.is_bound and form.is_valid():
        endpoint, secret = services.create(by=request.actor, **form.values())
        return render(request, "events/webhook_secret.html", {"webhook": endpoint, "secret": secret, "is_new": True})
    return _form(request, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@administrators
def webhook_change(request: HtmxRequest, pk: int) -> HttpResponse:
    """Another URL, other events."""
    endpoint = _find(request, pk)
    form = WebhookForm(request.POST if request.method == "POST" else None, initial=initial_of(endpoint))
    if form.is_bound and form.is_valid():
        services.change(endpoint, by=request.actor, **form.values())
        messages.success(request, "Saved. What is still on its way goes to the new URL.")
        return redirect(endpoint)
    return _form(request, form, endpoint)


def _form(request: HtmxRequest, form: WebhookForm, endpoint: WebhookEndpoint | None) -> HttpResponse:
    context = {"form": form, "webhook": endpoint, "groups": GROUPS, "ticked": form["kinds"].value() or []}
    return render(request, "events/webhook_form.html", context, status=422 if form.is_bound else 200)


@require_safe
@vary_on_headers("HX-Request")
@administrators
def webhook_detail(request: HtmxRequest, pk: int) -> HttpResponse:
    """One of them, with its deliveries."""
    endpoint = _find(request, pk)
    tab = request.GET.get("state", "")
    rows = WebhookDelivery.objects.filter(endpoint=endpoint).select_related("event")
    states = {"waiting": WebhookDelivery.OPEN, "delivered": ("delivered",), "dead": ("dead",)}
    rows = rows.filter(state__in=states[tab]) if tab in states else rows
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "webhook": endpoint, "page": page, "tabs": TABS, "tab": tab if tab in states else "",
        "is_awaited": any(_is_awaited(row) for row in page),
    }  # fmt: skip
    return render(request, "events/_deliveries.html" if request.htmx else "events/webhook_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@administrators
def webhook_rotate(request: HtmxRequest, pk: int) -> HttpResponse:
    """Make a new secret; it is on the page that answers and nowhere else."""
    endpoint = _find(request, pk)
    if request.method != "POST":
        return render(request, "events/webhook_rotate.html", {"webhook": endpoint})
    secret = services.rotate(endpoint, by=request.actor)
    return render(request, "events/webhook_secret.html", {"webhook": endpoint, "secret": secret, "is_new": False})


@require_http_methods(["GET", "HEAD", "POST"])
@administrators
def webhook_delete(request: HtmxRequest, pk: int) -> HttpResponse:
    """Forget it."""
    endpoint = _find(request, pk)
    if request.method != "POST":
        return render(request, "events/webhook_delete.html", {"webhook": endpoint})
    services.delete(endpoint, by=request.actor)
    messages.success(request, f"Deleted the webhook to {endpoint.url}.")
    return redirect("webhooks:list")


@require_POST
@administrators
def webhook_switch(request: HtmxRequest, pk: int) -> HttpResponse:
    """Turn it off, or on again."""
    endpoint = _find(request, pk)
    if request.POST.get("to") == "on":
        services.turn_on(endpoint, by=request.actor)
        messages.success(request, "On. It is told of events from now on; what was given up can be sent again by hand.")
    else:
        services.turn_off(endpoint, by=request.actor)
        messages.info(request, "Off. What was on its way is kept as given up.")
    return redirect(endpoint)


@require_POST
@administrators
def webhook_test(request: HtmxRequest, pk: int) -> HttpResponse:
    """Send a test, and watch it arrive."""
    delivery = services.send_test(_find(request, pk), by=request.actor)
    return redirect("webhooks:delivery", pk, delivery.pk)


@require_safe
@vary_on_headers("HX-Request")
@administrators
def delivery_detail(request: HtmxRequest, pk: int, delivery_pk: int) -> HttpResponse:
    """One delivery: what is sent, and each attempt."""
    delivery = _find_delivery(request, pk, delivery_pk)
    context = {
        "delivery": delivery, "webhook": delivery.endpoint, "payload": _payload(delivery), "attempts": _attempts(delivery),
        "is_awaited": _is_awaited(delivery),
    }  # fmt: skip
    template = "events/_delivery.html" if request.htmx else "events/delivery_detail.html"
    return render(request, template, context)


def _is_awaited(delivery: WebhookDelivery) -> bool:
    return delivery.next_at is not None and delivery.next_at < timezone.now() + AWAITED


def _payload(delivery: WebhookDelivery) -> str:
    """The body for people to read: of the last attempt, or of the first before there was one."""
    message = json.loads(body_of(delivery))
    message["webhook"]["attempt"] = max(1, delivery.attempt)
    return json.dumps(message, indent=2, ensure_ascii=False)


def _attempts(delivery: WebhookDelivery) -> list[Attempt]:
    """Those that are remembered, the newest first."""
    return [
        Attempt(entry["attempt"], Outcome(entry["outcome"]), entry.get("took", ""), entry.get("at", ""))
        for entry in reversed(delivery.history)
    ]


@require_POST
@administrators
def delivery_redeliver(request: HtmxRequest, pk: int, delivery_pk: int) -> HttpResponse:
    """Send it once more."""
    delivery = _find_delivery(request, pk, delivery_pk)
    services.redeliver(delivery, by=request.actor)
    return redirect("webhooks:delivery", pk, delivery_pk)
