"""For operators: clusters can be registered and changed, guests and the ledger only read."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from vms.models import Cluster, Guest, GuestClaim


class ClusterForm(forms.ModelForm):
    """A cluster with a secret that can be given, but never seen."""

    token_secret = forms.CharField(
        required=False, widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        help_text="The secret half of the API token. Leave empty to keep the stored one.",
    )  # fmt: skip

    class Meta:
        model = Cluster
        exclude: list[str] = []

    def clean(self) -> dict[str, Any]:
        """A new cluster needs its secret."""
        values: dict[str, Any] = super().clean() or {}
        if not values.get("token_secret") and not self.instance.token_secret_sealed:
            self.add_error("token_secret", "A new cluster needs the secret of its API token.")
        return values

    def save(self, commit: bool = True) -> Any:
        """Seal the secret when one was given."""
        if self.cleaned_data.get("token_secret"):
            self.instance.seal(self.cleaned_data["token_secret"])
        return super().save(commit)


@admin.register(Cluster)
class ClusterAdmin(admin.ModelAdmin):
    """Registering clusters."""

    form = ClusterForm
    list_display = ["name", "organization", "host", "port", "is_sandbox", "is_enabled", "last_read_at", "last_error"]
    list_filter = ["organization", "is_enabled", "is_sandbox"]
    list_select_related = ["organization"]
    search_fields = ["name", "slug", "host"]
    readonly_fields = ["last_read_at", "last_error", "vmid_next"]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Switched off rather than deleted: the ledger must remember its numbers."""
        return False


class ReadOnlyAdmin(admin.ModelAdmin):
    """Looking only."""

    list_per_page = 100
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """No."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """No."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """No."""
        return False


@admin.register(Guest)
class GuestAdmin(ReadOnlyAdmin):
    """What was last seen."""

    list_display = [
        "vmid",
        "name",
        "cluster",
        "kind",
        "node",
        "status",
        "is_template",
        "claim",
        "seen_at",
        "missing_since",
    ]
    list_filter = ["cluster", "kind", "status", "is_template"]
    list_select_related = ["cluster", "claim"]
    search_fields = ["name", "=vmid", "tags"]


@admin.register(GuestClaim)
class GuestClaimAdmin(ReadOnlyAdmin):
    """The ledger."""

    list_display = ["vmid", "cluster", "owner", "key", "state", "kind", "node", "job", "updated_at"]
    list_filter = ["cluster", "state", "kind"]
    list_select_related = ["cluster"]
    search_fields = ["=vmid", "owner", "key", "job", "id"]
