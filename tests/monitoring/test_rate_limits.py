"""What is told of limits: statistics, metrics and health."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from alma.api.limits import limiter
from alma.api.limits.classes import ALMA, BLUEPRINTS, CLASSES, READS
from alma.monitoring.tallies import Tallies
from tests.factories.accounts import make_key
from tests.fixtures.limits import Clock

pytestmark = pytest.mark.django_db
STATS = "/api/v1/monitoring/rate-limit/stats"


def test_the_documented_keys(client: Client) -> None:
    found = client.get(STATS).json()
    assert set(found) == {"total_clients", "rate_limited_clients", "endpoint_stats"}
    assert set(found["endpoint_stats"]) == {kind.route for kind in CLASSES}
    documented = found["endpoint_stats"]["/api/v1/conversation/chat-stream"]
    assert set(documented) == {"limit", "active_clients", "total_requests", "rejected_requests"}
    assert reverse("monitoring:rate-limit-stats").startswith(STATS)


def test_requests_and_clients_are_counted_as_they_come(client: Client, limits_clock: Clock) -> None:
    key = make_key()[1]
    before = client.get(STATS).json()["endpoint_stats"]["/api/v1/blueprints"]
    for _ in range(17):
        client.get("/api/v1/blueprints")
    client.get("/api/v1/blueprints", headers={"X-API-Key": key})
    found = client.get(STATS).json()
    row = found["endpoint_stats"]["/api/v1/blueprints"]
    assert (row["limit"], row["active_clients"]) == (100, 2)
    assert row["total_requests"] - before["total_requests"] == 18
    assert row["rejected_requests"] - before["rejected_requests"] == 2
    assert (found["total_clients"], found["rate_limited_clients"]) == (2, 1)
    limits_clock.forward(BLUEPRINTS.interval / 1_000_000)
    assert client.get(STATS).json()["rate_limited_clients"] == 0
    limits_clock.forward(BLUEPRINTS.window + BLUEPRINTS.depth / 1_000_000)
    later = client.get(STATS).json()
    assert later["endpoint_stats"]["/api/v1/blueprints"]["active_clients"] == 0
    assert later["total_clients"] == 1  # who asks for the statistics


def test_a_client_of_an_hourly_class_is_active_for_an_hour(client: Client, limits_clock: Clock) -> None:
    client.get("/v1/nothing")
    limits_clock.forward(READS.window - 1)
    assert client.get(STATS).json()["endpoint_stats"][READS.route]["active_clients"] == 1
    limits_clock.forward(READS.depth / 1_000_000 + 2)
    assert client.get(STATS).json()["endpoint_stats"][READS.route]["active_clients"] == 0


def test_counts_of_ended_processes_are_kept(limits_clock: Clock) -> None:
    ended, name = Tallies(limiter.counted), limiter.tally_of(ALMA, limiter.ALLOWED)
    before = Tallies().totals(name)[name]
    limiter.current().charge(ALMA, "a")
    ended.store()
    assert Tallies().totals(name)[name] == before + 1


def test_prometheus_is_told_of_refusals(client: Client, limits_clock: Clock) -> None:
    for _ in range(12):
        client.get("/api/v1/nothing")
    lines = client.get("/metrics").content.decode().splitlines()
    refused = next(
        line for line in lines if line.startswith('alma_rate_limited_requests_total{class="alma",outcome="refused"}')
    )
    assert float(refused.split()[1]) >= 2


def test_health_tells_where_limits_are_kept(client: Client, limits_clock: Clock, settings: Settings) -> None:
    path = "/api/v1/monitoring/health/detailed"
    assert client.get(path).json()["components"]["rate_limits"] == "up"
    settings.ALMA_REDIS_URL = "redis://127.0.0.1:1/0"
    limiter.current.cache_clear()
    found = client.get(path).json()
    assert (found["status"], found["components"]["rate_limits"]) == ("degraded", "down")


def test_statistics_cost_the_same_however_many_ask(
    client: Client, limits_clock: Clock, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        limiter.current().charge(ALMA, f"address:192.0.2.{number}")
    with django_assert_max_num_queries(4):
        assert client.get(STATS).json()["total_clients"] == 31


def test_who_may_see_them(client: Client, settings: Settings) -> None:
    settings.ALMA_PUBLIC_METRICS = False
    assert client.get(STATS).status_code == 403
    assert client.get(STATS, headers={"X-API-Key": make_key()[1]}).status_code == 200
