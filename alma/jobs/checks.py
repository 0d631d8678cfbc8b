"""What must hold between the figures of the queue, the lease and the calls to clusters."""

from math import ceil
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

MARGIN = 5


def queue_settings(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """A task is not offered again while it may still run, and a lease outlives the longest call."""
    queue: dict[str, Any] = settings.Q_CLUSTER
    waiting = ceil((queue["queue_limit"] + 1) / queue["workers"])
    messages: list[CheckMessage] = []
    if queue["retry"] <= queue["timeout"] * (2 + waiting):
        messages.append(Error(f"Q_CLUSTER retry must exceed timeout x {2 + waiting}.", id="jobs.E001"))
    if queue["max_attempts"] != 1 or not queue["ack_failures"]:
        messages.append(Error("Only the reconciler retries: max_attempts 1 and ack_failures True.", id="jobs.E002"))
    longest_call = settings.ALMA_CLUSTER_CONNECT_SECONDS + settings.ALMA_CLUSTER_TOTAL_SECONDS
    if settings.ALMA_SLOT_SECONDS + longest_call + MARGIN > queue["timeout"]:
        messages.append(
            Error("Q_CLUSTER timeout must exceed a slot and the longest cluster call by 5 s.", id="jobs.E004")
        )
    if longest_call >= settings.ALMA_STALE_SECONDS:
        messages.append(Error("ALMA_STALE_SECONDS must exceed the longest cluster call.", id="jobs.E005"))
    if longest_call + MARGIN > settings.ALMA_LEASE_SECONDS:
        messages.append(Error("ALMA_LEASE_SECONDS must exceed the longest cluster call by 5 s.", id="jobs.E003"))
    return messages


def queue_kind(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Tasks are queued with the transaction that makes them, run apart from it, and are timed by the reconciler alone."""
    queue: dict[str, Any] = settings.Q_CLUSTER
    broker = queue.get("broker_class"), queue.get("orm")
    messages: list[CheckMessage] = []
    if broker != ("alma.jobs.broker.DoorbellBroker", "default"):
        messages.append(Error("The queue must lie in the database of the jobs (orm, broker_class).", id="jobs.E006"))
    if queue.get("sync"):
        messages.append(Error("Q_CLUSTER sync runs steps inside of requests.", id="jobs.E007"))
    if queue.get("scheduler", True):
        messages.append(Error("Schedules of django-q2 are not used: scheduler False.", id="jobs.E008"))
    return messages


def failpoints(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Nobody's installation shall die on purpose."""
    if not settings.ALMA_FAILPOINTS:
        return []
    return [Warning("Processes die on purpose (ALMA_FAILPOINTS).", hint="Unset it.", id="jobs.W001")]
