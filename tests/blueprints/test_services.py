"""Verbs over blueprints: what each writes, and what it refuses."""

import threading
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from alma.accounts.actors import Actor
from alma.errors import Invalid, NotFound, Refused, WrongState
from alma.events.models import Event
from blueprints import services
from blueprints.models import Blueprint, BlueprintRevision
from tests.factories.accounts import make_actor, make_organization, make_project
from tests.factories.blueprints import make_blueprint, make_document, make_resource

pytestmark = pytest.mark.django_db


def kinds(blueprint: Blueprint) -> list[tuple[int, str]]:
    return list(Event.objects.of(blueprint.stream).values_list("seq", "kind"))


def in_use(blueprint: Blueprint) -> list[str]:
    """A guard that objects, as iprs registers one."""
    return [f"IPR 7 proposes {blueprint.name}"]


def free(blueprint: Blueprint) -> list[str]:
    """A guard that does not."""
    return []


def test_create_writes_row_revision_and_event() -> None:
    actor = make_actor()
    blueprint = services.create(make_document(), by=actor)
    assert (blueprint.name, blueprint.created_by, blueprint.revision_number) == ("web-app-production", actor.label, 1)
    assert blueprint.resources == make_document()["resources"]
    assert blueprint.current_revision().document == make_document()
    assert kinds(blueprint) == [(1, "blueprint.created")]


def test_create_in_a_project() -> None:
    project = make_project()
    assert services.create(make_document(), by=make_actor(), project=project).project == project


def test_create_invalid_writes_nothing() -> None:
    resource = make_resource(specs={"cpu": 4, "memory": 8})
    with pytest.raises(Invalid) as caught:
        services.create(make_document(resources=[resource]), by=make_actor())
    assert caught.value.details
    assert not Blueprint.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize("role", ["viewer", None])
def test_create_needs_the_right_and_an_organization(role: str | None) -> None:
    with pytest.raises(Refused):
        services.create(make_document(), by=make_actor(role))


def test_create_for_a_service_without_an_organization_is_refused() -> None:
    with pytest.raises(Refused):
        services.create(make_document(), by=Actor(None, "stray", frozenset({"blueprint:write"})))


def test_update_keeps_both_revisions() -> None:
    blueprint = make_blueprint()
    updated = services.update(blueprint, make_document(description="Larger"), by=make_actor())
    assert (updated.revision_number, updated.description) == (2, "Larger")
    assert updated.updated_at > blueprint.updated_at
    assert updated.created_at == blueprint.created_at
    numbered = {revision.number: revision.document["description"] for revision in updated.revisions.all()}
    assert numbered == {1: make_document()["description"], 2: "Larger"}
    assert kinds(blueprint) == [(1, "blueprint.created"), (2, "blueprint.updated")]


def test_update_with_the_same_content_saves_nothing() -> None:
    blueprint = make_blueprint()
    same = services.update(blueprint, dict(reversed(make_document().items())), by=make_actor())
    assert (same.revision_number, same.updated_at) == (1, blueprint.updated_at)
    assert kinds(blueprint) == [(1, "blueprint.created")]


def test_update_does_not_overwrite_what_the_author_has_not_seen() -> None:
    blueprint, actor = make_blueprint(), make_actor()
    services.update(blueprint, make_document(description="First"), by=actor, based_on=1)
    with pytest.raises(WrongState) as caught:
        services.update(blueprint, make_document(description="Second"), by=actor, based_on=1)
    assert caught.value.code == "BLUEPRINT_CHANGED"
    assert BlueprintRevision.objects.count() == 2


def test_update_of_a_foreign_blueprint_is_not_found() -> None:
    stranger = make_actor(organization=make_organization("other"))
    with pytest.raises(NotFound) as caught:
        services.update(make_blueprint(), make_document(description="Mine now"), by=stranger)
    assert caught.value.code == "BLUEPRINT_NOT_FOUND"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"description": "New"}, {"description": "New"}),
        ({"metadata": {"owner": None, "tier": 1}}, {"metadata": {"environment": "production", "tier": 1}}),
        ({"resources": []}, {"resources": []}),
        ({"metadata": None}, {"metadata": {}}),
    ],
)
def test_patch_merges(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    blueprint = services.patch(make_blueprint(), changes, by=make_actor())
    assert blueprint.current_revision().document == make_document(**expected)
    assert blueprint.revision_number == 2


def test_patch_is_validated_as_a_whole() -> None:
    blueprint = make_blueprint()
    with pytest.raises(Invalid):
        services.patch(blueprint, {"name": None}, by=make_actor())
    assert blueprint.revisions.count() == 1


def test_delete_hides_and_tells() -> None:
    blueprint, actor = make_blueprint(), make_actor()
    services.delete(blueprint, by=actor)
    assert not Blueprint.objects.visible_to(actor).exists()
    assert blueprint.revisions.count() == 1
    assert kinds(blueprint)[-1] == (2, "blueprint.deleted")
    with pytest.raises(NotFound):
        services.delete(blueprint, by=actor)


def test_delete_is_refused_while_in_use(settings: Settings) -> None:
    settings.ALMA_BLUEPRINT_GUARDS = [f"{__name__}.free", f"{__name__}.in_use"]
    blueprint, actor = make_blueprint(), make_actor()
    with pytest.raises(WrongState) as caught:
        services.delete(blueprint, by=actor)
    assert caught.value.code == "BLUEPRINT_IN_USE"
    assert caught.value.details == {"used_by": ["IPR 7 proposes web-app-production"]}
    assert Blueprint.objects.visible_to(actor).exists()


@pytest.mark.django_db(transaction=True)
def test_updates_at_the_same_time_lose_none() -> None:
    """Eight threads patch one blueprint; each patch is a revision of its own and all their keys survive."""
    blueprint, actor = make_blueprint(), make_actor()

    def add(number: int) -> None:
        try:
            services.patch(blueprint, {"metadata": {f"key-{number}": number}}, by=actor)
        finally:
            connection.close()

    threads = [threading.Thread(target=add, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    blueprint.refresh_from_db()
    assert blueprint.revision_number == 9
    assert {f"key-{number}" for number in range(8)} <= set(blueprint.metadata)
    assert [seq for seq, _ in kinds(blueprint)] == list(range(1, 10))
