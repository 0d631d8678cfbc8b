"""Blueprints and assistants for operators: to look at. Content changes by services, which the pages and the API call."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from alma.accounts.operators import LookOnlyAdmin
from blueprints.models import Assistant, Blueprint, BlueprintRevision, Conversation, Price, PriceBook


class _ReadOnly:
    """Nothing is added, changed or removed here: each of these needs a revision and an event."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class RevisionInline(_ReadOnly, admin.TabularInline):
    """The history of one blueprint."""

    model = BlueprintRevision
    fields = ["number", "digest", "created_by", "created_at"]
    ordering = ["-number"]
    max_num = 0
    show_change_link = True


@admin.register(Blueprint)
class BlueprintAdmin(_ReadOnly, admin.ModelAdmin):
    """Deleted ones are shown as well, and found by the filter."""

    list_display = ["name", "organization", "project", "revision_number", "created_by", "updated_at", "is_deleted"]
    list_filter = [("deleted_at", admin.EmptyFieldListFilter), "organization", "created_at"]
    list_select_related = ["organization", "project"]
    list_per_page = 50
    search_fields = ["name", "description", "created_by"]
    date_hierarchy = "updated_at"
    inlines = [RevisionInline]
    show_full_result_count = False

    @admin.display(boolean=True, ordering="deleted_at")
    def is_deleted(self, blueprint: Blueprint) -> bool:
        """Whether it was deleted."""
        return blueprint.deleted_at is not None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Lists do without the documents."""
        rows = super().get_queryset(request)
        return rows.defer("resources", "metadata") if _is_list(request) else rows

    def view_on_site(self, blueprint: Blueprint) -> str:
        """Its page."""
        return blueprint.get_absolute_url()


def _is_list(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and str(match.url_name).endswith("_changelist")


@admin.register(BlueprintRevision)
class BlueprintRevisionAdmin(_ReadOnly, admin.ModelAdmin):
    """Every saved version, as it was saved."""

    list_display = ["blueprint", "number", "digest", "created_by", "created_at"]
    list_filter = ["created_at"]
    list_select_related = ["blueprint"]
    list_per_page = 50
    search_fields = ["blueprint__name", "digest", "created_by"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Lists do without the documents."""
        rows = super().get_queryset(request)
        return rows.defer("document") if _is_list(request) else rows


@admin.register(Assistant)
class AssistantAdmin(LookOnlyAdmin):
    """Deleted ones are shown as well, and found by the filter."""

    list_display = ("name", "organization", "model", "endpoint", "created_by", "updated_at", "deleted_at")
    list_filter = (("deleted_at", admin.EmptyFieldListFilter), "organization")
    list_select_related = ("organization",)
    search_fields = ("name", "=uid")


@admin.register(Conversation)
class ConversationAdmin(LookOnlyAdmin):
    """Who talks with whom; what was said is not for operators."""

    list_display = ("uid", "organization", "assistant", "status", "message_count", "created_by", "updated_at")
    list_filter = ("status", ("deleted_at", admin.EmptyFieldListFilter), "organization")
    list_select_related = ("organization", "assistant")
    search_fields = ("=uid", "created_by")
    exclude = ("title", "metadata")


class PriceInline(admin.TabularInline):
    """The lines of a book."""

    model = Price
    extra = 0


@admin.register(PriceBook)
class PriceBookAdmin(admin.ModelAdmin):
    """What an organization reckons with from a day on. Prices of the past stay: another book begins."""

    list_display = ("name", "organization", "currency", "valid_from")
    list_filter = ("organization", "currency")
    list_select_related = ("organization",)
    list_per_page = 50
    inlines = (PriceInline,)
