"""Validating, comparing and estimating documents."""

from typing import Any

import pytest

from blueprints.tools import execute
from blueprints.tools.differences import similarity
from tests.factories.accounts import make_actor
from tests.factories.blueprints import make_blueprint, make_document, make_resource

pytestmark = pytest.mark.django_db


def run(name: str, **arguments: Any) -> Any:
    return execute(name, arguments, by=make_actor())


def test_a_valid_document_says_what_it_means() -> None:
    found = run(
        "validate_blueprint", blueprint=make_document(resources=[make_resource("web", specs={"count": 3, "cpu": 2})])
    )
    assert (found.valid, found.errors) == (True, [])
    assert found.resources[0].model_dump() == {
        "resource": "web", "type": "vm", "machines": 3, "cpu_cores": 6, "memory_gb": 6.0, "disk_gb": 60.0,
        "defaults": ["memory", "disk"],
    }  # fmt: skip
    assert len(found.digest) == 64


def test_a_wrong_document_is_a_result_with_its_faults() -> None:
    wrong = make_document(resources=[make_resource("a", dependencies=["b"]), make_resource("c", specs={"memory": "8"})])
    found = run("validate_blueprint", blueprint=wrong)
    assert not found.valid
    assert [(row.resource, row.field) for row in found.errors] == [("c", "specs.memory")]
    text = "name: x\nresources:\n  - name: a\n    type: vm\n    specs: {cpu: two}\n"
    assert [(row.field, row.line) for row in run("validate_blueprint", blueprint=text).errors] == [("specs.cpu", 5)]
    assert not run("validate_blueprint", blueprint="resources: [").valid


def test_similarity_worked_by_hand() -> None:
    """Values of each: version, type, cpu, memory. Three of four are shared: 2 × 3 / (4 + 4)."""
    before = {
        "version": "1.0",
        "name": "x",
        "resources": [{"name": "a", "type": "vm", "specs": {"cpu": 2, "memory": "4GB"}}],
    }
    after = {
        "version": "1.0",
        "name": "y",
        "resources": [{"name": "a", "type": "vm", "specs": {"cpu": 4, "memory": "4GB"}}],
    }
    assert similarity(before, after) == 0.75
    assert similarity(before, before) == 1
    assert similarity(before, {"resources": [{"name": "b", "type": "lxc", "specs": {}}]}) == 0
    assert similarity({"resources": []}, {"resources": []}) == 1


def test_the_difference_of_two_with_its_cost() -> None:
    first, second = make_resource("a"), make_resource("b")
    grown = make_resource("a", specs={"cpu": 8, "memory": "8GB", "disk": "100GB"})
    found = run(
        "compare_blueprints", blueprint_id=make_blueprint(resources=[first]).pk,
        other_blueprint=make_document(resources=[grown, second]),
    )  # fmt: skip
    assert (found.created, found.updated, found.deleted, found.unchanged) == (1, 1, 0, 0)
    assert (found.cost_before, found.cost_after, found.cost_difference) == (40.0, 96.0, 56.0)
    change = next(item for item in found.items if item.resource == "a").changes[0]
    assert (change.path, change.before, change.after) == ("specs.cpu", "4", "8")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("a", "a", "0 resources come, change or go;"),
        ("a", "A", "1 resource changes;"),
        ("ab", "Abcd", "2 resources come, 1 changes;"),
        ("a", "b", "1 resource comes, 1 goes;"),
        ("abc", "", "3 resources go;"),
    ],
)
def test_what_differs_is_told_with_its_number(before: str, after: str, told: str) -> None:
    """A capital letter is the same resource with other sizes."""
    documents = [
        make_document(resources=[
            make_resource(name.lower(), specs={"cpu": 8 if name.isupper() else 4, "memory": "8GB"}) for name in names
        ])
        for names in (before, after)
    ]  # fmt: skip
    found = run("compare_blueprints", blueprint=documents[0], other_blueprint=documents[1])
    assert found.summary.startswith(told)


def test_an_estimate_worked_by_hand() -> None:
    """100 requests a second of an API: 10 ms × 100 = 1 erlang, 1 / 0.7 = 2 cores; the database 0.4 erlang, 1 core and so a
    machine of 2. Each tier has a spare machine. 1,003 people: 100 × (10 + 0.014) s = 1,001."""
    found = run("estimate_resources", requests_per_second=100, workload="api", usage_pattern="high_traffic")
    app, db = found.tiers
    assert (app.offered_load, app.cores_needed, app.machines, app.cores_per_machine) == (1.0, 2, 2, 2)
    assert (app.wait_probability, app.mean_wait_ms) == (0.3333, 3.333)
    assert (db.offered_load, db.cores_needed, db.machines, db.cores_per_machine) == (0.4, 1, 2, 2)
    assert found.cpu_cores == 8
    # app: 1 + 2 × 1.5 + 1001 × 0.1 / 1024 = 4.1 -> 5; db: 2 + 2 + 0.05 + 0.2 × 10010 × 2 / 1024 = 7.9 -> 8
    assert (app.memory_gb_per_machine, db.memory_gb_per_machine, found.memory_gb) == (5, 8, 26)
    # app: 40; db: 40 + 1.3 × 19.55 = 65.4 -> 66
    assert (app.disk_gb_per_machine, db.disk_gb_per_machine) == (40, 66)
    # app: 2 + 8 + 10 + 2.4 = 22.40 each; db: 2 + 8 + 16 + 3.96 = 29.96 each
    assert (app.cost_monthly, db.cost_monthly, found.estimated_cost_monthly) == (44.8, 59.92, 104.72)
    assert any("1001 people" in line for line in found.assumptions)


def test_people_become_arrivals() -> None:
    """10,000 / (10 s + 31.5 ms) × 1.5 = 1495.29."""
    found = run("estimate_resources", peak_users=10_000, usage_pattern="high_traffic")
    assert found.requests_per_second == pytest.approx(10_000 / 10.0315 * 1.5, abs=1e-3)
    assert run("validate_blueprint", blueprint=found.draft).valid


def test_a_blueprint_under_a_load() -> None:
    resources = [
        make_resource("app", type="app", specs={"cpu": 4}),
        make_resource("db", type="database", specs={"cpu": 2, "disk": "50GB"}),
    ]
    given = {"blueprint": make_document(resources=resources), "workload": "api"}
    small, large = (run("estimate_resources", requests_per_second=rate, **given).provided for rate in (100, 1000))
    assert (small.is_enough, small.short_of) == (True, [])
    assert not large.is_enough
    assert [line.split()[0] for line in large.short_of] == ["app", "db", "db"], "cores of both, and the disk"
    # 8,000 people / 0.1 × 2 MB = 156.25 GB of data, on a disk of 50; 8,000 × 0.1 MB = 0.78 GB of sessions fit into 2
    many = run("estimate_resources", requests_per_second=100, peak_users=8000, **given).provided
    assert (many.is_enough, many.short_of) == (False, ["db (50 GB of disk) has no room for 156.25 GB of data"])
    assert small.requests_per_second == 280.0  # 4 cores × 0.7 / 10 ms
    alone = run("estimate_resources", **given)
    assert (alone.cpu_cores, alone.provided.is_enough, alone.provided.requests_per_second) == (6, None, 280.0)
