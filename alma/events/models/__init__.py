"""What the log holds, and who outside is told of it."""

from alma.events.models.log import MEMBERS, Event, EventQuerySet, Stream
from alma.events.models.webhooks import (
    DeliveryQuerySet,
    EndpointQuerySet,
    Outcome,
    WebhookDelivery,
    WebhookEndpoint,
    new_secret,
)

__all__ = [
    "MEMBERS",
    "DeliveryQuerySet",
    "EndpointQuerySet",
    "Event",
    "EventQuerySet",
    "Outcome",
    "Stream",
    "WebhookDelivery",
    "WebhookEndpoint",
    "new_secret",
]
