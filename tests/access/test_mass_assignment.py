"""Fields that no body may set change nothing, whether a route refuses them or passes over them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.core.management.color import no_style
from django.db import connection
from django.db.models import CharField, JSONField, TextField

from tests.access.callers import Caller
from tests.access.conftest import EXPECTED, KNOWN, Stage
from tests.access.judging import body_of, filled
from tests.access.routes import SAFE, Route
from tests.access.work import tables_written, watched

pytestmark = pytest.mark.django_db
WORD = "smuggled5k"
NUMBER = 424_242
SETTLED = frozenset(
    [
        "organization_id",
        "owner_id",
        "user_id",
        "author_id",
        "status",
        "state",
        "role",
        "is_superuser",
        "is_staff",
        "is_active",
        "is_verified",
        "lane",
        "scopes",
        "created_by",
        "reviewer",
        "identity",
        "author_identity",
        "plan_id",
        "plan_digest",
        "digest",
        "revision_number",
        "project_id",
        "deleted_at",
        "revoked_at",
        "is_protected",
        "required_approvals",
        "monthly_budget",
        "is_sandbox",
        "is_enabled",
        "verifies_tls",
        "token_id",
        "name",
        "slug",
    ]
)
"""Columns that say whose a row is, how it stands and what it allows."""
RANDOM = {"digest", "token_id", "revoked_at", "deleted_at"}
"""Of these only whether they are set can be compared."""
_DRAWN = re.compile(r"([-_][0-9a-f]{8}([0-9a-f]{4})?|:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$")
EVERY_TABLE = frozenset(model._meta.db_table for model in apps.get_models())
WRITING = [route for route in KNOWN if route.method not in SAFE and EXPECTED[route.key].kind != "anybody"]


def smuggled(stage: Stage) -> dict[str, Any]:
    """Names that models have, and some that they could have."""
    theirs = stage.theirs.pk
    return {
        "org": theirs, "org_id": theirs, "organization": theirs, "organization_id": theirs, "organizationId": theirs,
        "id": NUMBER, "pk": NUMBER, "status": "deployed", "state": "completed", "created_by": WORD, "createdBy": WORD,
        "approved_by": WORD, "is_superuser": True, "is_staff": True, "is_verified": True, "plan_hash": WORD, "plan_digest": WORD,
        "digest": WORD, "role": "admin", "owner": NUMBER, "owner_id": NUMBER, "user": NUMBER, "user_id": NUMBER, "lane": "test",
        "author": WORD, "token_secret_sealed": WORD, "secret_sealed": WORD, "uid": WORD, "public_id": WORD, "revision_number": 9,
        "deleted_at": None, "revoked_at": None, "is_active": True, "is_sandbox": True, "monthlyCommitted": 1, "createdAt": WORD,
    }  # fmt: skip


def settled(tables: Iterable[str]) -> dict[str, list[Any]]:
    """What matters of every row of these tables."""
    found = {}
    for model in models(tables):
        names = [field.attname for field in model._meta.concrete_fields if field.attname in SETTLED]
        if names:
            rows = model._default_manager.order_by("pk").values("pk", *names)
            plain = [{k: _plain(k, v) for k, v in row.items() if k != "pk"} for row in rows]
            is_counted = model._meta.pk.get_internal_type().endswith("AutoField")
            found[model._meta.db_table] = plain if is_counted else sorted(plain, key=str)  # other keys are random
    return found


def _plain(name: str, value: Any) -> Any:
    """A value as it can be compared: streams of events are named by what they are about, which may be a new job with a number drawn by lot."""
    if name in RANDOM:
        return bool(value)
    return _DRAWN.sub("-*", value) if isinstance(value, str) else value


def models(tables: Iterable[str]) -> list[Any]:
    """The models of these tables, but for what django keeps of visits and of its administration."""
    known = [model for model in apps.get_models() if model._meta.app_label not in {"sessions", "admin"}]
    return [model for model in known if model._meta.db_table in tables]


def written(tables: Iterable[str]) -> list[str]:
    """Where in these tables the smuggled word or number has arrived."""
    places = []
    for model in models(tables):
        texts = [f.attname for f in model._meta.concrete_fields if isinstance(f, CharField | TextField | JSONField)]
        for row in model._default_manager.values(*texts) if texts else ():
            places += [f"{model._meta.label_lower}.{name}" for name, value in row.items() if WORD in str(value)]
        if not isinstance(model._meta.pk, CharField) and model._meta.pk.get_internal_type() != "UUIDField":
            places += [model._meta.label_lower] * model._default_manager.filter(pk=NUMBER).count()
    return places


@dataclass
class Left:
    """What a request left behind: its status, the tables that it wrote to, what is settled in them, and what arrived."""

    status: int
    settled: dict[str, list[Any]]
    places: list[str]


def count_from_the_last_row() -> None:
    """PostgreSQL does not take back the numbers that it gave to rows that were undone: the next ones would differ."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(";".join(connection.ops.sequence_reset_sql(no_style(), apps.get_models())))


def attempt(stage: Stage, caller: Caller, route: Route, more: dict[str, Any]) -> Left:
    """What a request left behind, before that is undone."""
    expected = EXPECTED[route.key]
    taken = {name: value for name, value in more.items() if value is not None or route.is_api}
    body = {**taken, **body_of(expected, stage.own)}
    count_from_the_last_row()
    with stage.undone(), watched() as work:
        response = caller.call(route.method, filled(route, expected, stage.own), body, is_api=route.is_api)
        tables = tables_written(work)
        return Left(response.status_code, settled(tables), written(tables))


def heaps(number: int = 4) -> list[list[Route]]:
    return [WRITING[index::number] for index in range(number)]


@pytest.mark.parametrize("heap", heaps(), ids=lambda heap: f"{len(heap)}-routes")
def test_nothing_is_smuggled_in(stage: Stage, heap: list[Route]) -> None:
    (admin,) = [caller for caller in stage.callers if caller.name == "admin"]
    before, wrong, taken = settled(EVERY_TABLE), [], 0
    for route in heap:
        expected = EXPECTED[route.key]
        more = {name: value for name, value in smuggled(stage).items() if name not in expected.body}
        plain, left = attempt(stage, admin, route, {}), attempt(stage, admin, route, more)
        taken += plain.status < 400
        usual = {**before, **plain.settled}
        tables = [table for table, rows in left.settled.items() if rows not in (usual[table], before[table])]
        wrong += [f"{route.key} ({left.status}) sets something in {table}" for table in tables]
        wrong += [f"{route.key} ({left.status}) writes to {place}" for place in left.places]
    assert not wrong, "\n".join(wrong)
    assert taken > len(heap) / 2, "what is refused anyhow proves nothing"
