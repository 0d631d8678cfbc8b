"""Pages of members."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from alma.accounts.desk import members
from alma.accounts.desk.forms import MemberForm
from alma.accounts.models import ApiKey, Membership
from alma.accounts.recent_login import browser_required, recent_login_required
from alma.errors import Invalid, WrongState
from alma.htmx import HtmxRequest

PER_PAGE = 50


@require_GET
@browser_required
def member_list(request: HtmxRequest) -> HttpResponse:
    """Who belongs to the organization."""
    actor = request.actor
    actor.require(members.READ)
    rows = Membership.objects.visible_to(actor).select_related("user").order_by("user__username")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page, "roles": Membership.Role.choices, "can_write": actor.has(members.WRITE),
        "last_admin": members.last_admin(by=actor),
    }  # fmt: skip
    return render(request, "accounts/member_list.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@recent_login_required
def member_add(request: HtmxRequest) -> HttpResponse:
    """Add somebody. Who is new gets a link to set a password by, which is shown once."""
    request.actor.require(members.WRITE)
    form = MemberForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            member, is_new = members.add(**form.cleaned_data, by=request.actor)
        except (Invalid, WrongState) as error:
            form.add_error("username", error.message.removeprefix("username: "))
        else:
            return _link(request, member, member.user) if is_new else _added(request, member)
    return render(request, "accounts/member_form.html", {"form": form}, status=422 if form.is_bound else 200)


def _added(request: HttpRequest, member: Membership) -> HttpResponse:
    messages.success(request, f"{member.user} is a member now, as {member.get_role_display().lower()}.")
    return redirect("accounts:members")


def _link(request: HttpRequest, member: Membership, person: User) -> HttpResponse:
    names = [urlsafe_base64_encode(force_bytes(person.pk)), default_token_generator.make_token(person)]
    link = request.build_absolute_uri(reverse("accounts:welcome", args=names))
    return render(request, "accounts/member_link.html", {"member": member, "person": person, "link": link})


@require_POST
@recent_login_required
def member_role(request: HtmxRequest, pk: int) -> HttpResponse:
    """Give a member another role; it counts from the next request on."""
    member = members.found(pk, by=request.actor)
    members.change_role(member, request.POST.get("role", ""), by=request.actor)
    messages.success(request, f"{member.user} has another role now.")
    return redirect("accounts:members")


@never_cache
@require_POST
@recent_login_required
def member_link(request: HtmxRequest, pk: int) -> HttpResponse:
    """A new link for somebody who has set no password yet; the one before it ends."""
    member = members.found(pk, by=request.actor)
    return _link(request, member, members.invite(member, by=request.actor))


@require_http_methods(["GET", "HEAD", "POST"])
@recent_login_required
def member_remove(request: HtmxRequest, pk: int) -> HttpResponse:
    """Say what goes with the member, and on the second click remove them."""
    request.actor.require(members.WRITE)
    member = members.found(pk, by=request.actor)
    if request.method == "POST":
        members.remove(member, by=request.actor)
        messages.success(request, f"{member.user} is no longer a member.")
        return redirect("accounts:members")
    keys = ApiKey.objects.visible_to(request.actor).active().filter(owner=member.user)
    context = {"member": member, "keys": keys[:PER_PAGE], "last_admin": members.last_admin(by=request.actor)}
    return render(request, "accounts/member_remove.html", context)
