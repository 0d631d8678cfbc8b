"""Fields that no body may set change nothing, whether a route refuses them or passes over them."""

from typing import Any

import pytest
from django.apps import apps
from django.db.models import CharField, JSONField, TextField

from tests.access.callers import Caller
from tests.access.conftest import EXPECTED, KNOWN, Stage
from tests.access.judging import body_of, filled
from tests.access.routes import SAFE, Route

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


def settled() -> dict[str, list[Any]]:
    """What matters of every row."""
    found = {}
    for model in apps.get_models():
        names = [field.attname for field in model._meta.concrete_fields if field.attname in SETTLED]
        if names and model._meta.app_label not in {"sessions", "admin"}:
            rows = model._default_manager.order_by("pk").values("pk", *names)
            found[model._meta.label_lower] = [{k: _plain(k, v) for k, v in row.items() if k != "pk"} for row in rows]
    return found


def _plain(name: str, value: Any) -> Any:
    return bool(value) if name in RANDOM else value


def written() -> list[str]:
    """Where the smuggled word or number has arrived."""
    places = []
    for model in apps.get_models():
        if model._meta.label_lower == "sessions.session":
            continue
        texts = [f.attname for f in model._meta.concrete_fields if isinstance(f, CharField | TextField | JSONField)]
        for row in model._default_manager.values(*texts) if texts else ():
            places += [f"{model._meta.label_lower}.{name}" for name, value in row.items() if WORD in str(value)]
        if not isinstance(model._meta.pk, CharField) and model._meta.pk.get_internal_type() != "UUIDField":
            places += [model._meta.label_lower] * model._default_manager.filter(pk=NUMBER).count()
    return places


def attempt(
    stage: Stage, caller: Caller, route: Route, more: dict[str, Any]
) -> tuple[int, dict[str, list[Any]], list[str]]:
    """What a request left behind, before that is undone."""
    expected = EXPECTED[route.key]
    body = {
        **{name: value for name, value in more.items() if value is not None or route.is_api},
        **body_of(expected, stage.own),
    }
    with stage.undone():
        response = caller.call(route.method, filled(route, expected, stage.own), body, is_api=route.is_api)
        return response.status_code, settled(), written()


def heaps(number: int = 4) -> list[list[Route]]:
    return [WRITING[index::number] for index in range(number)]


@pytest.mark.parametrize("heap", heaps(), ids=lambda heap: f"{len(heap)}-routes")
def test_nothing_is_smuggled_in(stage: Stage, heap: list[Route]) -> None:
    (admin,) = [caller for caller in stage.callers if caller.name == "admin"]
    before, wrong, taken = settled(), [], 0
    for route in heap:
        expected = EXPECTED[route.key]
        more = {name: value for name, value in smuggled(stage).items() if name not in expected.body}
        answered, plain, _ = attempt(stage, admin, route, {})
        taken += answered < 400
        status, changed, places = attempt(stage, admin, route, more)
        tables = [table for table in changed if changed[table] not in (plain[table], before[table])]
        wrong += [f"{route.key} ({status}) sets something in {table}" for table in tables]
        wrong += [f"{route.key} ({status}) writes to {place}" for place in places]
    assert not wrong, "\n".join(wrong)
    assert taken > len(heap) / 2, "what is refused anyhow proves nothing"
