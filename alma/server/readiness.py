"""Whether each role answers, asked from outside."""

import http.client
import socket

from django.conf import settings
from django.db import DatabaseError

from alma.jobs import beats

TIMEOUT = 1.0
HEALTH = "/api/v1/monitoring/health"
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def reachable(host: str) -> str:
    """The address by which to reach a server of this machine that listens there."""
    return _ANY_ADDRESS.get(host, host)


def url() -> str:
    """The address of the pages."""
    host = reachable(settings.ALMA_HTTP_HOST)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.ALMA_HTTP_PORT}"


def web_answers() -> bool:
    """Whether the web role answers its health check; it says 503 while the database is away."""
    host = next(iter(name for name in settings.ALLOWED_HOSTS if not name.startswith((".", "*"))), "localhost")
    server = http.client.HTTPConnection(reachable(settings.ALMA_HTTP_HOST), settings.ALMA_HTTP_PORT, timeout=TIMEOUT)
    try:
        server.request("GET", HEALTH, headers={"Host": host, "X-Forwarded-Proto": "https"})
        return server.getresponse().status in {200, 301}
    except (OSError, http.client.HTTPException):
        return False
    finally:
        server.close()


def port_answers(host: str, port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        with socket.create_connection((reachable(host), port), timeout=TIMEOUT):
            return True
    except OSError:
        return False


def has_beaten(name: str, within: float) -> bool:
    """Whether a role has shown life within the last seconds."""
    try:
        age = beats.ages().get(name)
    except DatabaseError:
        return False
    return age is not None and age <= within


def is_silent(name: str, seconds: float) -> bool:
    """Whether a role has shown life once, and not for so long now. Not while the database cannot say."""
    try:
        age = beats.ages().get(name)
    except DatabaseError:
        return False
    return age is not None and age > seconds
