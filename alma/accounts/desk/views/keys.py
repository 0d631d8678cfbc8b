"""Pages of keys."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from alma.accounts.desk import keys
from alma.accounts.desk.forms import KeyForm
from alma.accounts.models import ApiKey
from alma.accounts.recent_login import browser_required, recent_login_required
from alma.htmx import HtmxRequest

PER_PAGE = 50


@require_GET
@browser_required
def key_list(request: HtmxRequest) -> HttpResponse:
    """The keys of the organization, those that work first."""
    actor = request.actor
    actor.require("key:read")
    rows = ApiKey.objects.visible_to(actor).select_related("owner")
    has_ended = Q(revoked_at__isnull=False) | Q(expires_at__isnull=False, expires_at__lte=timezone.now())
    ordered = rows.annotate(has_ended=has_ended).order_by("has_ended", "-created_at", "-pk")
    page = Paginator(ordered, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "accounts/key_list.html", {"page": page, "can_write": actor.has(keys.WRITE)})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@recent_login_required
def key_new(request: HtmxRequest) -> HttpResponse:
    """Make a key. The answer to the form is the one page that ever shows its secret."""
    keys.check_mint(by=request.actor)
    form = KeyForm(request.actor, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        key, secret = keys.mint(form.wish(), by=request.actor)
        return render(request, "accounts/key_created.html", {"key": key, "secret": secret})
    return render(request, "accounts/key_form.html", {"form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@recent_login_required
def key_revoke(request: HtmxRequest, token_id: str) -> HttpResponse:
    """Say what will stop, and on the second click end the key."""
    request.actor.require(keys.WRITE)
    key = keys.found(token_id, by=request.actor)
    if request.method == "POST":
        keys.revoke(key, by=request.actor)
        messages.success(request, f"{key.name} is revoked. The next request with it is refused.")
        return redirect("accounts:keys")
    changes = keys.changes_under(key, by=request.actor)
    return render(request, "accounts/key_revoke.html", {"key": key, "changes": changes})
