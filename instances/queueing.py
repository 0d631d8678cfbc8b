"""The line before an instance: requests that wait until it runs, or until others have gone. Everybody can see it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.events.services import emit_all
from instances.models import GONE_AFTER, Instance, Router, Waiter


@dataclass(frozen=True)
class Entry:
    """A request that would like to wait. `label` is that of its key."""

    request_id: str
    label: str
    deadline: datetime
    since: datetime | None = None
    """Of one that has waited before; now where there is none."""


def join(router: UUID, instance: Instance, entries: Sequence[Entry]) -> list[Waiter]:
    """Those that get into the line, in their order; the others find it full."""
    with transaction.atomic():
        Instance.objects.select_for_update().get(pk=instance.pk)
        line = Waiter.objects.filter(instance=instance).count()
        taken = entries[: max(0, settings.ALMA_QUEUE_LIMIT - line)]
        now = timezone.now()
        waiters = Waiter.objects.bulk_create(
            Waiter(
                organization_id=instance.organization_id, instance=instance, router_id=router, deadline=entry.deadline,
                request_id=entry.request_id[:100], label=entry.label[:150], since=entry.since or now,
            )
            for entry in taken
        )  # fmt: skip
        seconds = estimate(instance, now)
        told = [
            ("instance.queue_joined", {
                "name": instance.name, "request_id": waiter.request_id, "key": waiter.label, "position": line + number,
                "waiting": line + number, "estimate_seconds": seconds,
            })
            for number, waiter in enumerate(waiters, start=1)
        ]  # fmt: skip
        if told:
            emit_all(instance.stream, told, organization_id=instance.organization_id)
    return waiters


def leave(waiters: Iterable[int]) -> None:
    """They go on, or have ended. Whoever stood behind them moves up."""
    with transaction.atomic():
        lines: dict[Instance, list[Waiter]] = defaultdict(list)
        for waiter in Waiter.objects.filter(pk__in=list(waiters)).select_related("instance"):
            lines[waiter.instance].append(waiter)
        for instance, gone in sorted(lines.items(), key=lambda line: line[0].pk):  # always locked in the same order
            _leave(instance, gone)


def _leave(instance: Instance, gone: Collection[Waiter]) -> None:
    Waiter.objects.filter(pk__in=[waiter.pk for waiter in gone]).delete()
    left, now = Waiter.objects.filter(instance=instance).count(), timezone.now()
    told = [
        ("instance.queue_left", {
            "name": instance.name, "request_id": waiter.request_id, "key": waiter.label,
            "waiting": left + len(gone) - number, "waited_seconds": round((now - waiter.since).total_seconds(), 3),
        })
        for number, waiter in enumerate(gone, start=1)
    ]  # fmt: skip
    emit_all(instance.stream, told, organization_id=instance.organization_id)


def sweep() -> None:
    """Remove routers that are gone with what they had, and those whose time was over long ago."""
    gone = Router.objects.filter(seen_at__lt=timezone.now() - GONE_AFTER)
    markers = list(gone.values_list("pk", flat=True))
    late = Q(deadline__lt=timezone.now() - GONE_AFTER)
    leave(Waiter.objects.filter(late | Q(router__in=markers)).values_list("pk", flat=True))
    gone.filter(pk__in=markers).delete()


@dataclass(frozen=True)
class Place:
    """One place in a line."""

    waiter: Waiter
    position: int
    waited_seconds: float
    estimate_seconds: float | None


def line_of(actor: Actor, part: slice) -> list[Place]:
    """Who waits in the organization: by instance, the first of each line first."""
    place = Window(RowNumber(), partition_by=F("instance"), order_by=[F("since"), F("pk")])
    rows = Waiter.objects.visible_to(actor).select_related("instance").annotate(position=place)
    return places(rows.order_by("instance__name", "instance", "since", "pk")[part])


def line_before(instance: Instance, words: str = "") -> QuerySet[Waiter]:
    """Who waits for one instance and has all the words in its key or its id, the first first. Each has its place in the whole
    line, which is counted for those that are shown alone."""
    is_before = Q(since__lt=OuterRef("since")) | Q(since=OuterRef("since"), pk__lte=OuterRef("pk"))
    before = Waiter.objects.filter(is_before, instance=instance).order_by().values("instance").annotate(n=Count("pk"))
    rows = Waiter.objects.filter(instance=instance).select_related("instance")
    for word in words.split():
        rows = rows.filter(Q(label__icontains=word) | Q(request_id__icontains=word))
    return rows.annotate(position=Subquery(before.values("n"))).order_by("since", "pk")


def places(rows: Iterable[Any]) -> list[Place]:
    """Waiters with a position as places."""
    now = timezone.now()
    return [
        Place(row, row.position, round((now - row.since).total_seconds(), 1), estimate(row.instance, now))
        for row in rows
    ]


def estimate(instance: Instance, now: datetime) -> float | None:
    """Seconds until it is ready, from its past starts; None when it has none, or when it is ready and others are served
    first. Room that has to be made for it comes on top."""
    if not instance.last_starts or instance.takes_requests:
        return None
    usual = timedelta(seconds=median(instance.last_starts))
    is_starting = instance.status == Instance.Status.STARTING and instance.started_at is not None
    passed = now - instance.started_at if is_starting and instance.started_at else timedelta(0)
    return round(max(0.0, (usual - passed).total_seconds()), 1)
