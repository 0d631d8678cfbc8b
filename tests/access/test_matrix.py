"""Every route, for every kind of caller, with what is theirs, another organization's, deleted, and never there."""

from itertools import zip_longest

import pytest

from tests.access.callers import Caller
from tests.access.conftest import EXPECTED, KNOWN, Stage
from tests.access.expectations import Expected
from tests.access.judging import (
    ALLOWED,
    LOGIN,
    MISSING,
    UNKNOWN,
    body_of,
    bytes_of,
    filled,
    headers_of,
    is_fit,
    lacks,
    met,
    names_things,
    outcome,
    says_so,
    shape,
)
from tests.access.routes import Route, routes
from tests.access.work import Work, kinds
from tests.access.world import GONE, NOWHERE, THEIRS

pytestmark = pytest.mark.django_db
ROUTES = [route for route in routes() if not route.is_admin]
ADMIN = [route for route in routes() if route.is_admin]
ON_PAGES = {"admin", "superuser", "member of both", "anonymous"}
TELLING = {*ON_PAGES, "management key", "read key"}
"""Callers who together have every right, or none, or a place in the other organization as well."""


def test_every_route_has_an_expectation_and_every_expectation_a_route() -> None:
    """A new route needs a line in table_api.py or table_pages.py; docs/developing.md says how to write it."""
    assert {route.key for route in ROUTES} == EXPECTED.keys()


def by_prefix(prefixes: int = 8) -> list[list[Route]]:
    """The routes in a few heaps, so that a failure names a few and the report stays short."""
    return [KNOWN[number::prefixes] for number in range(prefixes)]


@pytest.mark.parametrize("heap", by_prefix(), ids=lambda heap: f"{len(heap)}-routes")
def test_who_may_call_what(stage: Stage, is_open: bool, heap: list[Route]) -> None:
    asked = [route for route in heap if not is_open or EXPECTED[route.key].is_opened]
    wrong = [line for route in asked for line in judge(stage, route, is_open)]
    assert not wrong, "\n" + "\n".join(wrong)


def judge(stage: Stage, route: Route, is_open: bool) -> list[str]:
    """What is not as it should be, one line each."""
    expected, wrong = EXPECTED[route.key], []
    for caller in stage.callers_of(expected, is_open=is_open):
        response = stage.ask(caller, route)
        wanted, found = outcome(route, expected, caller, is_open=is_open), met(route, response)
        is_told = found != UNKNOWN or expected.kind == "anybody" or says_so(route, response)
        if not is_fit(route, expected, caller, found, wanted) or not is_told:
            wrong.append(f"{route.key} as {caller.name}: {found} ({response.status_code}), not {wanted}")
        wrong += [f"{route.key} as {caller.name} lacks {name}" for name in lacks(headers_of(response))]
        wrong += leaks(route, caller, response)
    return wrong


def leaks(route: Route, caller: Caller, response: object) -> list[str]:
    """Whether the other organization's word is anywhere in an answer."""
    return [f"{route.key} as {caller.name} tells of {THEIRS}"] if THEIRS.encode() in bytes_of(response) else []


@pytest.mark.parametrize("heap", by_prefix(4), ids=lambda heap: f"{len(heap)}-routes")
def test_what_is_anothers_is_as_if_it_had_never_been(stage: Stage, is_open: bool, heap: list[Route]) -> None:
    asked = [route for route in heap if names_things(EXPECTED[route.key]) and EXPECTED[route.key].kind != "anybody"]
    asked = [route for route in asked if not is_open or EXPECTED[route.key].is_opened]
    wrong = [line for route in asked for line in compare(stage, route)]
    assert not wrong, "\n" + "\n".join(wrong)


