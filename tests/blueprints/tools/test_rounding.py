"""Figures have no more places than mean something, in JSON and in sentences, and are never powers of ten."""

import re
from typing import Any

import pytest

from alma.errors import BadRequest
from blueprints.tools import REGISTER, execute
from blueprints.tools.rounding import counted, in_words
from tests.factories.accounts import make_actor, make_organization
from tests.factories.blueprints import make_document, make_resource
from tests.factories.vms import make_cluster, make_guest

pytestmark = pytest.mark.django_db
_LONG = re.compile(r"\d\.\d{5,}|\d\.\d*e[+-]\d")
THIRDS = make_document(resources=[
    make_resource("a", specs={"cpu": 1, "memory": "1GB", "disk": "10GB"}),
    make_resource("b", specs={"cpu": 1, "memory": "2GB", "disk": "20GB"}),
    make_resource("c", specs={"cpu": 2, "memory": "4GB", "disk": "41GB"}),
])  # fmt: skip
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("calculate_capacity", {"blueprint": THIRDS}),
    ("calculate_capacity", {"memory": "1500MB", "disk": "7000MB"}),
    ("estimate_resources", {"peak_users": 700_001, "service_ms": 3.3333333}),
    ("estimate_resources", {"requests_per_second": 1_000_000.5, "service_ms": 0.01, "workload": "static_site"}),
    ("estimate_resources", {"blueprint": THIRDS}),
    ("optimize_costs", {"blueprint": THIRDS}),
    ("suggest_architecture", {"requirements": "a shop", "max_cost": 12_345_678.9}),
    ("validate_blueprint", {"blueprint": THIRDS}),
    ("migrate_infrastructure", {"inventory": [{"name": f"m{n}", "disk": "64333MB"} for n in range(9)], "target_cluster": "main"}),
    ("security_audit", {"blueprint": THIRDS}),
    ("compare_blueprints", {"blueprint": THIRDS, "other_blueprint": make_document()}),
]  # fmt: skip


@pytest.mark.parametrize(("tool", "arguments"), CALLS)
def test_figures_are_rounded(tool: str, arguments: dict[str, Any]) -> None:
    make_guest(make_cluster(organization=make_organization(), slug="main"))
    found = execute(tool, arguments, by=make_actor())
    text = found.model_dump_json(exclude={"draft": True, "suggestions": {"__all__": {"draft"}}})
    assert not (places := [text[max(0, one.start() - 60) : one.end()] for one in _LONG.finditer(text)]), places


def test_the_mean_size_of_thirds_is_rounded_in_words_and_json() -> None:
    make_cluster(organization=make_organization())
    found = execute("calculate_capacity", {"blueprint": THIRDS}, by=make_actor())
    assert (found.machine_memory_gb, found.machine_disk_gb) == (2.33, 23.67)  # type: ignore[attr-defined]
    assert "1 core, 2.33 GB of memory and 23.67 GB of disk" in found.summary


@pytest.mark.parametrize(
    ("value", "text"), [(2.3333333, "2.33"), (8.0, "8"), (1_500_000.0, "1500000"), (0.5, "0.5"), (12.999, "13")]
)
def test_a_figure_in_words(value: float, text: str) -> None:
    assert in_words(value) == text


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [(1, 0, "1 hour"), (0, 0, "0 hours"), (1.04, 1, "1 hour"), (2.5, 1, "2.5 hours"), (0.96, 1, "1 hour"), (10, 1, "10 hours")],
)  # fmt: skip
def test_so_many_of_a_thing(value: float, places: int, text: str) -> None:
    assert counted(value, "hour", places) == text


def test_every_tool_has_a_call_here_or_needs_what_was_measured() -> None:
    assert {name for name, _ in CALLS} | {"create_blueprint", "generate_deployment_plan", "troubleshoot_issue",
            "check_compliance", "forecast_metrics"} == set(REGISTER)  # fmt: skip


def test_a_load_that_no_blueprint_can_hold_is_refused_as_a_load() -> None:
    with pytest.raises(BadRequest, match="This load needs larger machines"):
        execute("estimate_resources", {"requests_per_second": 3_000_000, "service_ms": 0.01}, by=make_actor())
