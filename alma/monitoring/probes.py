"""Looking at each part that ALMA needs: does it answer now?"""

import logging
import secrets
import time
from collections.abc import Mapping
from typing import Literal

import psutil
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.utils.module_loading import import_string

from alma.api.limits import limiter
from alma.errors import DomainError
from alma.events import doorbell
from alma.jobs import beats

logger = logging.getLogger(__name__)

State = Literal["up", "down", "unknown"]
Status = Literal["healthy", "degraded", "unhealthy"]
_RING_SECONDS = 0.25
_PROBE = "probe"


def uptime_seconds() -> int:
    """Since this process began."""
    return int(time.time() - psutil.Process().create_time())


def database() -> State:
    """Whether the database answers a query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return "up" if cursor.fetchone() == (1,) else "down"
    except DatabaseError:
        logger.exception("the database does not answer")
        return "down"


def cached() -> State:
    """Whether the cache gives back what it was given."""
    token = secrets.token_hex(8)
    cache.set(f"monitoring.{token}", token, 5)
    return "up" if cache.get(f"monitoring.{token}") == token else "down"


def rate_limits() -> State:
    """Whether limits are kept where all processes see them; nothing is known of them while they are off."""
    if not settings.ALMA_RATE_LIMITS:
        return "unknown"
    return "up" if limiter.current().is_whole() else "down"


def language_model() -> State:
    """Whether a sentence can be turned into a blueprint: the configured generator is really asked."""
    path, sentence = settings.ALMA_LANGUAGE_PROBE
    try:
        return "up" if import_string(path)(sentence) else "down"
    except DomainError:
        return "down"


def rings() -> State:
    """Whether a ring arrives."""
    try:
        listener = doorbell.Listener(_PROBE)
    except OSError:
        return "down"
    try:
        listener.wait(0.001)  # take a place on the channel first
        doorbell.ring(_PROBE)
        return "up" if listener.wait(_RING_SECONDS) else "down"
    finally:
        listener.close()


def roles() -> dict[str, State]:
    """Whether the roles that show signs of life have shown one lately; unknown while they never have."""
    try:
        ages = beats.ages()
    except DatabaseError:
        ages = {}
    return {name: _liveness(ages.get(name)) for name in (beats.WORKER, beats.RECONCILER)}


def _liveness(age: float | None) -> State:
    if age is None:
        return "unknown"
    return "up" if age <= settings.ALMA_STALE_SECONDS else "down"


def components() -> dict[str, State]:
    """Everything, the documented three first."""
    return {
        "database": database(),
        "llm_service": language_model(),
        "cache": cached(),
        **roles(),
        "doorbell": rings(),
        "rate_limits": rate_limits(),
    }


def overall(states: Mapping[str, State]) -> Status:
    """Unhealthy without a database; degraded when something is down that the rest can do without for a while."""
    if states["database"] != "up":
        return "unhealthy"
    return "degraded" if "down" in states.values() else "healthy"
