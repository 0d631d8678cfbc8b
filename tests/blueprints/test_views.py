"""Blueprint pages: who sees them, what the list says, and what each costs the database."""

import pytest
from django.test import Client

from blueprints import services
from blueprints.models import Blueprint
from tests.blueprints.pages import HTMX, MOST_QUERIES, PAGES, YAML, queries, text_of, url
from tests.factories.accounts import make_actor, make_organization, make_user
from tests.factories.blueprints import make_blueprint, make_document, make_resource

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", PAGES)
def test_pages_need_a_login(client: Client, name: str) -> None:
    response = client.get(url(name, make_blueprint().pk))
    assert response.status_code == 302
    assert response["Location"].startswith("/login/?next=")


@pytest.mark.parametrize("name", ["list", "new"])
def test_common_pages_need_a_login(client: Client, name: str) -> None:
    assert client.get(url(name)).status_code == 302


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("pk", [999, 10**30])
def test_unknown_blueprints_are_not_found(person: Client, name: str, pk: int) -> None:
    assert person.get(url(name, pk)).status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_foreign_blueprints_are_not_found(person: Client, name: str) -> None:
    theirs = make_blueprint(by=make_actor(organization=make_organization("other")), name="secret-plan")
    response = person.get(url(name, theirs.pk))
    assert response.status_code == 404
    assert b"secret-plan" not in response.content


@pytest.mark.parametrize("name", PAGES)
def test_deleted_blueprints_are_not_found(person: Client, name: str) -> None:
    blueprint = make_blueprint()
    services.delete(blueprint, by=make_actor())
    assert person.get(url(name, blueprint.pk)).status_code == 404


def test_viewers_look_and_do_not_write(client: Client) -> None:
    """Actions are shown with the reason, and the addresses behind them refuse."""
    client.force_login(make_user("viewer"))
    blueprint = make_blueprint()
    body = text_of(client.get(url("detail", blueprint.pk)))
    assert "Needs the right blueprint:write" in body
    assert "Needs the right ipr:write" in body
    assert url("edit", blueprint.pk) not in body
    for refused in (url("new"), url("edit", blueprint.pk), url("delete", blueprint.pk)):
        assert client.get(refused).status_code == 403
        assert client.post(refused, {"document": YAML, "action": "save"}).status_code == 403
    assert Blueprint.objects.get().name == blueprint.name


@pytest.mark.parametrize("name", ["detail", "yaml", "revisions"])
def test_reading_pages_take_no_post(person: Client, name: str) -> None:
    assert person.post(url(name, make_blueprint().pk)).status_code == 405


def test_common_pages_refuse_other_methods(person: Client) -> None:
    assert person.post(url("list")).status_code == 405
    assert person.get(url("check")).status_code == 405
    assert person.put(url("new")).status_code == 405


def test_list_shows_what_there_is(person: Client) -> None:
    blueprint = make_blueprint(description="Shop & <b>bold</b>")
    body = text_of(person.get(url("list")))
    assert f'href="{url("detail", blueprint.pk)}"' in body
    assert "Shop &amp; &lt;b&gt;bold" in body
    assert "env-production" in body


def test_list_without_blueprints_says_what_to_do(person: Client) -> None:
    body = text_of(person.get(url("list")))
    assert "No blueprints yet" in body
    assert url("new") in body


def test_list_filters_stay_in_the_address(person: Client) -> None:
    make_blueprint(name="alpha", metadata={"environment": "staging"})
    make_blueprint(name="beta")
    body = text_of(person.get(url("list"), {"q": "alp", "environment": "staging", "sort": "name"}))
    assert "alpha" in body
    assert "beta" not in body
    assert "?environment=staging&amp;sort=name" in body, "the chip that removes the search keeps the rest"
    nothing = text_of(person.get(url("list"), {"q": "zzz"}))
    assert "Nothing matches" in nothing


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"sort": "name"}, ["a", "b", "c"]),
        ({"sort": "name", "order": "desc"}, ["c", "b", "a"]),
        ({}, ["b", "c", "a"]),
        ({"sort": "created"}, ["b", "c", "a"]),
        ({"sort": "created", "order": "asc"}, ["a", "c", "b"]),
        ({"sort": "'; drop", "order": "sideways", "page": "x"}, ["b", "c", "a"]),
    ],
)
def test_list_sorts(person: Client, query: dict[str, str], names: list[str]) -> None:
    for name in ("a", "c", "b"):
        make_blueprint(name=name)
    assert [row.name for row in person.get(url("list"), query).context["page"]] == names


@pytest.mark.parametrize(
    "query", ["q=%00", "q=%FF", "page=-1", "page=999999999999999999999", "environment=%00", "q=" + "x" * 999]
)
def test_list_bears_any_address(person: Client, query: str) -> None:
    make_blueprint()
    assert person.get(f"{url('list')}?{query}").status_code == 200


def test_list_part_is_what_htmx_gets(person: Client) -> None:
    make_blueprint()
    response = person.get(url("list"), headers=HTMX)
    body = text_of(response)
    assert "HX-Request" in response["Vary"]
    assert 'id="blueprint-list"' in body
    assert "<html" not in body


def test_list_costs_the_same_for_many(person: Client) -> None:
    make_blueprint()
    few = queries(person, url("list"))
    for number in range(40):
        make_blueprint(name=f"number-{number}")
    assert queries(person, url("list")) == few <= MOST_QUERIES


@pytest.mark.parametrize("name", PAGES)
def test_pages_cost_the_same_for_large_blueprints(person: Client, name: str) -> None:
    small = make_blueprint()
    resources = [make_resource(f"web-{n}", dependencies=[f"web-{n - 1}"] if n else []) for n in range(60)]
    large = make_blueprint(resources=resources)
    for number in range(5):
        services.update(large, make_document(resources=resources, description=str(number)), by=make_actor())
    assert queries(person, url(name, small.pk)) == queries(person, url(name, large.pk)) <= MOST_QUERIES
