"""What people do with webhooks. Each leaves an event in the webhook's own stream, which names who did it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from alma.accounts.actors import Actor
from alma.accounts.models import Organization
from alma.errors import Invalid, NotFound, WrongState
from alma.events.models import Outcome, WebhookDelivery, WebhookEndpoint, new_secret
from alma.events.services import emit
from alma.events.webhooks.kinds import TEST, unknown
from alma.outbound import parse

SCOPE = "webhook:write"
MOST_ENDPOINTS = 20
SHORTEST_SECRET, LONGEST_SECRET = 16, 200


def not_found() -> NotFound:
    """The error for a webhook that is not there, or not there for this actor."""
    return NotFound("Webhook not found", code="WEBHOOK_NOT_FOUND")


@transaction.atomic
def create(
    url: str, *, by: Actor, kinds: Sequence[str] = (), description: str = "", secret: str = "", is_active: bool = True
) -> tuple[WebhookEndpoint, str]:
    """A new webhook and its secret, which is returned this once. Raises Invalid, WrongState."""
    organization = _organization(by)
    endpoint = WebhookEndpoint(organization=organization, created_by=by.label, description=description)
    endpoint.url, endpoint.kinds = _checked(url, kinds)
    secret = _checked_secret(secret) if secret else new_secret()
    endpoint.seal(secret)
    endpoint.save()
    _tell(endpoint, "webhook.created", by, url=url, kinds=endpoint.kinds)
    if not is_active:
        turn_off(endpoint, by=by)
        endpoint.refresh_from_db()
    return endpoint, secret


def _organization(by: Actor) -> Organization:
    """The actor's organization, locked so that the count holds."""
    by.require(SCOPE)
    organization = Organization.objects.select_for_update(no_key=True).filter(pk=by.organization_id or 0).first()
    if organization is None:
        raise NotFound("You belong to no organization.")
    if WebhookEndpoint.objects.visible_to(by).count() >= MOST_ENDPOINTS:
        raise WrongState(f"An organization has at most {MOST_ENDPOINTS} webhooks; delete one first.")
    return organization


def _checked(url: str, kinds: Sequence[str]) -> tuple[str, list[str]]:
    parse(url)
    if strange := unknown(kinds):
        message = f"There are no events named {', '.join(strange)[:200]}."
        raise Invalid(message, details={"field": "events", "reason": message})
    return url, list(dict.fromkeys(kinds))


def _checked_secret(secret: str) -> str:
    if not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET or not secret.isascii() or not secret.isprintable():
        message = f"A secret has {SHORTEST_SECRET} to {LONGEST_SECRET} printable ASCII characters."
        raise Invalid(message, details={"field": "secret", "reason": message})
    return secret


def _locked(endpoint: WebhookEndpoint, by: Actor) -> WebhookEndpoint:
    by.require(SCOPE)
    rows = WebhookEndpoint.objects.visible_to(by).select_for_update(no_key=True)
    row: WebhookEndpoint | None = rows.filter(pk=endpoint.pk).first()
    if row is None:
        raise not_found()
    return row


@transaction.atomic
def change(endpoint: WebhookEndpoint, *, by: Actor, url: str, kinds: Sequence[str], description: str) -> None:
    """Another URL, other events. What is on its way goes to the new URL. Raises Invalid."""
    row = _locked(endpoint, by)
    row.url, row.kinds = _checked(url, kinds)
    row.description = description
    row.save(update_fields=["url", "kinds", "description"])
    _tell(row, "webhook.changed", by, url=url, kinds=row.kinds)


@transaction.atomic
def amend(endpoint: WebhookEndpoint, changes: Mapping[str, Any], *, by: Actor) -> WebhookEndpoint:
    """Change what is named of url, kinds, description and is_active, and nothing else. Raises Invalid."""
    row = _locked(endpoint, by)
    is_active, told = changes.get("is_active", row.is_active), {"url", "kinds", "description"} & changes.keys()
    if told:
        was = {"url": row.url, "kinds": row.kinds, "description": row.description}
        change(row, by=by, **{**was, **{name: changes[name] for name in told}})
    if is_active != row.is_active:
        (turn_on if is_active else turn_off)(row, by=by)
    row.refresh_from_db()
    return row


