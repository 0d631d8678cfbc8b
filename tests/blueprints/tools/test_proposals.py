"""Drafts, architectures and plans: proposals that change nothing."""

from typing import TYPE_CHECKING, Any

import pytest

from alma.errors import BadRequest, NotFound, Unavailable
from blueprints.models import Blueprint
from blueprints.tools import execute
from blueprints.tools.suggesting import drafts
from iprs.models import IPR, Plan
from tests.factories.accounts import make_actor, make_environment, make_organization
from tests.factories.blueprints import make_blueprint, make_document, make_resource
from tests.factories.vms import make_cluster
from vms.models import GuestClaim

if TYPE_CHECKING:
    from tests.fixtures.sandbox import RunningSandbox

pytestmark = pytest.mark.django_db


def run(name: str, **arguments: Any) -> Any:
    return execute(name, arguments, by=make_actor())


def test_words_become_a_draft_that_is_not_saved() -> None:
    found = run("create_blueprint", description="3 web servers with 2 cores and 4 GB each and a PostgreSQL database")
    assert run("validate_blueprint", blueprint=found.draft).valid
    assert found.estimated_cost_monthly == run("estimate_resources", blueprint=found.draft).estimated_cost_monthly > 0
    assert not Blueprint.objects.exists()
    with pytest.raises(BadRequest):
        run("create_blueprint", description="delete all machines of production")


@pytest.mark.parametrize("draft", drafts(), ids=lambda draft: str(draft["name"]))
def test_each_architecture_is_a_valid_blueprint(draft: dict[str, Any]) -> None:
    assert run("validate_blueprint", blueprint=draft).valid


ASKED = [
    ({"requirements": "a small website for our club"}, "single-server"),
    (
        {"requirements": "highly available online shop with PostgreSQL that must scale", "peak_users": 8000},
        "available-web",
    ),
    ({"requirements": "microservices in kubernetes containers, scalable"}, "kubernetes"),
    ({"requirements": "batch jobs from a queue written to a database"}, "queue-and-workers"),
    ({"requirements": "chatbot with an llm on a gpu"}, "model-server"),
    ({"requirements": "hello", "max_cost": 30}, "single-server"),
    ({"requirements": "eine hochverfügbare Kundendatenbank mit Webshop", "peak_users": 3000}, "available-web"),
    ({"requirements": "a blog with 200 visitors, highly available"}, "available-web"),
    ({"requirements": "a small wiki that must not fail", "high_availability": True}, "available-web"),
    ({"requirements": "un petit site pour notre club"}, "single-server"),
    ({"requirements": "microservicios en contenedores, escalable"}, "kubernetes"),
    ({"requirements": "un modello di IA con GPU"}, "model-server"),
]


@pytest.mark.parametrize(("asked", "name"), ASKED, ids=[str(row[0]["requirements"]) for row in ASKED])
def test_the_architecture_that_suits(asked: dict[str, Any], name: str) -> None:
    found = run("suggest_architecture", **asked)
    assert found.suggestions[0].name == name
    assert all(row.reasons and row.drawbacks and row.estimated_cost_monthly > 0 for row in found.suggestions)


@pytest.mark.parametrize("words", ["hello", "lkjasdf qwerty", "bitte irgendwas", "???", "quelque chose de bien"])
def test_words_that_say_nothing_are_asked_about(words: str) -> None:
    found = run("suggest_architecture", requirements=words)
    assert (found.suggestions, found.features) == ([], {})
    assert found.questions
    assert "suits best" not in found.summary


def test_the_score_of_an_architecture_worked_by_hand() -> None:
    """“web database”: web-and-database has both and nothing else, 2. single-server has both and two more: 2 - 2 / 4 = 1.5.
    For 500 people the second is too small: - 2. A budget of 10 takes 2 of each."""
    scores = {row.name: row.score for row in run("suggest_architecture", requirements="web database").suggestions}
    assert (scores["web-and-database"], scores["single-server"]) == (2, 1.5)
    first = run("suggest_architecture", requirements="web database", peak_users=500, max_cost=10).suggestions[0]
    assert (first.name, first.score) == ("web-and-database", 0)
    assert any("the budget is 10" in line for line in first.drawbacks)


# -- plans ----------------------------------------------------------------------------------------
def test_a_plan_is_the_planners(sandbox: "RunningSandbox") -> None:
    make_environment("production", required_approvals=2)
    make_cluster(sandbox, organization=make_organization())
    resources = [
        make_resource("db", type="database", specs={}),
        make_resource("web", specs={"count": 2}, dependencies=["db"]),
    ]
    found = run("generate_deployment_plan", blueprint=make_document(resources=resources))
    assert (found.feasible, found.counts, found.environment) == (True, {"create": 3}, "production")
    assert {item.key for item in found.items} == {"db", "web-1", "web-2"}
    assert all(item.node and item.reasons for item in found.items)
    waves = {step.guest: step.wave for step in found.steps if step.kind == "guest.create"}
    assert waves["db"] < waves["web-1"] == waves["web-2"]
    assert "two approvals" in found.approvals.lower()
    assert found.estimated_seconds > 0
    for model in (IPR, Plan, GuestClaim):
        assert not model._default_manager.exists()


def test_a_plan_that_cannot_run_says_why(sandbox: "RunningSandbox") -> None:
    make_environment("development")
    make_cluster(sandbox, organization=make_organization())
    row = make_blueprint(resources=[make_resource("huge", specs={"memory": "1TB"})])
    found = run("generate_deployment_plan", blueprint_id=row.pk, environment="development")
    assert not found.feasible
    assert "nothing to do" not in found.summary
    assert found.summary.endswith("cannot run: 1 problem.")
    assert any("fits nowhere" in line for line in found.problems)
    assert f'"blueprint_id": {row.pk}' in found.next_steps[0]


def test_a_plan_needs_a_place_and_an_answer() -> None:
    with pytest.raises(NotFound):
        run("generate_deployment_plan", blueprint=make_document())
    make_environment("development")
    with pytest.raises(NotFound, match="environment moon"):
        run("generate_deployment_plan", blueprint=make_document(), environment="moon")
    with pytest.raises(NotFound, match="cluster"):
        run("generate_deployment_plan", blueprint=make_document())
    make_cluster(organization=make_organization())
    with pytest.raises(Unavailable):
        run("generate_deployment_plan", blueprint=make_document())
