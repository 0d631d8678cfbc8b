"""The author's words against the plan."""

from typing import Any

import pytest

from alma.accounts.models import Environment
from iprs.claims import ClaimCheck, check_claims
from iprs.models import IPR, PlanItem

OTHERS = ["staging", "Staging"]


def row(key: str, action: str = "create", **values: Any) -> PlanItem:
    return PlanItem(key=key, action=action, **values)


def check(*items: PlanItem, **values: Any) -> ClaimCheck:
    place = Environment(slug="production", name="Production")
    ipr = IPR(environment=place, **{"title": "Add a cache", "description": "", "changes_summary": {}, **values})
    return check_claims(ipr, items, OTHERS)


def said(result: ClaimCheck) -> list[str]:
    return [finding.message for finding in result.findings]


def test_agreement_finds_nothing() -> None:
    result = check(row("redis-1"), row("redis-2"), changes_summary={"added": ["redis"], "removed": [], "modified": []})
    assert (said(result), result.said) == ([], {"create": 1, "update": 0, "delete": 0})


def test_no_list_is_no_claim() -> None:
    result = check(row("redis-1"))
    assert (said(result), result.said) == ([], None)


@pytest.mark.parametrize(("action", "verb"), [("delete", "deletes"), ("replace", "replaces")])
def test_loss_that_nobody_mentions_is_grave(action: str, verb: str) -> None:
    result = check(row("db-1", action))
    assert result.is_grave
    assert said(result) == [f"The plan {verb} db-1, which the author does not mention."]


@pytest.mark.parametrize(
    "words",
    [
        {"changes_summary": {"removed": ["db-1"]}},
        {"changes_summary": {"deleted": [{"name": "db-1"}]}},
        {"changes_summary": {"removed": "db"}},
        {"title": "Remove DB-1"},
        {"description": "The db goes away."},
    ],
)
def test_loss_that_is_mentioned_is_not_grave(words: dict[str, Any]) -> None:
    assert not check(row("db-1", "delete"), **words).is_grave


def test_another_name_is_no_mention() -> None:
    assert check(row("db-1", "delete"), description="db-10 and my-db stay").is_grave


@pytest.mark.parametrize("promise", ["No downtime expected.", "done without interruption", "zero-downtime"])
def test_promise_of_no_downtime_is_compared(promise: str) -> None:
    assert check(row("web-1", "update", needs_restart=True), description=promise).is_grave
    assert not check(row("web-1", "update"), description=promise).is_grave


def test_wrong_environment_is_told() -> None:
    assert said(check(row("web-1"), title="Cache for staging")) == [
        "The author writes of staging; this plan is for Production."
    ]
    assert said(check(row("web-1"), title="Cache for production, as in staging")) == []


def test_promises_that_the_plan_does_not_keep() -> None:
    result = check(row("redis-1"), changes_summary={"added": ["redis-1", "queue"], "modified": ["web"]})
    assert said(result) == [
        "The author says it will create queue; the plan does not.",
        "The author says it will update web; the plan does not.",
    ]


def test_what_is_not_on_the_list() -> None:
    result = check(row("redis-1"), row("web-1"), row("db-1", "noop"), changes_summary={"added": ["redis"]})
    assert said(result) == ["Not on the author's list: create web-1."]


@pytest.mark.parametrize(
    "summary", [None, [], "text", 7, {"added": 3}, {"added": None}, {"added": [None, 4, {}]}, {1: 2}]
)
def test_any_shape_of_claims_is_read(summary: Any) -> None:
    check(row("redis-1"), row("db-1", "delete"), changes_summary=summary)
