"""Statements that the ORM writes once and that run many times."""

import pytest
from django.contrib.auth.models import User

from alma.accounts.models import Organization
from alma.statements import Statement
from tests.factories.accounts import make_organization

pytestmark = pytest.mark.django_db


def test_values_are_filled_in_each_time() -> None:
    by_slug = Statement(lambda slug: Organization.objects.filter(slug=slug).values_list("name"), "slug")
    make_organization("one")
    make_organization("two")
    assert [*map(tuple, by_slug(slug="one"))] == [("One",)]
    assert [*map(tuple, by_slug(slug="two"))] == [("Two",)]
    assert by_slug(slug="' OR 1=1 --") == []


def test_rows_keep_their_order_and_their_kinds() -> None:
    """However they travel: numbers, text with everything in it, nothing."""
    texts = ['"', "\\", "\n\t\x1f\x1e", "ü€😀", "", "null", "[1]"]
    for number, text in enumerate(reversed(texts)):
        Organization.objects.create(slug=f"s{number}", name=text)
    newest_first = Statement(
        lambda least: Organization.objects.filter(pk__gte=least).order_by("-pk").values_list("pk", "name"),
        "least",
        many=True,
    )
    rows = newest_first(least=0)
    assert [name for _, name in rows] == texts
    assert [pk for pk, _ in rows] == sorted((pk for pk, _ in rows), reverse=True)
    assert all(isinstance(pk, int) for pk, _ in rows)


def test_limits_and_offsets_are_values_too() -> None:
    names = ["a", "b", "c", "d"]
    User.objects.bulk_create(User(username=name) for name in names)
    page = Statement(
        lambda skip, limit: User.objects.order_by("username").values_list("username")[skip : skip + limit],
        "skip",
        "limit",
    )
    for skip in range(5):
        for limit in range(1, 5):
            assert [row[0] for row in page(skip=skip, limit=limit)] == names[skip : skip + limit]


def test_the_query_is_built_once() -> None:
    built = []

    def build(pk: int) -> object:
        built.append(pk)
        return Organization.objects.filter(pk=pk).values_list("slug")

    statement = Statement(build, "pk")  # type: ignore[arg-type]
    organization = make_organization()
    assert [[*map(tuple, statement(pk=organization.pk))] for _ in range(3)] == [[("default",)]] * 3
    assert statement(pk=organization.pk + 1) == []
    assert len(built) == 1
