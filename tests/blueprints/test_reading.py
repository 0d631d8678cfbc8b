"""The quick way of reading answers exactly what the ORM would, at every offset and after every change."""

from collections.abc import Iterator
from datetime import timedelta

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.api.renderers import dumps
from blueprints import reading, services
from blueprints.landmarks import SPACING, Landmarks
from blueprints.models import Blueprint
from blueprints.serializers import body
from tests.factories.accounts import make_actor, make_organization
from tests.factories.blueprints import make_blueprint

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_landmarks() -> Iterator[None]:
    reading.landmarks.forget()
    yield
    reading.landmarks.forget()


def grow(actor: Actor, count: int) -> None:
    """Rows that are old enough to be landmarks."""
    long_ago = timezone.now() - timedelta(days=1)
    fields = {"organization_id": actor.organization_id, "version": "1.0", "created_by": "x", "created_at": long_ago}
    Blueprint.objects.bulk_create([Blueprint(name=f"bulk-{n}", **fields) for n in range(count)], batch_size=1000)


def ids(actor: Actor, skip: int, limit: int = 10) -> list[int]:
    return [row["id"] for row in reading.listed(actor, slice(skip, skip + limit))]


def expected(actor: Actor, skip: int, limit: int = 10) -> list[int]:
    return list(Blueprint.objects.visible_to(actor).order_by("id").values_list("id", flat=True)[skip : skip + limit])


def test_one_has_the_keys_and_values_of_a_loaded_row() -> None:
    actor = make_actor()
    blueprint = make_blueprint(by=actor, name="Grüße «»", metadata={"ключ": ["ü", 1.5, None, True]})
    row = reading.found(actor, blueprint.pk)
    assert orjson.loads(dumps(row)) == orjson.loads(dumps(body(blueprint)))


@pytest.mark.parametrize("organization", [None, "other"])
def test_nothing_is_read_for_others(organization: str | None) -> None:
    blueprint = make_blueprint()
    stranger = make_actor(None) if organization is None else make_actor(organization=make_organization(organization))
    assert reading.found(stranger, blueprint.pk) is None
    assert reading.listed(stranger, slice(0, 10)) == []


def test_pages_are_exact_wherever_rows_were_removed() -> None:
    """Ask for pages all over the list, remove before and behind the landmarks, ask again."""
    actor = make_actor()
    grow(actor, 1_500)
    places = [0, 1, 250, 500, 900, 1_200, 1_495, 1_500, 2_000]
    for removed_at in (None, 1_499, 700, 0, 450):
        if removed_at is not None:
            services.delete(Blueprint.objects.visible_to(actor).order_by("id")[removed_at], by=actor)
        for _ in range(2):
            assert [ids(actor, place) for place in places] == [expected(actor, place) for place in places]


def test_pages_are_exact_while_rows_are_added() -> None:
    actor = make_actor()
    grow(actor, 600)
    assert ids(actor, 595) == expected(actor, 595)
    grow(actor, 600)
    assert ids(actor, 595) == expected(actor, 595)
    assert ids(actor, 1_195) == expected(actor, 1_195)


def test_lists_of_organizations_do_not_mix() -> None:
    ours, theirs = make_actor(), make_actor(organization=make_organization("other"))
    for actor in (theirs, ours, theirs):
        grow(actor, 300)
    for _ in range(2):
        assert ids(ours, 250) == expected(ours, 250)
        assert ids(theirs, 550) == expected(theirs, 550)


def test_a_second_look_starts_near_the_page() -> None:
    """The landmark is used: the statement begins at its id and passes over nothing."""
    actor = make_actor()
    grow(actor, 1_000)
    first = ids(actor, 900)
    with CaptureQueriesContext(connection) as captured:
        assert ids(actor, 900) == first
    assert len(captured) == 1
    assert f'"id" >= {first[0]}' in captured[0]["sql"]
    assert "OFFSET 0" in captured[0]["sql"]


def test_recent_rows_are_no_landmarks() -> None:
    """A row with a smaller id may still be on its way."""
    actor = make_actor()
    grow(actor, 300)
    Blueprint.objects.update(created_at=timezone.now())
    ids(actor, 250)
    assert reading.landmarks.nearest(actor.organization_id or 0, 250) == (0, 0, 0)


def test_landmarks_keep_their_distance() -> None:
    marks = Landmarks()
    for position in range(0, 10 * SPACING, SPACING // 4):
        marks.learn(1, 0, position, position + 1)
    assert marks.nearest(1, SPACING - 1) == (0, 0, 0)
    assert marks.nearest(1, 5 * SPACING + 10) == (0, 5 * SPACING, 5 * SPACING + 1)
    assert len(marks._lists[1].positions) == 9


def test_landmarks_of_fewer_removals_are_dropped() -> None:
    marks = Landmarks()
    marks.learn(1, 0, 500, 501)
    marks.learn(1, 1, 700, 702)
    marks.learn(1, 0, 900, 901)
    assert marks.nearest(1, 1_000) == (1, 700, 702)
    assert marks.nearest(1, 600) == (0, 0, 0)
