"""The page that answers questions about the product, and where the rail leads to it."""

import re

import pytest
from django.test import Client

from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(client: Client) -> Client:
    client.force_login(make_user("viewer"))
    return client


def test_help_answers_and_names_the_place(person: Client) -> None:
    assert "What do you want to know?" in person.get("/help/").content.decode()
    page = person.post("/help/", {"question": "How can a key be limited?"}).content.decode()
    assert "Limits of a key" in page and "docs/instances.md" in page


def test_help_says_what_it_cannot_say(person: Client) -> None:
    page = person.post("/help/", {"question": "<script>alert(1)</script> capital of France"}).content.decode()
    assert "<script>alert" not in page
    nothing = person.post("/help/", {"question": "what is the capital of France"}).content.decode()
    assert "The documentation says nothing about this" in nothing
    refused = person.post("/help/", {"question": "x"})
    assert refused.status_code == 422 and 'aria-invalid="true"' in refused.content.decode()
    assert Client().get("/help/").status_code == 302


def test_each_place_of_the_rail_has_keys_of_its_own(person: Client) -> None:
    page = person.get("/help/").content.decode()
    keys = re.findall(r'class="rail-link" href="[^"]+" data-shortcut="([^"]+)"', page)
    assert len(keys) > 10 and len(keys) == len(set(keys))
