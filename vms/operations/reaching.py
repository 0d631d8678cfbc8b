"""Whether a cluster answers right now: asked shortly before work for it is accepted, and never inside a transaction."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from alma.errors import Unavailable
from vms.models import Backup, Cluster, ClusterNetwork, ClusterStorage, Guest
from vms.proxmox.client import connect, disconnect
from vms.services import clear_answers

FRESH = 1.0
"""Seconds for which an answer counts, whoever was given it."""
QUIET = 2.0
"""Seconds for which one that did not answer is not asked again by this process."""
_heard: dict[int, float] = {}
_silent: dict[int, tuple[float, str, str]] = {}
"""By number of a cluster, when it answered; and when it did not, with the sentence and code of that. By the clock of this process."""


def reach(cluster: Cluster) -> None:
    """Ask a cluster for its version, unless it answered a moment ago; it has ALMA_CLUSTER_PROBE_SECONDS. Of one that is known to
    be silent or is switched off nothing is asked: what is begun for it says so. Raises Unavailable."""
    if not settings.ALMA_CLUSTER_PROBE_SECONDS or cluster.last_error or not cluster.is_enabled or _is_fresh(cluster):
        return
    since, message, code = _silent.get(cluster.pk, (-QUIET, "", ""))
    if time.monotonic() - since < QUIET:
        raise Unavailable(message, code=code)
    try:
        with clear_answers(cluster):
            connect(cluster, seconds=settings.ALMA_CLUSTER_PROBE_SECONDS).get("version")
    except Unavailable as error:
        _silent[cluster.pk] = time.monotonic(), error.message, error.code
        raise
    finally:
        disconnect()
    _heard[cluster.pk] = time.monotonic()
    _silent.pop(cluster.pk, None)


def _is_fresh(cluster: Cluster) -> bool:
    """Whether it answered this process, or the reconciler, a moment ago."""
    if time.monotonic() - _heard.get(cluster.pk, -FRESH) < FRESH:
        return True
    read = cluster.last_read_at
    return read is not None and (timezone.now() - read).total_seconds() < FRESH


P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", Guest, Backup, ClusterNetwork, ClusterStorage)


def begins_work(service: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """A service that begins work on what its first argument is: its cluster has to answer, and is asked before the service has
    its transaction. It raises Unavailable besides."""

    @wraps(service)
    def begin(subject: S, *args: P.args, **kwargs: P.kwargs) -> R:
        reach(subject.cluster)
        with transaction.atomic():
            return service(subject, *args, **kwargs)

    return begin
