"""The gallery and a template's page: found, customised without script, refused beside the field, drafted in the editor."""

import pytest
from django.test import Client

from blueprints import catalogue
from blueprints.models import Blueprint

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def test_the_gallery_shows_every_template(person: Client) -> None:
    page = person.get("/templates/").content.decode()
    assert all(f"/templates/{name}/" in page for name in catalogue.all_templates())


@pytest.mark.parametrize(
    ("query", "there", "gone"),
    [
        ("q=kubernetes", "k3s-lab", "wordpress"),
        ("category=database", "postgres-ha", "ha-web-app"),
        ("category=%3Cb%3E", "wordpress", "<b>"),
        ("q=%3Cscript%3E", "Nothing matches", "<script>"),
    ],
)
def test_the_gallery_is_narrowed(person: Client, query: str, there: str, gone: str) -> None:
    part = person.get(f"/templates/?{query}", headers=HTMX).content.decode()
    assert there in part
    assert gone not in part
    assert "<html" not in part


def test_choices_of_the_address_are_computed(person: Client) -> None:
    page = person.get("/templates/ha-web-app/?customised=1&instance_count=6&with_cache=on").content.decode()
    assert "6 machines" in page
    assert 'name="with_cache" checked' in page
    assert "6 machines" in person.get("/templates/ha-web-app/?instance_count=6", headers=HTMX).content.decode()


def test_a_switch_that_the_form_leaves_out_is_off(person: Client) -> None:
    assert "resource-cache" not in person.get("/templates/ha-web-app/?customised=1").content.decode()
    assert "resource-cache" in person.get("/templates/ha-web-app/").content.decode()


def test_a_choice_that_cannot_be_stands_beside_its_field(person: Client) -> None:
    response = person.get("/templates/ha-web-app/?instance_count=1&memory_per_instance=4")
    page = response.content.decode()
    assert response.status_code == 422
    assert "Web servers must be 2 to 50." in page
    assert 'value="4"' in page, "what was typed stays"
    assert person.get("/templates/ha-web-app/?instance_count=x", headers=HTMX).status_code == 200


def test_a_draft_opens_in_the_editor_and_stores_nothing(person: Client) -> None:
    page = person.get("/blueprints/new/?template=ha-web-app&customised=1&instance_count=4").content.decode()
    assert "count: 4" in page
    assert "parameter: instance_count" in page
    assert "estimated_cost" not in page
    assert not Blueprint.objects.exists()


def test_a_draft_that_cannot_be_leads_back_to_its_choices(person: Client) -> None:
    response = person.get("/blueprints/new/?template=ha-web-app&instance_count=0")
    assert (response.status_code, response["Location"]) == (
        302,
        "/templates/ha-web-app/?template=ha-web-app&instance_count=0",
    )


@pytest.mark.parametrize("path", ["/templates/nothing/", "/blueprints/new/?template=nothing"])
def test_an_unknown_template_is_a_page_that_is_not_there(person: Client, path: str) -> None:
    assert person.get(path).status_code == 404


def test_what_the_choices_cost_stands_in_the_form_and_follows_them(person: Client) -> None:
    """The form is long: on a phone the figures lie far below it."""
    page = person.get("/templates/simple-web-app/").content.decode()
    form = page[page.index("<form class=") :]
    assert "</strong> a month, 1 machine</p>" in form[: form.index("</form>")]
    part = person.get("/templates/simple-web-app/?instance_count=3", headers=HTMX).content.decode()
    assert 'id="template-sum" role="status" hx-swap-oob="true"' in part
    assert "</strong> a month, 3 machines</p>" in part
    refused = person.get("/templates/simple-web-app/?instance_count=0", headers=HTMX).content.decode()
    assert "must be 1 to" in refused[refused.index("template-sum") :]


def test_what_a_template_costs_has_its_assumptions(person: Client) -> None:
    page = person.get("/templates/simple-web-app/").content.decode()
    assert "A core: 4." in page
    assert "What could be saved" not in page, "nothing is saved yet that could be asked about"
