"""Signing in and out, giving the password again, changing it, and switching the organization."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import LoginView, LogoutView, PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from alma.accounts.actors import CHOSEN
from alma.accounts.forms import ConfirmForm, NewPasswordForm, SignInForm
from alma.accounts.models import Membership
from alma.accounts.recent_login import browser_required, confirm
from alma.errors import NotFound
from alma.htmx import HtmxRequest


class _SignIn(LoginView):
    """Django's view; a password that was given just now counts as a recent login."""

    form_class = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: Any) -> HttpResponse:
        """A new session id, whatever the old one was, and the time."""
        response = super().form_valid(form)
        confirm(self.request)
        return response


class _Welcome(PasswordResetConfirmView):
    """The first password of a person who was invited, by a link that works once."""

    template_name = "accounts/welcome.html"
    success_url = reverse_lazy("accounts:login")

    def form_valid(self, form: Any) -> HttpResponse:
        """Say what comes next."""
        messages.success(self.request, "Your password is set. Sign in with it.")
        return super().form_valid(form)


login = _SignIn.as_view()
logout = LogoutView.as_view()
welcome = _Welcome.as_view()


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@browser_required
def confirm_login(request: HttpRequest) -> HttpResponse:
    """Ask a signed-in person for the password, and go back to where it was needed."""
    target = _target(request)
    form = ConfirmForm(request, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        request.session.cycle_key()
        confirm(request)
        return redirect(target)
    status = 422 if form.is_bound else 200
    return render(request, "accounts/confirm_login.html", {"form": form, "next": target}, status=status)


def _target(request: HttpRequest) -> str:
    """A page of ours, or home."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else "/"


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@browser_required
def password(request: HttpRequest) -> HttpResponse:
    """Change the password. Other sessions and every token that was got by the old one end; this session goes on."""
    form = NewPasswordForm(request, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        form.save()
        update_session_auth_hash(request, form.user)
        confirm(request)
        messages.success(request, "Your password is changed. You are signed out everywhere else.")
        return redirect("accounts:password")
    return render(request, "accounts/password.html", {"form": form}, status=422 if form.is_bound else 200)


@require_POST
@browser_required
def switch_organization(request: HtmxRequest) -> HttpResponse:
    """Act in another organization of one's own from now on, with the role that one has there. Raises NotFound."""
    wanted = request.POST.get("organization", "")
    rows = Membership.objects.filter(organization__slug=wanted).select_related("organization")
    membership = rows.filter(user=request.user.pk or 0).first()
    if membership is None:
        raise NotFound("You belong to no such organization.")
    request.session[CHOSEN] = membership.organization_id
    messages.success(request, f"You are in {membership.organization} now, as {membership.get_role_display().lower()}.")
    return redirect("home")
