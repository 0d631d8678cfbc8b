"""Blueprint pages: drafting, writing, editing and deleting; nothing typed is lost."""

import json

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from blueprints import services
from blueprints.models import Blueprint
from tests.blueprints.pages import HTMX, PAGES, WRONG, YAML, text_of, url
from tests.factories.accounts import make_actor, make_user
from tests.factories.blueprints import make_blueprint, make_document, make_resource

pytestmark = pytest.mark.django_db


def test_new_offers_both_ways(person: Client) -> None:
    body = text_of(person.get(url("new")))
    assert 'name="description"' in body
    assert "write it as YAML" in body
    blank = person.get(url("new"), {"blank": ""})
    assert "my-infrastructure" in text_of(blank)
    assert blank.context["portrait"].machine_count == 1, "the skeleton is valid as it stands"


def test_words_become_a_draft_that_is_not_saved(person: Client) -> None:
    wish = {"description": "3 web servers and a PostgreSQL database", "max_cost": "500", "environment": "production"}
    response = person.post(url("new"), {**wish, "action": "generate"})
    body = text_of(response)
    assert not Blueprint.objects.exists()
    assert response.context["portrait"].machine_count == 4
    assert wish["description"] in body
    assert "Assumed" in body
    assert "a month" in body
    assert "<td><q>3</q></td>" in body, "the words that gave a value stand beside it"
    created = person.post(url("new"), {"document": response.context["text"], "action": "save"})
    assert created["Location"] == url("detail", Blueprint.objects.get().pk)


@pytest.mark.parametrize("description", ["", "   ", "delete everything", "hello", "x" * 8001])
def test_words_that_are_no_wish_are_kept(person: Client, description: str) -> None:
    """Neither they nor a text already in the editor are lost."""
    response = person.post(url("new"), {"description": description, "document": YAML, "action": "generate"})
    body = text_of(response, 422)
    assert response.context["wish"].errors
    assert "name: shop" in body
    assert description.strip() in body


def test_create_by_yaml(person: Client) -> None:
    response = person.post(url("new"), {"document": YAML, "action": "save"}, follow=True)
    blueprint = Blueprint.objects.get()
    assert (blueprint.name, blueprint.created_by) == ("shop", "ana")
    assert "shop was created." in text_of(response)


def test_create_takes_line_ends_of_browsers(person: Client) -> None:
    person.post(url("new"), {"document": YAML.replace("\n", "\r\n"), "action": "save"})
    assert Blueprint.objects.get().resources[0]["specs"]["memory"] == "4GB"


def test_errors_name_line_and_field_and_keep_the_text(person: Client) -> None:
    response = person.post(url("new"), {"document": WRONG, "action": "save", "description": "what I wanted"})
    body = text_of(response, 422)
    assert not Blueprint.objects.exists()
    assert 'data-error-lines="6"' in body
    assert "specs.memory" in body
    assert "line 6" in body
    assert "memory: 4," in body
    assert "what I wanted" in body


@pytest.mark.parametrize(
    "text", ["", "a: [", "- 1", "x" * 200_001, "a: &b 1\nc: *b", "\0", "!!python/object:x {}", "[" * 5000]
)
def test_no_text_breaks_the_editor(person: Client, text: str) -> None:
    for address in (url("new"), url("edit", make_blueprint().pk)):
        assert person.post(address, {"document": text, "action": "save"}).status_code == 422
    assert person.post(url("check"), {"document": text}, headers=HTMX).status_code == 200


def test_check_saves_nothing(person: Client) -> None:
    body = text_of(person.post(url("new"), {"document": YAML, "action": "check"}))
    assert "Valid" in body
    assert not Blueprint.objects.exists()


def test_check_part_tells_what_it_means(person: Client) -> None:
    right = text_of(person.post(url("check"), {"document": YAML}, headers=HTMX))
    assert 'id="check"' in right
    assert "4\N{NO-BREAK SPACE}GiB" in right
    wrong = text_of(person.post(url("check"), {"document": WRONG}, headers=HTMX))
    assert "1 problem" in wrong
    assert "has no unit" in wrong


def test_edit_saves_a_revision(person: Client) -> None:
    blueprint = make_blueprint()
    page = person.get(url("edit", blueprint.pk))
    text = page.context["text"].replace("8GB", "16GB")
    response = person.post(url("edit", blueprint.pk), {"document": text, "based_on": 1, "action": "save"})
    assert response["Location"] == url("detail", blueprint.pk)
    blueprint.refresh_from_db()
    assert (blueprint.revision_number, blueprint.resources[0]["specs"]["memory"]) == (2, "16GB")


def test_edit_does_not_overwrite_somebody_else(person: Client) -> None:
    """The second author is told, keeps the text, and may then save on top."""
    blueprint = make_blueprint()
    services.update(blueprint, make_document(description="theirs"), by=make_actor())
    mine = {"document": YAML, "based_on": "1", "action": "save"}
    body = text_of(person.post(url("edit", blueprint.pk), mine), 422)
    assert "Somebody saved revision 2" in body
    assert "name: shop" in body
    assert 'name="based_on" value="2"' in body
    assert person.post(url("edit", blueprint.pk), {**mine, "based_on": "2"}).status_code == 302
    blueprint.refresh_from_db()
    assert (blueprint.name, blueprint.revision_number) == ("shop", 3)


def test_edit_takes_up_an_older_revision(person: Client) -> None:
    blueprint = make_blueprint()
    services.update(blueprint, make_document(description="newer"), by=make_actor())
    page = person.get(url("edit", blueprint.pk), {"revision": 1})
    assert make_document()["description"] in page.context["text"]
    assert page.context["based_on"] == 2
    assert person.get(url("edit", blueprint.pk), {"revision": 7}).status_code == 404


def test_delete_asks_first(person: Client) -> None:
    blueprint = make_blueprint()
    assert "1 revision." in text_of(person.get(url("delete", blueprint.pk)))
    assert Blueprint.objects.visible_to(make_actor()).exists()
    response = person.post(url("delete", blueprint.pk), follow=True)
    assert "was deleted." in text_of(response)
    assert not Blueprint.objects.visible_to(make_actor()).exists()


def test_delete_lists_what_uses_it(person: Client, settings: Settings) -> None:
    settings.ALMA_BLUEPRINT_GUARDS = ["tests.blueprints.test_services.in_use"]
    blueprint = make_blueprint()
    body = text_of(person.get(url("delete", blueprint.pk)))
    assert "IPR 7 proposes web-app-production" in body
    assert "btn-danger-solid" not in body
    assert person.post(url("delete", blueprint.pk)).status_code == 409
    assert Blueprint.objects.visible_to(make_actor()).exists()


def test_writes_need_the_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user())
    assert client.post(url("new"), {"document": YAML, "action": "save"}).status_code == 403
    assert not Blueprint.objects.exists()


def test_pages_keep_to_the_content_policy(person: Client) -> None:
    """No inline script, style or handler, on any of them."""
    resources = [make_resource("db"), make_resource("web", dependencies=["db"])]
    blueprint = make_blueprint(resources=resources, metadata=json.loads('{"questions": ["How many?"]}'))
    for address in [url("list"), url("new"), url("new") + "?blank", *(url(name, blueprint.pk) for name in PAGES)]:
        body = text_of(person.get(address))
        assert " style=" not in body
        assert " onclick=" not in body
        assert "<script>" not in body
