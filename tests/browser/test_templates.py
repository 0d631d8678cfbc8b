"""A template in real Chromium: choices are computed as they are made, nothing typed is swapped, and the draft is created."""

import re
import secrets

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.processes]


def test_a_template_is_chosen_sized_and_drafted(visit: Visit) -> None:
    page, name = visit().page, f"shop {secrets.token_hex(3)}"
    page.get_by_role("link", name="Templates").click()
    page.get_by_role("searchbox", name="Search templates").fill("highly available")
    expect(page.get_by_role("link", name="WordPress")).to_have_count(0)
    page.get_by_role("link", name="Highly available web application").click()
    figures = page.locator("#figures")
    expect(figures).to_contain_text("194.80")
    page.get_by_label("Web servers").fill("6")
    expect(page.locator("#resource-web")).to_contain_text("6 machines")
    expect(figures).not_to_contain_text("194.80")
    page.get_by_label("Redis cache").uncheck()
    expect(page.locator("#resource-cache")).to_have_count(0)
    page.get_by_label("Web servers").fill("1")
    expect(page.get_by_role("alert").filter(has_text="Web servers must be 2 to 50.")).to_be_visible()
    page.get_by_label("Web servers").fill("4")
    page.get_by_label("Name of the blueprint").fill(name)
    expect(page.locator("#resource-web")).to_contain_text("4 machines")
    expect(page.get_by_label("Name of the blueprint")).to_have_value(name)
    page.get_by_role("button", name="Draft this blueprint").click()
    expect(page.get_by_label("Blueprint as YAML")).to_have_value(re.compile(r"count: 4"))
    page.get_by_role("button", name="Create blueprint").click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    expect(page.locator("#resource-web")).to_contain_text("4 machines")


def test_on_a_phone_the_cost_stays_in_sight_while_choices_are_made(visit: Visit) -> None:
    page = visit(width=390).page
    page.goto("/templates/postgres-ha/")
    cost = page.locator("#template-sum")
    expect(cost).to_be_in_viewport()
    before = cost.inner_text()
    page.get_by_label("Database servers").fill("5")
    expect(cost).not_to_have_text(before)
    page.get_by_label("Days that backups are kept").scroll_into_view_if_needed()
    expect(cost).to_be_in_viewport()
