"""Webhooks and deliveries for tests."""

from itertools import count
from typing import Any

from alma.accounts.models import Organization
from alma.events.models import Event, WebhookDelivery, WebhookEndpoint, new_secret
from alma.events.services import emit
from tests.factories.accounts import make_organization

URL = "https://hooks.example.org/alma"
_numbers = count(1)


def make_webhook(*, organization: Organization | None = None, secret: str = "", **overrides: Any) -> WebhookEndpoint:
    """A webhook that is told of everything."""
    endpoint = WebhookEndpoint(organization=organization or make_organization(), **{"url": URL, **overrides})
    endpoint.seal(secret or new_secret())
    endpoint.save()
    return endpoint


def make_event(kind: str = "vm.created", *, organization: Organization | None = None, **data: Any) -> Event:
    """An event, with the deliveries that it calls for."""
    facts = data or {"vmid": 102, "name": "app-server-01", "status": "running"}
    organization_id = (organization or make_organization()).pk
    return emit(f"cluster:{organization_id}", kind, organization_id=organization_id, **facts)


def make_delivery(endpoint: WebhookEndpoint | None = None, **facts: Any) -> WebhookDelivery:
    """A delivery that is due."""
    endpoint = endpoint or make_webhook()
    event = make_event(organization=endpoint.organization, **{"number": next(_numbers), **facts})
    return WebhookDelivery.objects.get(event=event, endpoint=endpoint)
