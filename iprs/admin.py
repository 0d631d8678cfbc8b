"""Administration of proposals, plans and deployments: to look at; what changes them is what people may do on the pages."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from alma.accounts.actors import for_user
from alma.accounts.operators import LookOnlyAdmin
from iprs import services
from iprs.models import IPR, Deployment, Plan, PlanItem, Review
from iprs.rights import check_replan, refusal


@admin.register(IPR)
class IPRAdmin(LookOnlyAdmin):
    """Proposals. No status is edited here: one edit of a derived status blocks a proposal for good."""

    list_display = ("__str__", "status", "environment", "blueprint", "author_name", "created_at", "page")
    list_filter = ("status", "environment", "organization")
    list_select_related = ("environment", "blueprint")
    search_fields = ("title", "created_by", "claimed_author")
    actions = ("plan_again",)

    @admin.action(description="Plan the selected IPRs again", permissions=["view"])
    def plan_again(self, request: HttpRequest, queryset: QuerySet[IPR]) -> None:
        """As on the page, with the operator's own rights; those that cannot be planned are named."""
        actor = for_user(request.user)  # type: ignore[arg-type]
        for ipr in queryset.filter(pk__in=IPR.objects.visible_to(actor)):
            reason = refusal(lambda ipr=ipr: check_replan(ipr, by=actor))  # type: ignore[misc]
            if not reason:
                services.replan(ipr, by=actor)
            self.message_user(
                request, reason or f"#{ipr.pk} is planned again.", messages.WARNING if reason else messages.INFO
            )


class PlanItemInline(admin.TabularInline):
    """What happens to each guest."""

    model = PlanItem
    fields = ("ordinal", "action", "key", "kind", "node", "vmid", "needs_restart", "reasons", "facts", "digest")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Plan | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Plan | None = None) -> bool:
        return False


@admin.register(Plan)
class PlanAdmin(LookOnlyAdmin):
    """Computed plans with the facts that they rely on."""

    list_display = ("__str__", "status", "seal", "cluster", "seconds", "created_at", "computed_at")
    list_filter = ("status", "organization")
    list_select_related = ("cluster",)
    search_fields = ("digest", "=ipr__id")
    inlines = (PlanItemInline,)


@admin.register(Review)
class ReviewAdmin(LookOnlyAdmin):
    """What people said."""

    list_display = ("reviewer", "action", "ipr", "is_verified", "created_at")
    list_filter = ("action", "is_verified", "organization")
    list_select_related = ("ipr",)
    search_fields = ("reviewer", "comments")


@admin.register(Deployment)
class DeploymentAdmin(LookOnlyAdmin):
    """Runs; the work itself is in the job."""

    list_display = ("__str__", "status", "is_dry_run", "ipr", "created_by", "created_at", "page")
    list_filter = ("status", "is_dry_run", "organization")
    list_select_related = ("job", "ipr")
    search_fields = ("=job__public_id", "ipr__title")
