"""Administration of durable work: the journal to read, and a way to wake what sleeps."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from alma.accounts.operators import LookOnlyAdmin
from alma.jobs.models import Beat, Job, Step
from alma.jobs.services import kick


class StepInline(admin.TabularInline):
    """The journal."""

    model = Step
    fields = ("ordinal", "level", "kind", "key", "title", "state", "attempts", "started_at", "finished_at", "error")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False


@admin.register(Job)
class JobAdmin(LookOnlyAdmin):
    """Runs and their leases."""

    list_display = (
        "public_id",
        "kind",
        "title",
        "state",
        "lease_owner",
        "lease_until",
        "deaths",
        "created_at",
        "finished_at",
    )
    list_filter = ("kind", "state", "organization")
    search_fields = ("=public_id", "title")
    inlines = (StepInline,)
    actions = ("wake",)

    @admin.action(description="Wake the selected jobs", permissions=["view"])
    def wake(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Queue them once more; harmless for those that are worked on or have ended."""
        woken = [job.public_id for job in queryset if kick(job.pk)]
        self.message_user(request, f"Woken: {', '.join(woken)}." if woken else "None of these sleeps.")


@admin.register(Beat)
class BeatAdmin(LookOnlyAdmin):
    """When each role last showed that it works."""

    list_display = ("name", "at")
