"""Sends what is due. Any number of processes may; in each a slow receiver holds up only its own deliveries."""

import logging
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from django.db import DatabaseError, close_old_connections, connections
from django.utils import timezone

from alma.events.models import DeliveryQuerySet, WebhookDelivery
from alma.events.webhooks.attempts import LEASE, claim, record, send
from alma.events.webhooks.schedule import SCHEDULE

logger = logging.getLogger(__name__)

KEPT = timedelta(days=30)
FORGET_AT_ONCE = 5_000


class Sender:
    """Threads that come when something is due and go when nothing is. No receiver and no tenant gets them all."""

    def __init__(
        self,
        *,
        parallel: int = 8,
        per_endpoint: int = 2,
        per_organization: int = 4,
        lease: timedelta = LEASE,
        schedule: Sequence[float] = SCHEDULE,
    ) -> None:
        self._parallel = parallel
        self._per_endpoint = per_endpoint
        self._per_organization = per_organization
        self._lease = lease
        self._schedule = schedule
        self._lock = threading.Lock()
        self._endpoints: Counter[int] = Counter()
        self._organizations: Counter[int] = Counter()
        self._threads: set[threading.Thread] = set()

    def turn(self) -> int:
        """Start as many threads as there is work for, and return at once; how many were started."""
        idle = self._parallel - len(self._threads)
        due = len(self._takeable().values_list("pk")[:idle]) if idle > 0 else 0
        for _ in range(due):
            thread = threading.Thread(target=self._work, name="webhooks", daemon=True)
            self._threads.add(thread)
            thread.start()
        return due

    def wait(self, seconds: float) -> bool:
        """Until all threads have gone; whether they have."""
        for thread in list(self._threads):
            thread.join(seconds)
        return not self._threads

    def _work(self) -> None:
        """Until nothing is due that this process may take. A fault costs this thread alone; its lease runs out."""
        try:
            close_old_connections()
            while self._one():
                continue
        except DatabaseError:
            logger.warning("the database cannot be used, deliveries wait", exc_info=True)
        except Exception:
            logger.exception("a delivery could not be tried")
            raise
        finally:
            connections.close_all()
            self._threads.discard(threading.current_thread())

    def _one(self) -> bool:
        """One attempt; False when there was none to make."""
        if not self._takeable().exists():  # without the write lock that a claim takes
            return False
        with self._claimed() as delivery:
            if delivery is None:
                return False
            record(delivery, send(delivery), schedule=self._schedule)
            return True

    @contextmanager
    def _claimed(self) -> Iterator[WebhookDelivery | None]:
        """A delivery of a receiver and a tenant that have not too many of this process's threads already."""
        with self._lock:
            delivery = claim(self._takeable(), lease=self._lease)
            self._count(delivery, 1)
        try:
            yield delivery
        finally:
            with self._lock:
                self._count(delivery, -1)

    def _takeable(self) -> DeliveryQuerySet:
        """What is due and may be sent by one more thread of this process."""
        rows = WebhookDelivery.objects.due().exclude(endpoint_id__in=_full(self._endpoints, self._per_endpoint))
        return rows.exclude(endpoint__organization_id__in=_full(self._organizations, self._per_organization))

    def _count(self, delivery: WebhookDelivery | None, step: int) -> None:
        if delivery is not None:
            self._endpoints[delivery.endpoint_id] += step
            self._organizations[delivery.endpoint.organization_id] += step


def _full(counts: Counter[int], most: int) -> list[int]:
    return [key for key, count in list(counts.items()) if count >= most]


_sender = Sender()


def send_due() -> None:
    """The chore: see whether something is due."""
    _sender.turn()


def forget_old() -> int:
    """The chore: deliveries that ended a month ago are forgotten, some at a time; how many were."""
    old = WebhookDelivery.objects.filter(ended_at__lt=timezone.now() - KEPT).order_by("ended_at").values_list("pk")
    rows = [pk for (pk,) in old[:FORGET_AT_ONCE]]
    return WebhookDelivery.objects.filter(pk__in=rows).delete()[0] if rows else 0
