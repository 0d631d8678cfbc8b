"""Buckets, wherever they are kept: what a token bucket allows and not one request more, at once and over processes."""

import logging
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.db import DatabaseError, connection
from pytest_django import Settings

from alma.api.limits import limiter
from alma.api.limits.buckets import FORGOTTEN_AFTER, Buckets, Known, MemoryBuckets, Reading
from alma.api.limits.classes import ALMA, BLUEPRINTS, CLASSES, PROBES, READS, RateClass, class_of, scaled
from alma.api.limits.cluster import RedisBuckets
from alma.api.limits.limiter import Limiter
from alma.api.limits.stored import FileBuckets, TableBuckets
from tests.concurrency import together

NOW = 1_800_000_000_000_000
SECOND = 1_000_000
KEPT_IN = ("memory", "file", "redis", *(("table",) if connection.vendor == "postgresql" else ()))


@pytest.fixture(params=KEPT_IN)
def buckets(request: pytest.FixtureRequest) -> Iterator[Buckets]:
    """Each kind in turn."""
    if request.param == "memory":
        yield MemoryBuckets()
    elif request.param == "file":
        yield FileBuckets(request.getfixturevalue("tmp_path") / "buckets")
    elif request.param == "table":
        request.getfixturevalue("transactional_db")
        yield TableBuckets()
    else:
        url, prefix = request.getfixturevalue("redis_url"), f"alma:test:{uuid4().hex}:"
        yield RedisBuckets(url, prefix)
        server = redis.Redis.from_url(url)
        for key in server.scan_iter(f"{prefix}*"):
            server.delete(key)


