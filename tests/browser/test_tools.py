"""The tools in real Chromium: a question, a form, a result that is drawn, and a draft that opens in the editor."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.mark.parametrize("width", [1280, 390])
def test_from_a_question_to_a_draft(visit: Visit, width: int) -> None:
    visitor = visit(width=width)
    page: Page = visitor.page
    page.goto("/tools/")
    assert visitor.unsaid() == []
    page.get_by_label("Ask a question").fill("Suggest an architecture for a highly available shop with PostgreSQL")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("Highly available web application suits best")).to_be_visible()
    assert visitor.unsaid() == []
    assert not visitor.is_too_wide()
    page.get_by_role("button", name="Open in the editor").first.click()
    expect(page.locator("#check")).to_contain_text("Valid")


def test_a_form_answers_in_place(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    page.goto("/tools/estimate_resources/")
    page.get_by_label("Peak users").fill("many")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#tool-result")).to_contain_text("valid integer")
    assert all("422" in line for line in visitor.complaints)
    visitor.complaints.clear()  # the browser calls the refusal that was asked for an error
    page.get_by_label("Peak users").fill("5000")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#tool-result")).to_contain_text("a month")
    expect(page.get_by_label("Peak users")).to_have_value("5000")
    page.goto("/tools/calculate_capacity/")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#tool-result")).to_contain_text("more machines of 2 cores")
