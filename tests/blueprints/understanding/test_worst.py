"""Two hundred of the worst answers of a model: always a valid blueprint, never an effect."""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client

from blueprints.generation import generate
from blueprints.schema import parse_document
from tests.blueprints.test_api import send
from tests.blueprints.understanding.worst import TEXTS, cases, said
from tests.factories.accounts import make_key, make_organization
from tests.fixtures.receiver import Receiver

pytestmark = pytest.mark.django_db
WISH = "2 web servers with 4 cores and a PostgreSQL database with 100 GB disk, no redis"
CASES = list(cases())
PLANNED = generate(WISH)


def rows() -> dict[str, int]:
    """How many rows each table has."""
    tables = {model._meta.db_table for model in apps.get_models()} & set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        return {table: _count(cursor, table) for table in sorted(tables)}


def _count(cursor: Any, table: str) -> int:
    cursor.execute(f'SELECT COUNT(*) FROM "{table}"')
    return int(cursor.fetchone()[0])


def test_there_are_two_hundred_of_them() -> None:
    assert len(CASES) >= 200
    assert len({name for name, _ in CASES}) == len(CASES)


@pytest.mark.parametrize(("name", "script"), CASES, ids=[name.replace(" ", "-")[:40] for name, _ in CASES])
def test_the_worst_answer_has_no_effect(
    client: Client, scripted: Receiver, settings: Any, name: str, script: Any
) -> None:
    settings.ALMA_MODEL_SECONDS, settings.ALMA_MODEL_TOKENS = 1, 1000
    make_organization()
    key = make_key()[1]
    before = rows()
    scripted.respond = script
    response = send(
        client, "post", "/api/v1/blueprints/generate-blueprint", {"description": WISH}, **{"X-API-Key": key}
    )
    assert response.status_code == 200, response.content
    document = response.json()
    parse_document(document)
    assert rows() == before, "a row was written"
    assert {request.path for request in scripted.requests} <= {"/v1/chat/completions"}
    assert facts(document) == facts(PLANNED)
    badge = document["metadata"]["model"]
    assert badge["status"] in {"used", "down", "slow", "garbled", "over_budget"}
    assert badge["status"] == "used" or (badge["reason"] and bare(document) == PLANNED)
    text = said(document)
    assert "planted" not in text
    assert not [hostile for hostile in TEXTS.values() if len(hostile) > 20 and hostile in text and "env" not in name]


TALK = {"blueprints_conversation", "blueprints_message", "events_event", "events_stream"}
ELSEWHERE: list[tuple[str, dict[str, Any], set[str]]] = [
    ("/api/v1/conversation/chat", {"message": WISH}, TALK),
    ("/api/v1/tools/execute", {"query": "Estimate resources for some hundred users"}, set()),
    ("/v1/ai/generate", {"prompt": WISH, "output_format": "ansible"}, set()),
    ("/api/v1/docs/ask", {"question": "How do I run the tests?"}, set()),
]


@pytest.mark.parametrize(
    ("number", "name", "script"), [(number, *case) for number, case in enumerate(CASES[::2])],
    ids=[name.replace(" ", "-")[:40] for name, _ in CASES[::2]],
)  # fmt: skip
def test_nor_has_it_anywhere_else(
    client: Client, scripted: Receiver, settings: Any, number: int, name: str, script: Any
) -> None:
    """Every other case over one of the other routes, in turn."""
    settings.ALMA_MODEL_SECONDS, settings.ALMA_MODEL_TOKENS = 1, 1000
    make_organization()
    key = make_key()[1]
    before = rows()
    scripted.respond = script
    url, body, own = ELSEWHERE[number % len(ELSEWHERE)]
    response = send(client, "post", url, body, **{"X-API-Key": key})
    assert response.status_code == 200, response.content
    after = rows()
    assert {table for table in after if after[table] != before[table]} <= own
    assert {request.path for request in scripted.requests} <= {"/v1/chat/completions"}
    assert "planted" not in response.content.decode()


def facts(document: Any) -> list[tuple[Any, ...]]:
    """What the text determines."""
    return [
        (row["name"], row["type"], row["specs"].get("count"), row["specs"].get("software"),
         row["specs"]["cpu"] if row["name"].startswith("web") else None,
         row["specs"]["disk"] if row["name"] == "postgresql" else None)
        for row in document["resources"]
    ]  # fmt: skip


def bare(document: Any) -> Any:
    """Without what is said of the model."""
    about = {name: value for name, value in document["metadata"].items() if name not in ("model", "differences")}
    return {**document, "metadata": about}
