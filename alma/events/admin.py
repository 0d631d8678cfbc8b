"""Administration of the event log: to look at, never to edit."""

from django.contrib import admin

from alma.accounts.operators import LookOnlyAdmin
from alma.events.models import Event, Stream, WebhookDelivery, WebhookEndpoint


@admin.register(Stream)
class StreamAdmin(LookOnlyAdmin):
    """What is told about, and how far it has come."""

    list_display = ("name", "organization", "last_seq", "touched_at")
    list_filter = ("organization",)
    list_select_related = ("organization",)
    search_fields = ("name",)
    ordering = ("-touched_at",)


@admin.register(Event)
class EventAdmin(LookOnlyAdmin):
    """One thing that happened."""

    list_display = ("at", "stream", "seq", "kind", "actor")
    list_select_related = ("stream",)
    search_fields = ("=stream__name", "=kind")


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(LookOnlyAdmin):
    """Where events are told outside; its secret is shown to nobody."""

    list_display = ("public_id", "organization", "url", "is_active", "dead_count", "disabled_reason", "created_at")
    list_filter = ("is_active", "organization")
    list_select_related = ("organization",)
    search_fields = ("url",)
    exclude = ("secret_sealed", "previous_secret_sealed")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(LookOnlyAdmin):
    """How far each telling has come."""

    list_display = ("created_at", "endpoint", "kind", "state", "attempt", "last_outcome", "next_at", "message_id")
    list_filter = ("state", "last_outcome")
    list_select_related = ("endpoint",)
    search_fields = ("=message_id", "=kind")
