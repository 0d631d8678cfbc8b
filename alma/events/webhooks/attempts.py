"""One attempt of one delivery: claim it, send it outside of any transaction, and record what came of it."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from alma.errors import Invalid, Unavailable, WrongState
from alma.events.models import DeliveryQuerySet, Outcome, WebhookDelivery, WebhookEndpoint
from alma.events.models.webhooks import HISTORY, MOST_DEAD
from alma.events.webhooks.payload import body_of
from alma.events.webhooks.schedule import SCHEDULE, bucket_of, pause_after, seconds_of, throttle_of
from alma.events.webhooks.services import disable
from alma.events.webhooks.signing import headers_of
from alma.outbound import Unreached, post

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
"""How long an attempt belongs to the process that began it; well over the deadline of a request."""
MOST_INTERRUPTED = 3
"""Rounds of the schedule after which a delivery that never comes to an end is given up."""
GONE = 410
_CLASSES = {2: Outcome.SUCCESS, 3: Outcome.REDIRECT, 4: Outcome.REFUSED, 5: Outcome.ERROR}


@dataclass(frozen=True)
class Result:
    """What came of an attempt. The exact status is used and not kept."""

    outcome: Outcome
    seconds: float = 0.0
    status: int = 0
    asked_pause: float = 0.0


def claim(rows: DeliveryQuerySet | None = None, *, lease: timedelta = LEASE) -> WebhookDelivery | None:
    """The first of these that are due, with an attempt begun that is ours alone; None when there is none."""
    due = WebhookDelivery.objects.due() if rows is None else rows
    with transaction.atomic():
        row = due.select_for_update(skip_locked=True, of=("self",)).first()
        if row is None:
            return None
        WebhookDelivery.objects.filter(pk=row.pk).update(
            lease_token=F("lease_token") + 1, attempt=F("attempt") + 1, next_at=Now() + lease,
            history=_with_interruption(row),
        )  # fmt: skip
        return WebhookDelivery.objects.select_related("endpoint", "event__stream").get(pk=row.pk)


def _with_interruption(row: WebhookDelivery) -> list[dict[str, object]]:
    """The history; when the last attempt that was begun is not in it, whoever made it was stopped."""
    last = row.history[-1]["attempt"] if row.history else 0
    if row.attempt == last:
        return row.history
    return [*row.history, {"attempt": row.attempt, "outcome": Outcome.INTERRUPTED}][-HISTORY:]


def send(delivery: WebhookDelivery) -> Result:
    """The request itself. Never raises for anything that a receiver, a name server or a network can do."""
    if not delivery.endpoint.is_active:
        return Result(Outcome.DISABLED)
    if delivery.tries > MOST_INTERRUPTED * len(SCHEDULE):
        return Result(Outcome.INTERRUPTED)
    try:
        secrets = delivery.endpoint.signing_secrets()
    except Unavailable:
        return Result(Outcome.NO_SECRET)
    return _post(delivery, secrets)


def _post(delivery: WebhookDelivery, secrets: Sequence[str]) -> Result:
    body = body_of(delivery)
    headers = headers_of(delivery.message_id, int(time.time()), body, secrets)
    headers |= {"Content-Type": "application/json", "User-Agent": "ALMA-Webhooks/1.0"}
    began = time.monotonic()
    try:
        answer = post(delivery.endpoint.url, body, headers)
    except Invalid:
        return Result(Outcome.NOT_CALLED)
    except Unreached as error:
        return Result(Outcome(error.reason.value), time.monotonic() - began)
    pause = seconds_of(answer.retry_after, timezone.now())
    return Result(_CLASSES.get(answer.status // 100, Outcome.ODD), answer.seconds, answer.status, pause)


@transaction.atomic
def record(delivery: WebhookDelivery, result: Result, *, schedule: Sequence[float] = SCHEDULE) -> bool:
    """Write down what came of it; False when the attempt is no longer ours. The webhook's row is locked first."""
    rows = WebhookEndpoint.objects.select_for_update(no_key=True)
    endpoint = rows.filter(pk=delivery.endpoint_id).first()
    if endpoint is None:
        return False
    pause = None if result.outcome in _FINAL or result.status == GONE else pause_after(
        delivery.tries, result.asked_pause, schedule
    )  # fmt: skip
    try:
        _move(delivery, result, pause)
    except WrongState:
        logger.info("the attempt was taken over", extra={"delivery": delivery.message_id})
        return False
    _note(endpoint, result, is_dead=pause is None and result.outcome != Outcome.SUCCESS)
    return True


_FINAL = frozenset({Outcome.SUCCESS, Outcome.DISABLED, Outcome.INTERRUPTED, Outcome.NO_SECRET})


def _move(delivery: WebhookDelivery, result: Result, pause: timedelta | None) -> None:
    entry = {
        "attempt": delivery.attempt,
        "at": timezone.now().isoformat(timespec="seconds"),
        "outcome": result.outcome,
        "took": bucket_of(result.seconds),
    }
    noted = {"last_outcome": result.outcome, "history": [*delivery.history, entry][-HISTORY:]}
    if result.outcome == Outcome.SUCCESS:
        delivery.move(WebhookDelivery.State.DELIVERED, **noted)
    elif pause is None:
        delivery.move(WebhookDelivery.State.DEAD, **noted)
    else:
        delivery.move(WebhookDelivery.State.RETRYING, next_at=Now() + pause, **noted)


def _note(endpoint: WebhookEndpoint, result: Result, *, is_dead: bool) -> None:
    """What an attempt says of the whole webhook: that it works, rests, is gone, or has failed too often."""
    rows = WebhookEndpoint.objects.filter(pk=endpoint.pk)
    if result.outcome == Outcome.SUCCESS:
        rows.filter(dead_count__gt=0).update(dead_count=0)
    elif is_dead and result.outcome != Outcome.DISABLED:
        rows.update(dead_count=F("dead_count") + 1)
    rest = throttle_of(result.status, result.asked_pause)
    if rest is not None:
        rows.update(resume_at=Now() + rest)
    reason = _reason_to_stop(endpoint, result, is_dead=is_dead)
    if reason:
        disable(endpoint, reason)


def _reason_to_stop(endpoint: WebhookEndpoint, result: Result, *, is_dead: bool) -> str:
    if result.status == GONE:
        return "The receiver answered 410 Gone: it wants no more deliveries."
    if result.outcome == Outcome.NO_SECRET:
        return "Its secret was stored under another secret key and cannot be read; make a new one."
    if is_dead and result.outcome != Outcome.DISABLED and endpoint.dead_count + 1 >= MOST_DEAD:
        return f"{MOST_DEAD} deliveries in a row were given up after every attempt failed."
    return ""
