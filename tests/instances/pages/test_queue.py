"""Who waits for one instance, however many: searched, in pages, each with its place in the whole line."""

import re

import pytest
from django.test import Client

from alma.accounts.models import Organization
from tests.factories.instances import make_instance
from tests.factories.routing import make_router, make_waiter

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(organization: Organization) -> None:
    one, router = make_instance("one", organization=organization), make_router()
    for number in range(1, 131):
        label = "ana's key" if number == 120 else "another"
        make_waiter(one, router, seconds=1000 - number, request_id=f"r{number:03}", label=label)
    make_waiter(make_instance("two", organization=organization), router, seconds=2000, request_id="r120")


def places(page: str) -> list[tuple[int, str]]:
    found = re.findall(r'data-label="Place">(\d+)<.*?class="sub mono">(\w+)<', page, re.DOTALL)
    return [(int(place), name) for place, name in found]


def test_line_in_pages(site: Client, line: None, django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(25):
        page = site.get("/instances/one/?view=queue&page=3").content.decode()
    assert places(page) == [(number, f"r{number:03}") for number in range(101, 131)]
    assert "101–130 of 130 requests" in page


@pytest.mark.parametrize("words", ["ana", "r120", "ana r12"])
def test_line_is_searched_beyond_its_first_page(site: Client, line: None, words: str) -> None:
    assert places(site.get("/instances/one/", {"view": "queue", "q": words}).content.decode()) == [(120, "r120")]


def test_line_without_anybody(site: Client, organization: Organization, line: None) -> None:
    assert "Nothing matches" in site.get("/instances/one/?view=queue&q=nobody").content.decode()
    make_instance("three", organization=organization)
    assert "Nobody waits" in site.get("/instances/three/?view=queue").content.decode()
    first = site.get("/instances/one/").content.decode()
    assert "10 of 130" in first and "view=queue" in first