@transaction.atomic
def rotate(endpoint: WebhookEndpoint, *, by: Actor) -> str:
    """A new secret, returned this once; for a day the old one signs beside it."""
    row, secret = _locked(endpoint, by), new_secret()
    row.replace_secret(secret)
    row.save(update_fields=["secret_sealed", "previous_secret_sealed", "previous_until"])
    _tell(row, "webhook.secret_replaced", by)
    return secret


@transaction.atomic
def disable(endpoint: WebhookEndpoint, reason: str) -> None:
    """Turn it off because it does not work. What was on its way is kept as dead, to be sent again by hand."""
    if _turn_off(endpoint, reason):
        _emit(endpoint, "webhook.disabled", "", reason=reason)


@transaction.atomic
def turn_off(endpoint: WebhookEndpoint, *, by: Actor) -> None:
    """Turn it off because somebody wants it."""
    row = _locked(endpoint, by)
    if not _turn_off(row, f"Turned off by {by.label}."):
        raise WrongState("This webhook is off already.")
    _tell(row, "webhook.turned_off", by)


def _turn_off(endpoint: WebhookEndpoint, reason: str) -> bool:
    rows = WebhookEndpoint.objects.active().filter(pk=endpoint.pk)
    if not rows.update(is_active=False, disabled_reason=reason[:300], disabled_at=Now()):
        return False
    WebhookDelivery.objects.filter(endpoint=endpoint).open().move(WebhookDelivery.State.DEAD, Outcome.DISABLED)
    return True


@transaction.atomic
def turn_on(endpoint: WebhookEndpoint, *, by: Actor) -> None:
    """Tell it of events again, from now on."""
    row = _locked(endpoint, by)
    if row.is_active:
        raise WrongState("This webhook is on already.")
    rows = WebhookEndpoint.objects.filter(pk=row.pk)
    rows.update(is_active=True, disabled_reason="", disabled_at=None, dead_count=0, resume_at=None)
    _tell(row, "webhook.turned_on", by)


@transaction.atomic
def delete(endpoint: WebhookEndpoint, *, by: Actor) -> WebhookEndpoint:
    """Hide it, and forget its secret and its deliveries; that it was there stays in the log."""
    row = _locked(endpoint, by)
    _tell(row, "webhook.deleted", by, url=row.url)
    row.forget()
    row.save()
    WebhookDelivery.objects.filter(endpoint=row).delete()
    return row


@transaction.atomic
def send_test(endpoint: WebhookEndpoint, *, by: Actor) -> WebhookDelivery:
    """A delivery like any other, of an event that only this webhook is told of."""
    row = _locked(endpoint, by)
    if not row.is_active:
        raise WrongState("This webhook is off; turn it on first.")
    event = _tell(row, TEST, by, message="This is a test delivery.")
    return WebhookDelivery.objects.create(event=event, endpoint=row, kind=TEST, next_at=event.at)


@transaction.atomic
def redeliver(delivery: WebhookDelivery, *, by: Actor) -> None:
    """Send a delivery that has ended once more, under the same `webhook-id`."""
    endpoint = _locked(delivery.endpoint, by)
    if not endpoint.is_active:
        raise WrongState("This webhook is off; turn it on first.")
    delivery.move(WebhookDelivery.State.PENDING, next_at=Now(), round_began=F("attempt"))


def _tell(endpoint: WebhookEndpoint, kind: str, by: Actor, **data: Any) -> Any:
    return _emit(endpoint, kind, by.label, **data)


def _emit(endpoint: WebhookEndpoint, kind: str, actor: str, **data: Any) -> Any:
    facts = {"webhook": endpoint.public_id, "webhook_id": endpoint.pk, **data}
    return emit(endpoint.stream, kind, organization_id=endpoint.organization_id, actor=actor, **facts)
