"""Mission control in real Chromium: what happens appears by itself, and filters are in the address."""

import re
import secrets

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.processes.alma import Alma

pytestmark = [pytest.mark.browser, pytest.mark.processes]


def test_what_happens_appears_and_is_narrowed(alma: Alma, visit: Visit) -> None:
    page, name = visit().page, f"lighthouse-{secrets.token_hex(3)}"
    page.keyboard.press("g")
    page.keyboard.press("m")
    expect(page).to_have_url(re.compile("/mission-control/$"))
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    feed = page.locator("#mission-feed")
    expect(feed.locator("li").first).to_be_visible()
    document = {
        "name": name,
        "resources": [{"type": "vm", "name": "beacon", "specs": {"cpu": 1, "memory": "1GB"}}],
    }
    made = alma.client().post("/api/v1/blueprints", json=document)
    assert made.status_code == 201, made.text
    entry = feed.locator("li").filter(has_text=name)
    expect(entry).to_contain_text(f"Management key saved the new blueprint {name}")

    page.get_by_role("searchbox", name="Search").fill(name)
    expect(page).to_have_url(re.compile(f"search={name}"))
    expect(feed.locator("li")).to_have_count(1)
    page.get_by_label("Kind of event").select_option("ipr")
    expect(page).to_have_url(re.compile("kind=ipr"))
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    page.get_by_label(f"Remove the filter “{name}”").click()
    expect(feed.locator("li").first).to_be_visible()
    expect(feed).not_to_contain_text(name)
    page.go_back()
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    page.get_by_role("link", name="Clear filters").click()
    page.get_by_role("searchbox", name="Search").fill("team wiki")
    expect(feed).to_contain_text("ALMA demo opened #1 Set up the team wiki")
    page.get_by_role("searchbox", name="Search").fill(name)
    feed.get_by_role("link", name=name).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
