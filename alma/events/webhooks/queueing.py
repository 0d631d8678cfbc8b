"""Deliveries of an event, written in the event's own transaction: none can be lost, and none tells what never was."""

from alma.events.models import Event, WebhookDelivery, WebhookEndpoint
from alma.events.webhooks.kinds import chosen, public_names


def queue_deliveries(event: Event, organization_id: int) -> None:
    """One per webhook that wants it. Costs nothing for events that stay inside, else one look at an index."""
    names = public_names(event.kind)
    if not names:
        return
    endpoints = WebhookEndpoint.objects.active().filter(organization_id=organization_id)
    wanted = ((pk, chosen(names, kinds)) for pk, kinds in endpoints.values_list("pk", "kinds"))
    rows = [WebhookDelivery(event=event, endpoint_id=pk, kind=kind, next_at=event.at) for pk, kind in wanted if kind]
    if rows:
        WebhookDelivery.objects.bulk_create(rows)
