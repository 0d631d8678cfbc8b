"""A webhook in real Chromium, towards a real receiver: added, delivered, redelivered, given another secret, deleted."""

import json
import secrets
from http.server import BaseHTTPRequestHandler

import pytest
from playwright.sync_api import Page, expect
from standardwebhooks import Webhook

from tests.browser.conftest import Visit
from tests.fixtures.receiver import Receiver, Request, answer
from tests.processes.alma import Alma, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.processes]


def failing_first(request: Request, handler: BaseHTTPRequestHandler) -> None:
    """Is not ready when an event arrives for the first time, and takes all else."""
    is_first = json.loads(request.body)["event"] == "ipr.opened" and b'"attempt":1' in request.body
    answer(503 if is_first else 204)(request, handler)


def test_a_webhook_from_its_first_delivery_to_its_end(alma: Alma, visit: Visit, hook: Receiver) -> None:
    hook.respond = failing_first
    path = f"/{secrets.token_hex(4)}"

    def taken(number: int, secret: str) -> str:
        """The id of the delivery that came as that number, verified by a library of others."""
        wait_until(lambda: len([request for request in hook.requests if request.path == path]) >= number, 30)
        request = [request for request in hook.requests if request.path == path][number - 1]
        Webhook(secret).verify(request.body, request.headers)
        return request.headers["webhook-id"]

    page: Page = visit().page
    page.get_by_role("link", name="Webhooks").click()
    page.get_by_role("link", name="New webhook").first.click()
    page.get_by_label("URL").fill(hook.url.replace("/hook", path))
    page.get_by_label("Only these").check()
    page.get_by_label("ipr.opened").check()
    page.get_by_role("button", name="Add webhook").click()
    secret = page.locator("#secret").inner_text()
    page.get_by_role("link", name="I have stored it").click()
    assert secret not in page.content()

    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("The receiver took it.")).to_be_visible()
    first = taken(1, secret)

    page.get_by_role("link", name="webhook-").click()
    opened = alma.client().post("/api/v1/ipr/", json={"title": "Tell the chat", "blueprint_id": 1})
    assert opened.status_code == 201, opened.text
    page.reload()
    row = page.get_by_role("row").filter(has_text="ipr.opened")
    expect(row).to_contain_text("Delivered", timeout=60_000)
    row.get_by_role("button", name="Redeliver").click()
    expect(page.get_by_text("The receiver took it.")).to_be_visible()
    expect(page.locator("tr[id^=attempt-]")).to_have_count(3)
    assert len({taken(number, secret) for number in (2, 3, 4)} - {first}) == 1

    page.get_by_role("link", name="webhook-").click()
    page.locator("summary", has_text="More").click()
    page.get_by_role("link", name="New secret").click()
    page.get_by_role("button", name="Make a new secret").click()
    newer = page.locator("#secret").inner_text()
    assert newer != secret
    page.get_by_role("link", name="I have stored it").click()
    expect(page.get_by_text("Two secrets sign until")).to_be_visible()
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("The receiver took it.")).to_be_visible()
    assert taken(5, secret) == taken(5, newer)

    page.get_by_role("link", name="webhook-").click()
    page.locator("summary", has_text="More").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete webhook").click()
    expect(page.get_by_text("Deleted the webhook to")).to_be_visible()
