"""Answers as they come in real Chromium: stopped, refused, pressed instead of typed, hostile, without scripts, and by touch."""

import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.blueprints.understanding.scripted import Slow, part, proposal, says
from tests.browser.conftest import Visit
from tests.fixtures.receiver import Receiver
from tests.processes.alma import Alma

pytestmark = [pytest.mark.browser, pytest.mark.processes]
HOSTILE = "<img src=x onerror=window.pwned=1><script>window.pwned=1</script> **one** web server \u202ecba"


@pytest.fixture
def model(hook: Receiver) -> Iterator[Receiver]:
    """An endpoint that tests script; afterwards it answers as before."""
    before = hook.respond
    yield hook
    hook.respond = before


def talk_with(alma: Alma, model: Receiver) -> str:
    """The page of a conversation with an agent whose model is scripted."""
    with alma.client() as client:
        name, endpoint = f"talker-{secrets.token_hex(3)}", f"http://127.0.0.1:{model.port}/v1"
        made = client.post("/api/v1/agents", json={"name": name, "endpoint": endpoint})
        assert made.status_code == 201, made.text
        session = client.post("/api/v1/sessions", json={"agentId": made.json()["data"]["id"]})
        assert session.status_code == 201, session.text
    return f"/conversations/{session.json()['data']['id']}/"


def say(page: Page, words: str) -> None:
    page.get_by_label("Go on").fill(words)
    page.get_by_role("button", name="Say it").click()


def begin(page: Page, words: str) -> None:
    page.goto("/conversations/")
    page.get_by_label("What do you need?").fill(words)
    page.get_by_role("button", name="Say it").click()
    expect(page.get_by_role("heading", name="Draft:")).to_be_visible()


def test_an_answer_is_stopped_and_the_next_one_comes(alma: Alma, visit: Visit, model: Receiver) -> None:
    model.respond = slow = Slow()
    visitor = visit()
    page = visitor.page
    page.goto(talk_with(alma, model))
    say(page, "2 web servers")
    assert slow.began.wait(15), page.locator("#main").inner_text()
    expect(page.locator("#said")).to_contain_text("Asking")
    expect(page.get_by_role("button", name="Say it")).to_be_disabled()
    page.get_by_role("button", name="Stop").click()
    assert slow.left.wait(15), "the model was left writing"
    expect(page.get_by_label("Go on")).to_have_value("2 web servers")
    expect(page.locator("#said")).to_contain_text("Nothing was said yet.")
    model.respond = says(proposal(part("web-server", count=2, memory_gb=6)))
    page.get_by_role("button", name="Say it").click()
    value = page.locator("#resource-web-server-1").get_by_role("button", name="6GB memory")
    value.focus()
    expect(page.get_by_role("tooltip")).to_contain_text("Proposed by the model")
    expect(page.locator("#draft .tag-model")).to_be_visible()
    assert visitor.unsaid() == []


def test_what_was_refused_stays_until_it_is_read(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    begin(page, "one web server")
    page.route(
        "**/conversations/*/", lambda route: route.abort() if route.request.method == "POST" else route.continue_()
    )
    say(page, "make it bigger")
    expect(page.locator("#notice")).to_contain_text("The server cannot be reached.")
    expect(page.get_by_label("Go on")).to_have_value("make it bigger")
    page.unroute("**/conversations/*/")
    page.get_by_role("button", name="Say it").click()
    expect(page.locator("#message-4")).to_be_visible()
    expect(page.locator("#notice")).not_to_contain_text("cannot be reached")
    visitor.complaints.clear()  # the browser says as well that the request failed


def test_a_question_is_answered_with_a_press_and_hostile_words_are_words(visit: Visit) -> None:
    visitor = visit(width=390, scheme="dark")
    page = visitor.page
    begin(page, "a few web servers")
    page.get_by_role("button", name="3 web servers").click()
    expect(page.locator("#draft")).to_contain_text("web-server-1 to web-server-3")
    expect(page.get_by_role("button", name="3 web servers")).to_have_count(0)
    say(page, HOSTILE)
    expect(page.locator("#message-5 .said-words")).to_have_text(HOSTILE)
    expect(page.locator("#message-6")).to_be_visible()
    assert page.evaluate("window.pwned") is None
    assert not visitor.is_too_wide()
    assert visitor.unsaid() == []


def test_it_works_without_scripts(visit: Visit) -> None:
    visitor = visit()
    state = visitor.context.storage_state()
    plain = visitor.context.browser.new_context(  # type: ignore[union-attr]
        base_url=visitor.page.url, storage_state=state, java_script_enabled=False
    )
    page = plain.new_page()
    begin(page, "2 web servers")
    page.get_by_role("button", name="add a cache").click()
    expect(page.locator("#resource-cache")).to_be_visible()
    say(page, "drop the cache")
    expect(page.locator("#resource-cache")).to_have_count(0)
    page.get_by_role("button", name="Propose it as an IPR").click()
    assert "/iprs/new/?blueprint=" in page.url
    expect(page.get_by_label("Title")).to_be_visible()
    plain.close()
