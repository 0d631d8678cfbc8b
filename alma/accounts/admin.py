"""Administration of people's places and of keys. A key is made here and revoked here; its secret is shown once."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from alma.accounts.actors import for_user
from alma.accounts.desk.keys import LIMITS, end, tell_created
from alma.accounts.models import ApiKey, Environment, Membership, Organization, Project
from alma.accounts.operators import LookOnlyAdmin
from alma.accounts.scopes import EVERYTHING, INFERENCE, ROLE_SCOPES, SERVICE

PRESETS = {**ROLE_SCOPES, "service": SERVICE, "inference": INFERENCE}
_HAND_PICKED = "chosen"


@admin.register(Organization)
class OrganizationAdmin(admin.ModelAdmin):
    """Tenants."""

    list_display = ("name", "slug", "created_at")
    search_fields = ("name", "slug")

    def has_delete_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        """A tenant takes everything along; that is not a click."""
        return False


@admin.register(Environment)
class EnvironmentAdmin(admin.ModelAdmin):
    """The rule of each environment; it is read anew by every gate."""

    list_display = ("name", "organization", "required_approvals", "is_protected", "position")
    list_filter = ("organization", "is_protected")
    list_select_related = ("organization",)


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin):
    """Groups of blueprints. Deleting is hiding, and that the API does: what is hidden stays listed here."""

    list_display = ("name", "organization", "monthly_budget", "deleted_at")
    list_filter = ("organization",)
    list_select_related = ("organization",)

    def has_delete_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        """A row that is really gone would take its budget and its history along."""
        return False


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    """Who may do what."""

    list_display = ("user", "organization", "role")
    list_filter = ("organization", "role")
    list_select_related = ("user", "organization")
    search_fields = ("user__username",)
    autocomplete_fields = ("user",)


class MintForm(forms.ModelForm):
    """What a new key may do: a preset, or rights one by one."""

    preset = forms.ChoiceField(
        choices=[*((name, name.title()) for name in PRESETS), (_HAND_PICKED, "As ticked below")],
        initial="requester",
        help_text="Rights like those of a role.",
    )
    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in sorted(EVERYTHING)], required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = ApiKey
        fields = (
            "organization", "name", "owner", "lane", "expires_at", "preset", "scopes", *LIMITS,
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """A key that may do nothing is a mistake."""
        data = super().clean() or {}
        if data.get("preset") == _HAND_PICKED and not data.get("scopes"):
            self.add_error("scopes", "Tick at least one right.")
        return data

    def clean_instances(self) -> list[str]:
        """Names, or nothing for all."""
        names = self.cleaned_data["instances"] or []
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise forms.ValidationError('A list of names, as ["small", "large"].')
        return names

    def rights(self) -> frozenset[str]:
        """The scopes that were asked for."""
        preset = self.cleaned_data["preset"]
        return PRESETS[preset] if preset in PRESETS else frozenset(self.cleaned_data["scopes"])


@admin.register(ApiKey)
class ApiKeyAdmin(LookOnlyAdmin):
    """Keys. «Add» mints one and shows its secret on the next page and never again."""

    list_display = (
        "name",
        "prefix",
        "organization",
        "owner",
        "lane",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    )
    list_filter = ("organization", "lane", "revoked_at")
    list_select_related = ("organization", "owner")
    search_fields = ("name", "prefix")
    exclude = ("digest",)
    actions = ("revoke",)

    def has_add_permission(self, request: Any, obj: Any = None) -> bool:
        """As Django's own permission says."""
        return admin.ModelAdmin.has_add_permission(self, request)

    def get_form(self, request: HttpRequest, obj: ApiKey | None = None, change: bool = False, **kwargs: Any) -> Any:
        """The form of a new key; an existing one is only looked at."""
        return MintForm if obj is None else super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        """What the form asks, or what is known."""
        return MintForm.Meta.fields if obj is None else super().get_fields(request, obj)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> ApiKey:
        """Mint in place of saving; the secret lives as long as this request."""
        data = form.cleaned_data
        key, request.secret = ApiKey.mint(  # type: ignore[attr-defined]
            data["organization"], data["name"], form.rights(), lane=data["lane"], owner=data["owner"],
            expires_at=data["expires_at"], created_by=request.user.get_username(),
            **{name: data[name] for name in LIMITS},
        )  # fmt: skip
        tell_created(key, by=for_user(request.user))  # type: ignore[arg-type]
        form.instance = key
        form.save_m2m = lambda: None
        return key

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """It is saved already."""

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """The one page that shows the secret. It goes through no session and no cache."""
        context = {**self.admin_site.each_context(request), "key": obj, "secret": request.secret, "opts": self.opts}  # type: ignore[attr-defined]
        response = render(request, "admin/accounts/apikey/minted.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @admin.action(description="Revoke the selected keys", permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """End them for good; the next request with one is refused."""
        for key in queryset:
            end(key, by=for_user(request.user))  # type: ignore[arg-type]
            self.log_change(request, key, "Revoked.")
        self.message_user(request, f"Revoked: {', '.join(key.name for key in queryset)}.")
