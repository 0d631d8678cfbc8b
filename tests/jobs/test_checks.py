"""The figures of the queue, the lease and the calls to clusters hold together."""

from typing import Any

import pytest
from pytest_django import Settings

from alma.jobs.checks import queue_kind, queue_settings


def found(settings: Settings, **changed: Any) -> list[str | None]:
    queue = {name: value for name, value in changed.items() if name.islower()}
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, **queue}
    for name in changed.keys() - queue.keys():
        setattr(settings, name, changed[name])
    return [message.id for message in [*queue_settings(), *queue_kind()]]


def test_the_settings_as_they_are_hold(settings: Settings) -> None:
    assert found(settings) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"retry": 180}, ["jobs.E001"]),
        ({"retry": 181}, []),
        ({"retry": 181, "queue_limit": 8}, ["jobs.E001"]),
        ({"max_attempts": 0}, ["jobs.E002"]),
        ({"ack_failures": False}, ["jobs.E002"]),
        ({"ALMA_LEASE_SECONDS": 29}, ["jobs.E003"]),
        ({"ALMA_LEASE_SECONDS": 30}, []),
        ({"timeout": 37}, ["jobs.E004"]),
        ({"timeout": 38}, []),
        ({"ALMA_STALE_SECONDS": 25}, ["jobs.E005"]),
        ({"ALMA_STALE_SECONDS": 26}, []),
        ({"broker_class": "django_q.brokers.redis_broker.Redis"}, ["jobs.E006"]),
        ({"orm": "another"}, ["jobs.E006"]),
        ({"sync": True}, ["jobs.E007"]),
        ({"scheduler": True}, ["jobs.E008"]),
    ],
)
def test_figures_that_do_not_hold(settings: Settings, changed: dict[str, Any], expected: list[str]) -> None:
    assert found(settings, **changed) == expected
