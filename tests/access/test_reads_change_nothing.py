"""Whoever follows every link has changed nothing: a GET reads."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin

from tests.access.callers import Caller
from tests.access.conftest import EXPECTED, KNOWN, Stage
from tests.access.judging import filled, headers_of, lacks

pytestmark = pytest.mark.django_db
NOTED = {"last_used_at", "last_used_from", "last_login"}
"""That somebody was there may be noted."""
COUNTED = {"sessions.session", "monitoring.tally"}


def dump() -> dict[str, list[Any]]:
    """Every row of every table, but for what only notes or counts that somebody was there."""
    rows = {}
    for model in apps.get_models():
        if model._meta.label_lower not in COUNTED:
            names = [field.attname for field in model._meta.concrete_fields if field.attname not in NOTED]
            rows[model._meta.label_lower] = list(model._default_manager.order_by("pk").values_list(*names))
    return rows


def pages_of_the_administration() -> list[str]:
    """The list, the form and the history of each model, for its first row."""
    found = ["/admin/"]
    for model in admin.site._registry:
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}"
        row = model._default_manager.order_by("pk").first()
        found += [f"{base}/", f"{base}/add/", f"{base}/?q=x"]
        found += [f"{base}/{row.pk}/{page}/" for page in ("change", "history", "delete")] if row else []
    return found


def crawl(caller: Caller, paths: list[str]) -> list[tuple[str, int, list[str]]]:
    """Each path with the status of a GET, and which of the headers for browsers the answer lacks."""
    answers = ((path, caller.call("GET", path, is_api=False)) for path in paths)
    return [(path, answer.status_code, lacks(headers_of(answer))) for path, answer in answers]


@pytest.mark.parametrize("name", ["admin", "superuser", "management key"])
def test_no_get_changes_anything(stage: Stage, name: str) -> None:
    (caller,) = [one for one in stage.callers if one.name == name]
    before = dump()
    reading = [route for route in KNOWN if route.method == "GET"]
    more = pages_of_the_administration() if name == "superuser" else []
    seen = crawl(caller, [*(filled(route, EXPECTED[route.key], stage.own) for route in reading), *more])
    after = dump()
    assert [table for table in before if before[table] != after[table]] == []
    assert [page for page in seen if page[1] >= 500 or page[2]] == []
    shown = sum(status == 200 for _, status, _ in seen)
    assert shown > len(more) * 0.7 + 10, [page for page in seen if page[1] != 200]


def test_the_dump_sees_what_changes(stage: Stage) -> None:
    before = dump()
    stage.ours.name = "Another"
    stage.ours.save()
    after = dump()
    assert [table for table in before if before[table] != after[table]] == ["accounts.organization"]
    assert len(before) > 30
