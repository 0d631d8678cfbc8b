"""For operators: instances can only be read here; what is wanted of them is said through the API, where it is checked."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from instances.models import Instance


@admin.register(Instance)
class InstanceAdmin(admin.ModelAdmin):
    """Looking only."""

    list_display = ["name", "organization", "backend", "model", "node", "port", "wanted", "status", "status_at"]
    list_filter = ["organization", "status", "backend", "node"]
    list_select_related = ["organization"]
    search_fields = ["name", "model"]
    exclude = ["key_sealed"]
    list_per_page = 100

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: the supervisor ends the process before the row goes."""
        return False
