"""What the sweep sweeps; the scoreboard runs it."""

from pytest_django import Settings

from alma.jobs.checks import failpoints
from tests.chaos import sweep


def test_the_names_are_those_in_the_code() -> None:
    assert {"work.intended", "work.called", "create.reserved", "lease.taken", "step.succeeding"} <= set(sweep.names())


def test_an_installation_that_dies_on_purpose_is_warned_of(settings: Settings) -> None:
    assert failpoints() == []
    settings.ALMA_FAILPOINTS = "work.called=kill"
    assert [message.id for message in failpoints()] == ["jobs.W001"]
