"""Names lead to one instance, and aliases to replicas of one model."""

from typing import Any

import pytest

from alma.accounts.actors import Actor
from alma.errors import Invalid, WrongState
from instances import services
from instances.models import Instance
from instances.services import Draft
from tests.factories.accounts import make_actor, make_organization

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("others")]


@pytest.fixture
def actor() -> Actor:
    return make_actor("operator")


def create(actor: Actor, name: str, *aliases: str, model: str = "tiny.gguf") -> Instance:
    return services.create(Draft(name, model, settings={"aliases": list(aliases)}), by=actor, starts=False)


def test_replicas_share_an_alias(actor: Actor) -> None:
    create(actor, "one", "gpt-4o-mini", "org/model:q4")
    create(actor, "two", "gpt-4o-mini")
    assert Instance.objects.count() == 2


@pytest.mark.parametrize(
    ("name", "aliases", "model", "words"),
    [
        ("two", ["gpt"], "other.gguf", "The alias gpt leads to one, which serves another model."),
        ("two", ["one"], "tiny.gguf", "The name one leads to the instance one."),
        ("gpt", [], "tiny.gguf", "The name gpt leads to the instance one."),
        ("one", [], "tiny.gguf", "There is an instance one already."),
    ],
)
def test_name_that_leads_elsewhere(actor: Actor, name: str, aliases: list[str], model: str, words: str) -> None:
    create(actor, "one", "gpt")
    with pytest.raises(WrongState, match=words):
        create(actor, name, *aliases, model=model)
    create(make_actor("operator", organization=make_organization("other")), name, *aliases, model=model)


def test_name_is_looked_at_when_it_is_changed(actor: Actor) -> None:
    create(actor, "one", "gpt")
    two = create(actor, "two", "gpt")
    with pytest.raises(WrongState):
        services.change(two, by=actor, model="other.gguf")
    services.change(two, by=actor, model="other.gguf", changes={"aliases": []})
    services.remove(services.find("one", by=actor), by=actor, stops_first=True)
    services.change(two, by=actor, changes={"aliases": ["one", "gpt"]})


@pytest.mark.parametrize(
    "settings",
    [
        {"aliases": ["a b"]},
        {"aliases": ["-x"]},
        {"aliases": ["a", "a"]},
        {"aliases": [""]},
        {"aliases": [f"a{number}" for number in range(21)]},
        {"request_defaults": {"model": "x"}},
        {"request_defaults": {"messages": []}},
        {"request_defaults": {"stop": "x" * 9000}},
        {"concurrency": 0},
        {"idle_seconds": 40_000_000},
    ],
    ids=str,
)
def test_setting_that_cannot_be(actor: Actor, settings: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        services.create(Draft("one", "tiny.gguf", settings=settings), by=actor, starts=False)
