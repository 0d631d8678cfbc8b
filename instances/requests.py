"""The log of requests to models: who sees what of it, and for how long it is kept."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.errors import Invalid
from instances.models import RequestRecord, Router
from instances.models.record import RequestRecordQuerySet

AT_ONCE = 2_000
"""Rows that are forgotten in one turn of the chore: a writer of SQLite keeps all others waiting."""
LOST = "The process that routed it has ended."
State = RequestRecord.State


def newest(*, by: Actor, state: str = "", instance: str = "", model: str = "", key: str = "") -> RequestRecordQuerySet:
    """Requests, the newest first, as far as a filter that is given fits. Raises Invalid."""
    if state and state not in State.values:
        raise Invalid(
            f"state must be one of {', '.join(State.values)}.", details=[{"field": "state", "message": "unknown"}]
        )
    given = {"state": state, "instance__name": instance, "model": model, "label": key}
    wanted = {name: value for name, value in given.items() if value and "\0" not in value}
    return RequestRecord.objects.visible_to(by).filter(**wanted).select_related("instance")


def forget_old() -> int:
    """The chore: end what stands there as under way although nobody routes it any more, and forget what is old. How many."""
    living = Router.objects.living().values("pk")
    began = timezone.now() - timedelta(minutes=1)
    lost = RequestRecord.objects.in_flight().filter(began_at__lt=began).exclude(router__in=living)
    lost.move(State.FAILED, error=LOST, ended_at=timezone.now())
    old = RequestRecord.objects.filter(began_at__lt=timezone.now() - timedelta(days=settings.ALMA_REQUEST_DAYS))
    rows = list(old.order_by("began_at").values_list("pk", flat=True)[:AT_ONCE])
    return RequestRecord.objects.filter(pk__in=rows).delete()[0] if rows else 0
