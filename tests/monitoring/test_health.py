"""Health: honest about each part."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.db.models.functions import Now
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from alma.jobs import beats
from alma.jobs.models import Beat
from alma.monitoring import probes
from tests.factories.accounts import make_key

pytestmark = pytest.mark.django_db
HEALTH = "/api/v1/monitoring/health"
DETAILED = "/api/v1/monitoring/health/detailed"


def no_database() -> None:
    raise DatabaseError("away")


@pytest.mark.parametrize("path", [HEALTH, f"{HEALTH}/"])
def test_health_is_public_and_quick(
    client: Client, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries, path: str
) -> None:
    settings.ALMA_PUBLIC_READ = False
    with django_assert_num_queries(1):
        answer = client.get(path)
    assert answer.status_code == 200
    assert answer.json()["status"] == "healthy"
    assert answer.json()["version"] == settings.ALMA_VERSION
    assert answer.json()["timestamp"].endswith("Z")


@pytest.mark.parametrize("path", [HEALTH, DETAILED])
def test_health_says_503_while_the_database_is_away(client: Client, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(connection, "cursor", no_database)
    answer = client.get(path)
    assert answer.status_code == 503
    assert answer.json()["status"] == "unhealthy"


def test_health_answers_to_get_only(client: Client) -> None:
    answer = client.post(HEALTH)
    assert answer.status_code == 405
    assert set(answer.json()) >= {"detail", "error_code", "timestamp"}


@pytest.mark.parametrize("path", [DETAILED, f"{DETAILED}/"])
def test_detailed_health_names_every_part(client: Client, settings: Settings, path: str) -> None:
    beats.beat(beats.WORKER)
    beats.beat(beats.RECONCILER)
    answer = client.get(path).json()
    assert answer["status"] == "healthy"
    assert answer["version"] == settings.ALMA_VERSION
    assert isinstance(answer["uptime_seconds"], int)
    assert answer["components"] == {
        "database": "up", "llm_service": "up", "cache": "up", "worker": "up", "reconciler": "up", "doorbell": "up", "rate_limits": "unknown",
    }  # fmt: skip


def test_a_role_that_was_never_seen_is_unknown_and_one_gone_silent_is_down(client: Client) -> None:
    Beat.objects.create(name=beats.WORKER, at=Now() - timedelta(minutes=5))
    answer = client.get(DETAILED).json()
    assert answer["components"]["worker"] == "down"
    assert answer["components"]["reconciler"] == "unknown"
    assert answer["status"] == "degraded"


def test_a_generator_that_refuses_is_down(client: Client, settings: Settings) -> None:
    settings.ALMA_LANGUAGE_PROBE = ("blueprints.generation.generate", "")
    assert client.get(DETAILED).json()["components"]["llm_service"] == "down"


def test_a_cache_that_forgets_is_down(client: Client, settings: Settings) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    assert client.get(DETAILED).json()["components"]["cache"] == "down"


def test_a_doorbell_that_is_not_heard_is_down(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes.doorbell, "ring", lambda *_: None)
    assert client.get(DETAILED).json()["components"]["doorbell"] == "down"


def test_details_need_a_key_where_reading_is_not_public(client: Client, settings: Settings) -> None:
    settings.ALMA_PUBLIC_READ = False
    assert client.get(DETAILED).status_code == 403
    _, secret = make_key()
    assert client.get(DETAILED, headers={"X-API-Key": secret}).status_code == 200
