"""open_ipr over the Model Context Protocol: a draft becomes a proposal, and never more than that."""

from typing import Any

import pytest
from mcp.types import CallToolResult

from alma.accounts.actors import Actor
from alma.accounts.keys import resolve
from alma.accounts.scopes import SERVICE
from alma.jobs.models import Job
from blueprints.generation import generate
from blueprints.mcp.server import ran
from blueprints.models import Blueprint
from iprs.models import IPR, Deployment
from tests.factories.accounts import make_actor, make_environment, make_key, make_organization
from tests.factories.blueprints import make_blueprint, make_document

pytestmark = pytest.mark.django_db


def call(by: Actor, **arguments: Any) -> CallToolResult:
    return ran(lambda: by, "open_ipr", {"title": "Web servers", "blueprint": make_document(), **arguments})


def words(found: CallToolResult) -> str:
    assert found.is_error
    return str(found.content[0].text)  # type: ignore[union-attr]


@pytest.fixture
def by() -> Actor:
    make_environment("staging")
    return make_actor()


def test_a_draft_becomes_an_ipr_and_nothing_else_happens(by: Actor) -> None:
    draft = generate("2 web servers for staging")
    found = call(by, blueprint=draft, description="Two of them").structured_content
    ipr = IPR.objects.get()
    assert (found["ipr_id"], found["is_new"], found["page"]) == (ipr.pk, True, f"/iprs/{ipr.pk}/")
    assert (ipr.title, ipr.description, ipr.environment.slug) == ("Web servers", "Two of them", found["environment"])
    assert ipr.blueprint == Blueprint.objects.get()
    assert {job.kind for job in Job.objects.all()} == {"plan"}
    assert not Deployment.objects.exists()


def test_the_same_again_is_the_same_proposal(by: Actor) -> None:
    first, second = call(by).structured_content, call(by).structured_content
    assert (second["ipr_id"], second["is_new"]) == (first["ipr_id"], False)
    other = call(by, blueprint=make_document(name="other")).structured_content
    assert other["ipr_id"] != first["ipr_id"]
    assert (IPR.objects.count(), Blueprint.objects.count()) == (2, 2)


def test_a_saved_blueprint_is_not_saved_again(by: Actor) -> None:
    row = make_blueprint(by=by)
    narrow = make_actor(role="viewer")
    found = ran(lambda: by, "open_ipr", {"title": "It", "blueprint_id": row.pk}).structured_content
    assert found["blueprint_id"] == row.pk
    assert Blueprint.objects.count() == 1
    assert "ipr:write" in words(ran(lambda: narrow, "open_ipr", {"title": "It", "blueprint_id": row.pk}))


@pytest.mark.parametrize("missing", ["tool:read", "ipr:write", "blueprint:write"])
def test_a_key_without_a_right_is_told_which(missing: str) -> None:
    found = words(call(resolve(make_key(SERVICE - {missing})[1])))
    assert missing in found
    assert not IPR.objects.exists() and not Blueprint.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"title": " "}, "title"),
        ({"title": "x\u202ey"}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"blueprint": None}, "NO_BLUEPRINT"),
        ({"blueprint": {"name": "x"}}, "resources"),
        ({"blueprint": None, "blueprint_id": 4711}, "BLUEPRINT_NOT_FOUND"),
        ({"environment": "nowhere"}, "ENVIRONMENT_NOT_FOUND"),
        ({"deploy": True}, "deploy"),
    ],
)
def test_what_cannot_be_proposed_is_told_and_leaves_nothing(by: Actor, arguments: dict[str, Any], said: str) -> None:
    assert said in words(call(by, **arguments))
    assert not IPR.objects.exists() and not Blueprint.objects.exists()


def test_anothers_blueprint_is_not_there(by: Actor) -> None:
    foreign = make_blueprint(by=make_actor(organization=make_organization("other")))
    assert "BLUEPRINT_NOT_FOUND" in words(ran(lambda: by, "open_ipr", {"title": "It", "blueprint_id": foreign.pk}))
    assert not IPR.objects.exists()
