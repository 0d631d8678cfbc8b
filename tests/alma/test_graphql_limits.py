"""What a query may ask for: judged before it runs, and quickly, however it is written."""

import time
from typing import Any

import pytest
from django.test import Client

from alma.errors import BadRequest
from alma.graphql.limits import MAX_ALIASES, MAX_COST, MAX_REPEATS, MAX_TOKENS, Asked, check
from alma.graphql.queries import LISTS
from tests.factories.accounts import make_key

URL = "/graphql"
SPREADS = " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(60))


def judged(query: str, **variables: Any) -> str:
    """The code of the refusal, or nothing."""
    try:
        check(Asked(query, variables, None), LISTS, may_introspect=True)
    except BadRequest as error:
        return error.code
    return ""


def nested(levels: int) -> str:
    """A query of so many levels of fields: there and back again."""
    query = "id"
    for level in range(levels - 1, 0, -1):
        query = (
            "iprs(limit: 1)" if level == 1 else "ipr" if level % 2 else "deployments(limit: 1)"
        ) + f" {{ {query} }}"
    return f"{{ {query} }}"


def test_the_lists_of_the_schema_are_known() -> None:
    assert dict.fromkeys(("blueprints", "iprs", "deployments", "vms", "events"), 20) | {"steps": 10} == LISTS


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        (nested(8), {}, ""),
        (nested(9), {}, "QUERY_TOO_LARGE"),
        ("{ ...a } fragment a on Query { iprs(limit: 1) { ...b } } fragment b on Ipr { plan { number } }", {}, ""),
        # cost: every object counts once
        ("{ iprs(limit: 200) { id } blueprints(limit: 200) { id } }", {}, ""),
        ("{ iprs(limit: 50) { deployments(limit: 19) { status } } }", {}, ""),
        ("{ iprs(limit: 50) { deployments(limit: 20) { status } } }", {}, "QUERY_TOO_LARGE"),
        ("{ iprs { deployments { status } } }", {}, ""),
        ("{ iprs(limit: 200) { blueprint { name } plan { number } deployments(limit: 3) { status } } }", {}, "QUERY_TOO_LARGE"),
        ("query A($n: Int) { events(limit: $n) { seq } }", {"n": MAX_COST}, ""),
        ("query A($n: Int) { events(limit: $n) { seq } }", {"n": MAX_COST + 1}, "QUERY_TOO_LARGE"),
        ("query A($n: Int = 1001) { events(limit: $n) { seq } }", {}, "QUERY_TOO_LARGE"),
        ("query A($n: Int = 1001) { events(limit: $n) { seq } }", {"n": 5}, ""),
        ("query A($n: Int) { events(limit: $n) { seq } }", {"n": "many"}, ""),
        ("{ events(limit: -5) { seq } }", {}, ""),
        (f"{{ events(limit: 1{'0' * 400}) {{ seq }} }}", {}, "QUERY_TOO_LARGE"),
        ("{ ... on Query { events(limit: 1001) { seq } } }", {}, "QUERY_TOO_LARGE"),
        ("{ ...a ...a ...a } fragment a on Query { events(limit: 400) { seq } }", {}, "QUERY_TOO_LARGE"),
        # aliases
        ("{ " + " ".join(f"a{n}: __typename" for n in range(MAX_ALIASES)) + " }", {}, ""),
        ("{ " + " ".join(f"a{n}: __typename" for n in range(MAX_ALIASES + 1)) + " }", {}, "QUERY_TOO_LARGE"),
        ("{ " + " ".join(f"a{n}: systemStatus {{ status }}" for n in range(150)) + " }", {}, "QUERY_TOO_LARGE"),
        ("{ __schema { " + " ".join(f"a{n}: types {{ name }}" for n in range(16)) + " } }", {}, "QUERY_TOO_LARGE"),
        # fragments
        ("{ ...a } fragment a on Query { ...a }", {}, "GRAPHQL_FRAGMENT_CYCLE"),
        ("{ ...a } fragment a on Query { ...b } fragment b on Query { iprs { id } ...a }", {}, "GRAPHQL_FRAGMENT_CYCLE"),
        ("{ ...nowhere }", {}, ""),
        (f"{{ ...f0 }} {SPREADS} fragment f60 on Query {{ events(limit: 1) {{ seq }} }}", {}, "QUERY_TOO_LARGE"),
        # length and nesting
        ("{ " + "__typename " * MAX_REPEATS + "}", {}, ""),
        ("{ " + "__typename " * (MAX_REPEATS + 1) + "}", {}, "QUERY_TOO_LARGE"),
        ("{ " + "__typename " * (MAX_TOKENS + 1) + "}", {}, "GRAPHQL_SYNTAX"),
        ("{a" * 100_000, {}, "QUERY_TOO_LARGE"),
        ("query A($a: " + "[" * 100_000 + ") { iprs { id } }", {}, "QUERY_TOO_LARGE"),
        ("{ iprs(status: " + "[" * 100_000 + ") { id } }", {}, "QUERY_TOO_LARGE"),
    ],
)  # fmt: skip
def test_a_query_is_judged_at_once(query: str, variables: dict[str, Any], code: str) -> None:
    began = time.thread_time()
    assert judged(query, **variables) == code
    assert time.thread_time() - began < 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query", [nested(9), "{ events(limit: 1001) { seq } }", "{ ...a } fragment a on Query { ...a }"]
)
def test_what_is_too_large_is_a_400(client: Client, query: str) -> None:
    answer = client.post(URL, {"query": query}, content_type="application/json")
    assert answer.status_code == 400
    assert {"detail", "error_code", "timestamp"} <= set(answer.json())


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    [
        "{ iprs(limit: 1) {" + "id title description status environment createdBy " * MAX_REPEATS + "} }",
        "{ iprs(limit: 1) { " + "plan { number } blueprint { id } deployments(limit: 1) { status } " * 45 + "} }",
        "{ " + "...a " * 400 + "} fragment a on Query { __typename }",
    ],
)
def test_the_worst_that_is_allowed_is_quick(client: Client, query: str) -> None:
    began = time.thread_time()
    answer = client.post(URL, {"query": query}, content_type="application/json")
    assert answer.status_code in {200, 400}
    assert time.thread_time() - began < 1


@pytest.mark.django_db
def test_introspection_does_not_go_round(client: Client) -> None:
    _, secret = make_key()
    deep = "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }"
    answer = client.post(URL, {"query": deep}, content_type="application/json", headers={"X-API-Key": secret})
    assert answer.status_code == 400
    assert "introspection" in answer.json()["detail"].lower()
