"""Whatever looks like an id in what one organization is told is tried by another one, wherever an id can stand."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.access.callers import Caller, of_key
from tests.access.conftest import EXPECTED, KNOWN, Stage
from tests.access.judging import ALLOWED, body_of, bytes_of, filled, met, outcome, shape
from tests.access.routes import SAFE, Route
from tests.access.work import watched
from tests.access.world import PRESET_KEYS, THEIRS, Things
from tests.factories.accounts import make_key

pytestmark = pytest.mark.django_db
API = [route for route in KNOWN if route.is_api and EXPECTED[route.key].kind != "anybody"]
NAMES = re.compile(
    r"(?:^|_)(?:id|uuid|number|slug|name|stream|cursor|key|digest|hash|prefix)$|(?:Id|Cursor)$", re.ASCII
)
MOST = 3
"""Values of one name that are tried; of each kind of thing there is one, so that is all of them but the log's."""
FILTERS = (
    "agentId",
    "projectId",
    "machine",
    "search",
    "q",
    "after",
    "status",
    "kind",
    "stream",
)
FIELDS = {
    "blueprint(id: {})": "name", "ipr(id: {})": "title", 'deployment(deploymentId: "{}")': "createdBy", 'events(stream: "{}")': "data"
}  # fmt: skip


def ids_in(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Names and values of all that looks like an id."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from ids_in(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from ids_in(inner, name)
    elif isinstance(value, str | int) and not isinstance(value, bool) and NAMES.search(name):
        yield name, str(value)


@pytest.fixture(scope="module")
def found(stage: Stage) -> dict[str, list[str]]:
    """What the other organization's own key is told, by name."""
    caller = of_key("theirs", make_key(PRESET_KEYS["management"], organization=stage.theirs)[1], frozenset())
    told: dict[str, set[str]] = {}
    for route in API:
        if route.method != "GET":
            continue
        response = stage.ask(caller, route, stage.foreign)
        if response.get("Content-Type") == "application/json" and response.status_code == 200:
            for name, value in ids_in(response.json()):
                told.setdefault(name, set()).add(value)
    return {name: sorted(values)[:MOST] for name, values in told.items()}


@pytest.fixture
def thief(stage: Stage, production: None) -> Caller:
    """A key of ours that may everything a key may."""
    (caller,) = [one for one in stage.callers if one.name == "management key"]
    return caller


def values_of(found: dict[str, list[str]]) -> list[str]:
    return sorted({value for values in found.values() for value in values if len(value) < 200 and "/" not in value})


def test_there_is_something_to_try(found: dict[str, list[str]]) -> None:
    assert {"id", "name", "blueprint_id", "deployment_id", "slug", "token_id"} <= found.keys()
    assert len(values_of(found)) > 20


def test_in_paths(stage: Stage, thief: Caller, found: dict[str, list[str]]) -> None:
    """Each value in each place of each path; those of ours are left out, for a number may be an id here and there."""
    ours = {str(value) for value in vars(stage.own).values()}
    values = [value for value in values_of(found) if value not in ours]
    wrong = [line for route in API if "{" in route.path for line in _tried(stage, thief, route, values)]
    assert not wrong, "\n".join(wrong)


def _tried(stage: Stage, thief: Caller, route: Route, values: list[str]) -> Iterator[str]:
    for value in values:
        path = re.sub(r"\{\w+\}", lambda _, value=value: value, route.path)
        with stage.undone():
            response = thief.call(route.method, path, body_of(EXPECTED[route.key], stage.own))
        if THEIRS.encode() in bytes_of(response).replace(value.encode(), b""):
            yield f"{route.key} with {value} tells of {THEIRS}"


def test_in_queries(stage: Stage, thief: Caller, found: dict[str, list[str]]) -> None:
    """Every value in every filter at once, and every cursor as one, wherever a query is looked at."""
    cursors = {value for name, values in found.items() if "cursor" in name.lower() for value in values}
    queries = {value: "&".join(f"{name}={value}" for name in FILTERS) for value in values_of(found)}
    queries |= {value: f"cursor={value}" for value in cursors}
    wrong, filtered = [], []
    for route in [route for route in API if route.method == "GET" and EXPECTED[route.key].kind != "measured"]:
        path = filled(route, EXPECTED[route.key], stage.own)
        if not looks_at_its_query(stage, thief, path):
            continue
        filtered.append(route.key)
        for value, query in queries.items():
            with stage.undone():
                answer = thief.call("GET", f"{path}?{query}")
            if THEIRS.encode() in bytes_of(answer).replace(value.encode(), b""):
                wrong.append(f"{route.key}?{query}")
    assert not wrong, "\n".join(wrong)
    assert {"GET /api/v1/iprs", "GET /api/v1/mission-control", "GET /api/v1/projects"} <= set(filtered)


def looks_at_its_query(stage: Stage, thief: Caller, path: str) -> bool:
    """Whether a word in the filters, or as a cursor, changes the answer or reaches the database."""
    shapes = set()
    for query in ("", "&".join(f"{name}=unheard" for name in FILTERS), "cursor=unheard"):
        with stage.undone(), watched() as work:
            shapes.add(shape(thief.call("GET", f"{path}?{query}")))
        if any("unheard" in values for _, values in work):
            return True
    return len(shapes) > 1


def test_in_bodies(stage: Stage, thief: Caller) -> None:
    """What a body names of another organization is not found, whatever field names it."""
    wrong = []
    for route in [route for route in API if route.method not in SAFE]:
        expected = EXPECTED[route.key]
        if outcome(route, expected, thief) != ALLOWED:
            continue
        body = {**body_of(expected, stage.foreign), **naming(stage.foreign)}
        with stage.undone():
            response = thief.call(route.method, filled(route, expected, stage.own), body)
        named = any(
            str(value).startswith("{") and value != expected.body.get("query") for value in expected.body.values()
        )
        if THEIRS.encode() in bytes_of(response) or (
            named and met(route, response) == ALLOWED and response.status_code < 300
        ):
            wrong.append(f"{route.key}: {response.status_code}")
    assert not wrong, "\n".join(wrong)


def naming(things: Things) -> dict[str, Any]:
    """Fields that may name a thing, in the spelling of each family."""
    return {
        "blueprint_id": things.blueprint, "blueprintId": things.blueprint, "environment": things.environment,
        "project_id": things.project, "projectId": things.project, "agentId": things.agent, "ipr_id": things.ipr,
    }  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_in_graphql(stage: Stage, thief: Caller, found: dict[str, list[str]], field: str) -> None:
    for value in values_of(found):
        if "(id:" in field and not value.isdigit():
            continue
        if "(id:" in field and value in {str(one) for one in vars(stage.own).values()}:
            continue
        with stage.undone():
            answer = thief.call("POST", "/graphql", {"query": f"{{ {field.format(value)} {{ {FIELDS[field]} }} }}"})
        assert THEIRS.encode() not in answer.content.replace(value.encode(), b""), value
