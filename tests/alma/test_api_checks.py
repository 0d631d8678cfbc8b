"""What `check --deploy` says of the API."""

import pytest
from pytest_django import Settings

from alma.api.checks import unlimited_requests


@pytest.mark.parametrize(("factor", "ids"), [(0, ["api.W001"]), (1, []), (20, []), (100, ["api.W001"])])
def test_no_limits_are_said(settings: Settings, factor: int, ids: list[str]) -> None:
    settings.ALMA_RATE_LIMITS = factor
    assert [message.id for message in unlimited_requests()] == ids