@pytest.mark.parametrize(
    "kind", [ALMA, BLUEPRINTS, READS, scaled(ALMA, 10), replace(ALMA, limit=7, window=60, burst=1)]
)
def test_it_is_a_token_bucket(buckets: Buckets, kind: RateClass) -> None:
    """Compared with the definition: tokens that come at a steady rate up to the burst, and one taken per request."""
    chance = random.Random(kind.limit)
    rate, tokens, now = Fraction(1, kind.interval), Fraction(kind.burst), NOW
    allowed = 0
    for _ in range(300):
        passed = chance.choice(
            [0, 0, 0, 1, kind.interval // 3, kind.interval - 1, kind.interval * chance.randint(1, 4)]
        )
        now += passed
        tokens = min(Fraction(kind.burst), tokens + passed * rate)
        reading = buckets.take(kind, "somebody", now)
        assert reading.is_allowed is (tokens >= 1)
        if tokens >= 1:
            tokens -= 1
            allowed += 1
        assert reading.remaining(kind) == int(tokens)
        assert reading.reset(kind) == -(-(now + int((kind.burst - tokens) * kind.interval)) // SECOND)
        if not reading.is_allowed:
            assert reading.wait == (1 - tokens) * kind.interval
            assert reading.retry_after == max(1, -(-reading.wait // SECOND))
    assert 0 < allowed < 300 or kind.burst > 300


def test_clients_and_classes_do_not_share(buckets: Buckets) -> None:
    single = replace(ALMA, burst=1)
    assert [buckets.take(kind, who, NOW).is_allowed for kind, who in (
        (single, "a"), (single, "a"), (single, "b"), (replace(single, name="alma.chat"), "a"),
    )] == [True, False, True, True]  # fmt: skip


def test_without_a_clock_of_ours_theirs_counts(buckets: Buckets) -> None:
    reading = buckets.take(ALMA, "somebody", None)
    assert abs(reading.now - time.time_ns() // 1_000) < 60 * SECOND
    moments, now = buckets.known(None)
    assert (moments[ALMA.name], now >= reading.now) == ({"somebody": reading.ready_at}, True)


def test_what_has_long_been_full_is_forgotten(buckets: Buckets) -> None:
    buckets.take(ALMA, "old", NOW)
    buckets.take(ALMA, "young", NOW + 60 * SECOND)
    buckets.sweep(NOW + FORGOTTEN_AFTER + 30 * SECOND)
    kept = set(buckets.known(NOW)[0][ALMA.name])
    assert kept == ({"old", "young"} if isinstance(buckets, MemoryBuckets) else {"young"})
    assert buckets.take(ALMA, "old", NOW + FORGOTTEN_AFTER + 30 * SECOND).remaining(ALMA) == ALMA.burst - 1


def test_memory_is_bounded_and_keeps_those_that_have_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alma.api.limits.buckets.MOST_IN_MEMORY", 10)
    kept, single = MemoryBuckets(), replace(ALMA, burst=1)
    kept.take(single, "greedy", NOW + SECOND)
    for number in range(50):
        kept.take(single, f"stranger-{number}", NOW)
    assert len(kept.known(NOW)[0][ALMA.name]) <= 10
    assert not kept.take(single, "greedy", NOW).is_allowed


def test_threads_are_given_what_the_bucket_holds_and_no_more(buckets: Buckets) -> None:
    readings = together(20, lambda number: [buckets.take(BLUEPRINTS, "one", NOW).is_allowed for _ in range(5)])
    assert sum(map(sum, readings)) == BLUEPRINTS.burst


def test_a_refusal_is_remembered_and_asks_nobody() -> None:
    asked = Failing()
    asked.is_away = False
    kept = Limiter(asked, now=lambda: now)
    single, now = replace(ALMA, burst=1), NOW
    assert [kept.charge(single, "a").is_allowed for _ in range(2)] == [True, False]
    before = asked.times
    readings = [kept.charge(single, "a") for _ in range(100)]
    assert asked.times == before
    assert {(reading.is_allowed, reading.retry_after) for reading in readings} == {(False, 1)}
    now += SECOND - 1
    assert kept.charge(single, "a").wait == 1
    now += 1
    assert kept.charge(single, "a").is_allowed
    assert kept.counted == {"limits.alma.allowed": 2, "limits.alma.refused": 102}


def test_a_refusal_writes_nothing(buckets: Buckets) -> None:
    single = replace(ALMA, burst=1)
    buckets.take(single, "a", NOW)
    before = buckets.known(NOW)
    assert not buckets.take(single, "a", NOW).is_allowed
    assert buckets.known(NOW) == before


def test_without_redis_the_next_in_line_counts_and_it_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = FileBuckets(tmp_path / "buckets")
    kept = Limiter(RedisBuckets("redis://127.0.0.1:1/0"), file, now=lambda: NOW)
    with caplog.at_level(logging.WARNING):
        allowed = [kept.charge(ALMA, "a").is_allowed for _ in range(12)]
    assert allowed == [True] * 10 + [False] * 2
    (record,) = caplog.records
    assert "RedisBuckets is out of reach; limits are kept by the next in line" in record.getMessage()
    assert not kept.is_whole()
    assert file.known(NOW)[0][ALMA.name].keys() == {"a"}


def test_a_file_that_cannot_be_used_is_out_of_reach_until_it_can(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "buckets"
    kept = FileBuckets(path)
    for content in (None, b"no database" * 100):
        if content:
            path.parent.mkdir()
            path.write_bytes(content)
        with pytest.raises(kept.faults):
            kept.take(ALMA, "a", NOW)
    path.unlink()
    assert kept.take(ALMA, "a", NOW).is_allowed


def test_what_is_configured(settings: Settings) -> None:
    def line() -> list[str]:
        limiter.current.cache_clear()
        return [type(buckets).__name__ for buckets in limiter.current()._line]

    shared = "FileBuckets" if connection.vendor == "sqlite" else "TableBuckets"
    assert line() == [shared, "MemoryBuckets"]
    settings.ALMA_REDIS_URL = "redis://127.0.0.1:1/0"
    assert line() == ["RedisBuckets", shared, "MemoryBuckets"]
    limiter.current.cache_clear()


class Failing(MemoryBuckets):
    """Buckets that are away until they are not."""

    faults = (DatabaseError,)
    is_away = True
    times = 0

    def known(self, now: int | None) -> tuple[Known, int]:
        if self.is_away:
            raise DatabaseError("away")
        return super().known(now)

    def take(self, allowance: RateClass, client: str, now: int | None) -> Reading:
        self.times += 1
        self.known(now)
        return super().take(allowance, client, now)


def test_without_anything_this_process_counts_and_hands_over_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(limiter, "REST_SECONDS", 1_000.0)
    away = Failing()
    kept = Limiter(away, now=lambda: NOW)
    assert [kept.charge(ALMA, "a").is_allowed for _ in range(12)] == [True] * 10 + [False] * 2
    assert not kept.is_whole()
    away.is_away = False
    assert kept.charge(BLUEPRINTS, "a").is_allowed
    assert not away.known(NOW)[0]  # it is left alone for a moment
    monkeypatch.setattr(limiter, "REST_SECONDS", 0.0)
    away.is_away = True
    assert not kept.is_whole()
    away.is_away = False
    assert kept.charge(BLUEPRINTS, "b").is_allowed
    assert away.known(NOW)[0].keys() == {BLUEPRINTS.name}
    assert "Failing is back and keeps the limits again" in caplog.text


def test_probes_ask_nobody() -> None:
    assert Limiter(Failing()).charge(PROBES, "a").is_allowed


def test_the_sweep_is_a_chore_of_the_reconciler() -> None:
    assert ("alma.api.limits.limiter.sweep", 60) in settings.ALMA_CHORES


def test_names_fit_their_columns_and_are_unique() -> None:
    assert len({kind.name for kind in CLASSES}) == len({kind.route for kind in CLASSES}) == len(CLASSES)
    assert max(len(kind.name) for kind in CLASSES) <= 40
    assert max(len(limiter.tally_of(kind, outcome)) for kind in CLASSES for outcome in ("allowed", "refused")) <= 60


@pytest.mark.parametrize(
    ("path", "family", "kind"),
    [
        ("/api/v1/blueprintsX", "alma", "alma"),
        ("/api/v1/blueprints/", "alma", "alma.blueprints"),
        ("/api/v1/blueprints/generate-blueprint", "alma", "alma.generate"),
        ("/metrics/", "alma", None),
        ("/metricsX", "alma", "alma"),
        ("/v1/authX", "proxmox", "proxmox.reads"),
        ("/v1/models", "openai", "strangers"),
    ],
)
def test_a_route_belongs_to_a_class_by_whole_segments(path: str, family: str, kind: str | None) -> None:
    found = class_of(path, "GET", family)
    assert (found.name if found else None) == kind
