"""Blueprint pages: what one blueprint and its revisions say."""

import re
from typing import Any

import pytest
from django.test import Client

from blueprints import services
from blueprints.generation import generate
from blueprints.pricing import default_list
from tests.blueprints.pages import HTMX, text_of, url
from tests.factories.accounts import make_actor
from tests.factories.blueprints import make_blueprint, make_document, make_resource

pytestmark = pytest.mark.django_db


def test_detail_shows_sizes_and_dependencies(person: Client) -> None:
    resources = [
        make_resource("db"),
        make_resource("web", dependencies=["db"], specs={"cpu": 2, "memory": "4GB", "count": 3}),
    ]
    blueprint = make_blueprint(resources=resources, metadata={"complexity": "once low"})
    body = text_of(person.get(url("detail", blueprint.pk)))
    assert 'data-label="Quantity">10<' in body, "cores of all machines, beside the price of one"
    assert "once low" not in body, "how it was when it was made"
    assert "8\N{NO-BREAK SPACE}GiB" in body
    assert "3 machines" in body
    assert "web needs db." in body, "the graph is told in words as well"
    assert f"/iprs/new/?blueprint={blueprint.pk}" in body
    assert f"curl -s http://testserver/api/v1/blueprints/{blueprint.pk}" in body
    assert "10 cores" in body


def test_detail_names_what_is_no_machine(person: Client) -> None:
    blueprint = make_blueprint(resources=[make_resource("lan", type="network", specs={"subnet": "10.0.0.0/24"})])
    assert "describes a network" in text_of(person.get(url("detail", blueprint.pk)))


def test_detail_of_an_empty_blueprint(person: Client) -> None:
    body = text_of(person.get(url("detail", make_blueprint(resources=[]).pk)))
    assert "asks for nothing yet" in body
    assert '<svg class="graph"' not in body


@pytest.mark.parametrize(
    "metadata",
    [
        {"assumptions": "text", "questions": {"a": 1}, "warnings": [1, {"x": 2}], "environment": ["production"]},
        {"environment": "<script>alert(1)</script>", "owner": "<img src=x>"},
        {"environment": None, "": "empty", "a" * 300: "b" * 3000},
    ],
)
def test_metadata_is_free_and_harmless(person: Client, metadata: dict[str, Any]) -> None:
    blueprint = make_blueprint(metadata=metadata)
    body = text_of(person.get(url("detail", blueprint.pk))) + text_of(person.get(url("list")))
    assert "<script>alert" not in body
    assert "<img src=x" not in body


def test_detail_part_is_what_htmx_gets(person: Client) -> None:
    blueprint = make_blueprint()
    body = text_of(person.get(url("detail", blueprint.pk), headers=HTMX))
    assert f'data-live="blueprint:{blueprint.pk}"' in body
    assert "<html" not in body


def test_yaml_reads_back_as_the_same(person: Client) -> None:
    blueprint = make_blueprint()
    response = person.get(url("yaml", blueprint.pk))
    saved = services.update(blueprint, services.as_document(make_document()), by=make_actor())
    assert saved.revision_number == 1
    assert "web-server-1" in response.context["text"]


def test_revisions_show_what_changed(person: Client) -> None:
    blueprint = make_blueprint()
    specs = {"cpu": 4, "memory": "16GB", "disk": "100GB"}
    changed = [make_resource(specs=specs), make_resource("cache-1")]
    services.update(blueprint, make_document(resources=changed), by=make_actor())
    comparison = person.get(url("revisions", blueprint.pk)).context["comparison"]
    assert [(item.name, item.action) for item in comparison.items] == [
        ("web-server-1", "update"),
        ("cache-1", "create"),
    ]
    (change,) = comparison.items[0].changes
    assert (change.path, change.before, change.after) == ("specs.memory", "8GB", "16GB")
    back = person.get(url("revisions", blueprint.pk), {"from": 2, "to": 1}, headers=HTMX)
    assert [item.action for item in back.context["comparison"].items] == ["delete", "update"]
    assert "<html" not in text_of(back)


def test_revisions_of_one_says_so(person: Client) -> None:
    assert "Only one revision so far" in text_of(person.get(url("revisions", make_blueprint().pk)))


@pytest.mark.parametrize(
    ("query", "status"), [("from=9", 404), ("to=0", 404), ("from=x&to=%00", 200), ("from=" + "9" * 40, 200)]
)
def test_revisions_that_are_not_there(person: Client, query: str, status: int) -> None:
    assert person.get(f"{url('revisions', make_blueprint().pk)}?{query}").status_code == status


def test_alike_resources_are_one_row_that_says_why_and_what_it_costs(person: Client) -> None:
    draft = generate("3 web servers with 4 GB and a PostgreSQL database", None, default_list())
    page = text_of(person.get(make_blueprint(by=make_actor(), **draft).get_absolute_url()))
    assert "web-server-1 to web-server-3" in page
    assert page.count('<tr id="resource-') == 2
    assert "From “4 GB”" in page
    costs = page[page.index("Cost of a month, by part") :]
    assert re.search(r'resource-web-server-1">web-server</a></td><td[^>]*>3</td><td[^>]*>61.20', costs)
