"""The world of these tests: made once per module, in a transaction that is rolled back at its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from alma.accounts.checks import RELAXATIONS
from alma.accounts.models import ApiKey, Organization
from tests.access import callers, world
from tests.access.callers import Caller
from tests.access.expectations import Expected
from tests.access.judging import body_of, filled
from tests.access.routes import Route, routes
from tests.access.table_api import API
from tests.access.table_pages import PAGES
from tests.access.work import watched
from tests.access.world import Things
from tests.factories.accounts import make_organization

EXPECTED = {**API, **PAGES}
KNOWN = [route for route in routes() if route.key in EXPECTED]

CELLS: dict[str, int] = {}
_ANY_KEY = {"management key", "wrong key"}
_SEE_MORE = {"anonymous", "inference key", "stranger", "disabled user", "viewer"}


@dataclass
class Stage:
    """Two organizations and everybody who calls."""

    ours: Organization
    theirs: Organization
    own: Things
    foreign: Things
    callers: list[Caller]
    narrow: dict[frozenset[str], Caller]
    cells: int = 0

    def callers_of(self, expected: Expected, *, is_open: bool) -> list[Caller]:
        """Who has something to say here: to pages all keys are one, and where everybody may, only some see more."""
        if expected.kind in {"page", "desk"}:
            return [caller for caller in self.callers if caller.kind in {"nobody", "person"} or caller.name in _ANY_KEY]
        narrow = [self.narrow[scopes] for scopes in callers.narrow(expected)]
        if not expected.looks_at_keys:
            return [caller for caller in self.callers if caller.name in {"anonymous", "admin", *_ANY_KEY}]
        if is_open:
            return [caller for caller in self.callers if caller.name in _SEE_MORE or caller.kind == "dead"]
        return [*self.callers, *narrow]

    def ask(self, caller: Caller, route: Route, *things: Things) -> Any:
        """One request, whose effect on the database is undone. The answer bears the `work` that it was."""
        expected = EXPECTED[route.key]
        path = filled(route, expected, *(things or (self.own,)))
        with self.undone(), watched() as work:
            response = caller.call(
                route.method, path, body_of(expected, (things or (self.own,))[-1]), is_api=route.is_api
            )
        response.work = work
        return response

    @contextmanager
    def undone(self) -> Iterator[None]:
        """What happens in here leaves nothing in the database. It counts as a cell."""
        self.cells += 1
        with transaction.atomic():
            yield
            transaction.set_rollback(True)


@pytest.fixture(scope="module")
def stage(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Stage]:
    """Where the tests of a module play. It counts the cells that were tried."""
    with django_db_blocker.unblock(), transaction.atomic():
        ours = make_organization()
        theirs = make_organization("theirs")
        own, foreign = world.furnish(ours, world.OURS), world.furnish(theirs, world.THEIRS)
        everybody = [callers.NOBODY, *callers.people(ours, theirs), *callers.keys(ours)]
        stage = Stage(ours, theirs, own, foreign, everybody, callers.narrow_keys(ours, EXPECTED.values()))
        ApiKey.objects.update(last_used_at=timezone.now() + timedelta(days=1))  # or each request notes it anew
        yield stage
        transaction.set_rollback(True)
    CELLS[request.module.__name__] = stage.cells


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many cells were tried; of a run in several processes only what this one knows."""
    for name, number in CELLS.items():
        terminalreporter.write_line(f"{number} cells of {name}")


def relax(is_loose: bool) -> dict[str, bool]:
    """All rules for laptops on, or all off as in production; what they were before."""
    before = {rule.setting: getattr(settings, rule.setting) for rule in RELAXATIONS}
    for rule in RELAXATIONS:
        if rule.setting not in {"ALMA_AUTH_ENABLED", "ALMA_BASIC_AUTH"}:
            setattr(settings, rule.setting, rule.is_loose_when is is_loose)
    return before


@pytest.fixture(params=[False, True], ids=["production", "laptop"])
def is_open(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether the settings for laptops are on."""
    before = relax(request.param)
    yield request.param
    for name, value in before.items():
        setattr(settings, name, value)


@pytest.fixture
def production() -> Iterator[None]:
    """Nothing is public."""
    before = relax(False)
    yield
    for name, value in before.items():
        setattr(settings, name, value)
