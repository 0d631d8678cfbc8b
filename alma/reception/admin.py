"""Inquiries as operators see them: to be read and marked as answered, not to be changed."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet

from alma.accounts.operators import LookOnlyAdmin
from alma.reception.models import EnterpriseInquiry
from alma.reception.services import mark_answered


@admin.register(EnterpriseInquiry)
class EnterpriseInquiryAdmin(LookOnlyAdmin):
    """Newest first; the answered ones can be filtered away."""

    list_display = ("company", "name", "email", "team_size", "created_at", "answered_at", "answered_by")
    list_filter = (("answered_at", admin.EmptyFieldListFilter),)
    search_fields = ("company", "name", "email", "message")
    actions = ("mark_as_answered",)

    @admin.action(description="Mark as answered", permissions=["view"])
    def mark_as_answered(self, request: Any, queryset: QuerySet[EnterpriseInquiry]) -> None:
        """By the operator who is signed in."""
        number = mark_answered(queryset, by=request.user.get_username())
        self.message_user(request, f"{number} marked as answered.")
