"""What the administration of every app shares: rows that operators look at, and that only services change."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.utils.html import format_html


class LookOnlyAdmin(admin.ModelAdmin):
    """Nothing is added, edited or deleted here; actions call services."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: Any, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: Any, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: Any, obj: Model | None = None) -> bool:
        return False

    @admin.display(description="Page")
    def page(self, row: Any) -> str:
        """A link to the page that people use; for rows that have one."""
        return format_html('<a href="{}">Open</a>', row.get_absolute_url())
