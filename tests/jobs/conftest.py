"""The kinds of `tests.jobs.kinds` in place of the product's."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from alma.jobs.kinds import job_kind, step_kind
from tests.jobs import kinds


@pytest.fixture
def small_kinds(settings: Settings) -> Iterator[None]:
    for name, value in kinds.SETTINGS.items():
        setattr(settings, name, value)
    for cached in (job_kind, step_kind):
        cached.cache_clear()
    yield
    for cached in (job_kind, step_kind):
        cached.cache_clear()
    for kept in (kinds.EFFECTS, kinds.ENDINGS, kinds.HOOKS):
        kept.clear()
