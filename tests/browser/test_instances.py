"""Instances in real Chromium: from nothing to an answer, the log as it is written, and a stop that frees the slot."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.processes.alma import Alma

pytestmark = [pytest.mark.browser, pytest.mark.processes]
LONG = 60_000
PATIENT = 5


@pytest.fixture
def instances(alma: Alma) -> Iterator[Alma]:
    """An installation whose instances are deleted afterwards."""
    yield alma
    with alma.client() as client:
        for row in client.get("/api/v1/instances").json():
            client.delete(f"/api/v1/instances/{row['name']}")


def make_tiny(page: Page) -> None:
    """As a newcomer does."""
    page.goto("/instances/")
    page.get_by_role("button", name="Make the tiny demo model").click()
    expect(page.locator('#instance-head [data-status="running"]').first).to_be_visible(timeout=LONG)


def say(page: Page, words: str) -> None:
    page.get_by_label("Message", exact=True).fill(words)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("width", [1280, 390])
def test_newcomer_gets_an_answer_from_a_real_model(instances: Alma, visit: Visit, width: int) -> None:
    visitor = visit(width=width)
    page = visitor.page
    make_tiny(page)
    for path in ("/instances/", "/instances/tiny/", "/instances/tiny/config/", "/instances/tiny/?view=access"):
        page.goto(path)
        assert visitor.unsaid() == [] and not visitor.is_too_wide(), path

    page.goto("/playground/?model=tiny")
    page.get_by_label("Message", exact=True).fill("first")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second")
    expect(page.locator(".turn")).to_have_count(0)
    page.keyboard.press("Enter")
    answer = page.locator(".turn.is-assistant")
    told = answer.locator(".turn-told")
    expect(told).to_contain_text(re.compile("first after|without a token"), timeout=LONG)
    asked = 1
    while "first after" not in told.last.inner_text() and asked < PATIENT:  # random weights may end before they begin
        say(page, "Say something.")
        asked += 1
        expect(told).to_have_count(asked, timeout=LONG)
    expect(told.last).to_contain_text("first after")
    expect(page.locator("#curl")).to_contain_text('"model":"tiny"')
    assert page.locator(".turn.is-user .turn-text").first.inner_text() == "first\nsecond"
    say(page, "And now?")
    expect(told).to_have_count(asked + 1, timeout=LONG)
    assert visitor.unsaid() == [] and not visitor.is_too_wide()

    page.goto("/activity/?model=tiny")
    expect(page.locator("#requests tbody tr").first).to_contain_text("stream", timeout=LONG)
    assert visitor.unsaid() == [] and not visitor.is_too_wide()


def test_stop_ends_the_request_and_frees_its_place(instances: Alma, visit: Visit) -> None:
    page = visit().page
    make_tiny(page)
    wish = {
        "model": "tiny.gguf",
        "ctx_size": 131_072,
        "parallel": 1,
        "threads": 1,
        "ignore_eos": True,
        "concurrency": 1,
    }
    with instances.client() as client:
        assert client.post("/api/v1/instances/endless", json=wish).status_code == 201
    page.goto("/playground/?model=endless")
    page.get_by_label("Tokens at most").fill("100000")
    say(page, "Talk on and on.")
    text = page.locator(".turn.is-assistant .turn-text")
    expect(text).to_contain_text(" ", timeout=LONG)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".turn-told").first).to_contain_text("Stopped")
    expect(page.get_by_role("button", name="Send")).to_be_visible()

    page.get_by_label("Tokens at most").fill("4")
    say(page, "Is there room?")  # one request at a time: it would wait for the first one
    expect(page.locator(".turn.is-assistant .turn-told").nth(1)).to_contain_text(
        re.compile("first after|without a token")
    )
    page.goto("/activity/?model=endless&state=cancelled")
    expect(page.locator("#requests tbody tr")).to_have_count(1, timeout=LONG)


def test_log_is_followed_and_searched(instances: Alma, visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    make_tiny(page)
    page.get_by_role("link", name="Logs").click()
    lines = page.locator("#log-lines .log-line")
    expect(lines.filter(has_text="started at")).to_have_count(1)
    with instances.client() as client:
        assert client.post("/api/v1/instances/tiny/restart").status_code == 200
    expect(lines.filter(has_text="started at")).to_have_count(2, timeout=LONG)
    assert visitor.unsaid() == [] and not visitor.is_too_wide()
    page.get_by_label("Search the log").fill("started at")
    page.keyboard.press("Enter")
    expect(lines).to_have_count(2)
    with instances.client() as client:
        assert client.post("/api/v1/instances/tiny/restart").status_code == 200
    expect(lines).to_have_count(3, timeout=LONG)


def test_open_dialog_outlives_changes_of_the_list(instances: Alma, visit: Visit) -> None:
    page = visit().page
    make_tiny(page)
    page.goto("/instances/?q=tiny")
    page.get_by_role("link", name="Stop tiny").click()
    dialog = page.locator("#act")
    expect(dialog).to_contain_text("nothing is cut")
    with instances.client() as client:
        assert client.post("/api/v1/instances/tiny/restart").status_code == 200
    row = page.locator("#instance-list tbody tr")
    expect(row).to_contain_text("Running", timeout=LONG)
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Stop", exact=True).click()
    assert page.url.endswith("/instances/?q=tiny")
    expect(row).to_contain_text("Stopped", timeout=LONG)
