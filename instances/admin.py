"""For operators: instances can only be read here; what is wanted of them is said through the API, where it is checked."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from instances.models import Instance, Load, Node, Router, Waiter


class _Looking(admin.ModelAdmin):
    """Looking only."""

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


@admin.register(Instance)
class InstanceAdmin(_Looking):
    """What is wanted of instances, and what they are."""

    list_display = [
        "name",
        "organization",
        "backend",
        "model",
        "node",
        "port",
        "group",
        "wanted",
        "status",
        "status_at",
    ]
    list_filter = ["organization", "status", "backend", "node"]
    list_select_related = ["organization"]
    search_fields = ["name", "model"]
    exclude = ["key_sealed"]


@admin.register(Node)
class NodeAdmin(_Looking):
    """Machines and what is free on them."""

    list_display = ["name", "address", "seen_at", "version", "cpu_percent", "memory_free_bytes", "memory_bytes"]
    search_fields = ["name", "address"]
    exclude = ["token_hash"]


@admin.register(Waiter)
class WaiterAdmin(_Looking):
    """Requests that wait."""

    list_display = ["instance", "organization", "label", "request_id", "since", "deadline"]
    list_filter = ["organization"]
    list_select_related = ["instance", "organization"]
    search_fields = ["request_id", "label"]


@admin.register(Router)
class RouterAdmin(_Looking):
    """Processes that route requests."""

    list_display = ["marker", "node", "pid", "seen_at", "read_at"]


@admin.register(Load)
class LoadAdmin(_Looking):
    """Requests under way, by instance and router."""

    list_display = ["instance", "router", "outstanding", "ended_at"]
    list_select_related = ["instance", "router"]
