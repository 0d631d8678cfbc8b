"""A conversation in real Chromium that ends in an IPR: said, changed by words, reviewed, created, proposed."""

import secrets

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.processes]


def test_a_conversation_ends_in_an_ipr(visit: Visit) -> None:
    visitor = visit()
    page, name = visitor.page, f"talk-{secrets.token_hex(3)}"
    page.get_by_role("link", name="Conversations").click()
    page.get_by_label("What do you need?").fill(f"A development machine called {name} with 1 core and 1 GB of RAM")
    page.get_by_role("button", name="Say it").click()
    part = page.locator(f"#resource-{name}")
    memory = part.get_by_role("button", name="memory")
    expect(memory).to_have_text("1GB memory")
    expect(page.get_by_text("Offline planner")).to_be_visible()
    page.get_by_label("Go on").fill(f"give {name} 2 GB of memory")
    page.get_by_role("button", name="Say it").click()
    expect(memory).to_have_text("2GB memory")
    expect(page.get_by_label("Go on")).to_have_value("")
    _look_why(page, memory, "2 GB of memory")
    assert visitor.unsaid() == []
    assert not visitor.is_too_wide()
    page.get_by_role("link", name="Review this draft").click()
    page.get_by_role("button", name="Create blueprint").click()
    page.get_by_role("link", name="Open IPR").click()
    page.get_by_label("Title").fill(f"Make {name}")
    page.get_by_label("development").check()
    page.get_by_role("button", name="Open IPR").click()
    expect(page.get_by_role("heading", name=f"Make {name}", level=1)).to_be_visible()
    page.get_by_role("link", name="What was said").click()
    expect(page.locator("#message-3")).to_contain_text(f"give {name} 2 GB of memory")


def _look_why(page: Page, value: Locator, words: str) -> None:
    """By mouse and by keyboard a value says why it is so, and its words light up where they were said."""
    why, lit = page.get_by_role("tooltip"), page.locator("#message-3 .quoted.is-lit")
    value.hover()
    expect(why).to_contain_text(words)
    expect(lit.last).to_be_visible()
    assert "".join(lit.all_text_contents()) == words
    page.mouse.move(0, 0)
    expect(lit).to_have_count(0)
    value.focus()
    expect(why).to_contain_text(words)
    expect(lit.last).to_be_visible()
    assert "".join(lit.all_text_contents()) == words
    page.keyboard.press("Escape")
    expect(why).to_be_hidden()
    expect(lit).to_have_count(0)