def compare(stage: Stage, route: Route) -> list[str]:
    """What differs between another's and nobody's, one line each."""
    expected, wrong = EXPECTED[route.key], []
    for caller in stage.callers:
        if caller.name not in (TELLING if route.is_api else ON_PAGES) or (
            caller.name == "member of both" and "organization" in expected.body
        ):
            continue
        theirs, nobodys = stage.ask(caller, route, stage.foreign), stage.ask(caller, route, NOWHERE)
        ids = [*vars(stage.foreign).values(), *vars(NOWHERE).values()]
        names = [str(value) for value in ids if value not in {"", THEIRS, 1}]
        names += [f"vm-{things.vm_number}" for things in (stage.foreign, NOWHERE)]  # as one path has it, without zeros
        if shape(theirs, *names) != shape(nobodys, *names):
            wrong.append(
                f"{route.key} as {caller.name} tells another's from nobody's: {theirs.status_code}, {theirs.content!r:.300}"
            )
        if kinds(theirs.work) != kinds(nobodys.work):
            wrong.append(f"{route.key} as {caller.name} is other work: {unlike(theirs.work, nobodys.work)}")
        if expected.of and met(route, theirs) == ALLOWED:
            wrong.append(f"{route.key} as {caller.name} reaches another's: {theirs.status_code}")
        wrong += leaks(route, caller, theirs) + mixed(stage, route, caller, expected)
    return wrong


def unlike(some: Work, others: Work) -> str:
    """The first statement in which they differ, and how many there are."""
    pairs = zip_longest(kinds(some), kinds(others), fillvalue="nothing")
    first = next(f"{one:.300} / {other:.300}" for one, other in pairs if one != other)
    return f"{len(some)} and {len(others)} statements, {first}"


def mixed(stage: Stage, route: Route, caller: Caller, expected: Expected) -> list[str]:
    """The same of paths that name two things, one of them ours."""
    if len(expected.of) < 2 or "revision" in expected.of:
        return []
    answers = [stage.ask(caller, route, stage.own, stage.foreign), stage.ask(caller, route, stage.foreign, stage.own)]
    reached = [
        f"{route.key} as {caller.name} mixes organizations" for answer in answers if met(route, answer) == ALLOWED
    ]
    return [*reached, *(line for answer in answers for line in leaks(route, caller, answer))]


def test_other_work_is_seen(stage: Stage) -> None:
    (route,) = [route for route in KNOWN if route.key == "GET /api/v1/iprs/{ipr_id}"]
    (admin,) = [caller for caller in stage.callers if caller.name == "admin"]
    own, nobodys = stage.ask(admin, route), stage.ask(admin, route, NOWHERE)
    assert kinds(own.work) != kinds(nobodys.work) != []
    assert "statements" in unlike(own.work, nobodys.work)


def test_what_is_deleted_is_gone(stage: Stage) -> None:
    wrong = []
    for route in KNOWN:
        expected = EXPECTED[route.key]
        if not expected.of or expected.of[0] not in GONE or expected.kind == "anybody":
            continue
        path = filled(route, expected.but(of=(GONE[expected.of[0]], *expected.of[1:])), stage.own)
        for caller in [one for one in stage.callers if one.name in {"admin", "management key"}]:
            stage.cells += 1
            response = caller.call(route.method, path, body_of(expected, stage.own), is_api=route.is_api)
            wanted = {ALLOWED, MISSING} if expected.keeps_deleted else {MISSING}
            if outcome(route, expected, caller) == ALLOWED and met(route, response) not in wanted:
                wrong.append(f"{route.key} as {caller.name}: {response.status_code}")
    assert not wrong, "\n" + "\n".join(wrong)


def test_the_administration_is_for_staff_alone(stage: Stage) -> None:
    wrong = []
    for route in ADMIN:
        path = route.path.replace("{object_id}", "1").replace("{app_label}", "auth")
        if "(" in path or "login" in path or "logout" in path:
            continue
        for caller in [one for one in stage.callers if one.name in {"admin", "management key"}]:
            stage.cells += 1
            response = caller.call(route.method, path, is_api=False)
            is_shut = response.status_code == 302 and "/admin/login/" in response["Location"]
            if not is_shut and met(route, response) not in {LOGIN, MISSING}:
                wrong.append(f"{route.key} as {caller.name}: {response.status_code}")
    assert not wrong, "\n" + "\n".join(wrong)
