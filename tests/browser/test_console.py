"""A machine that is made on its page, looked at and changed, in real Chromium."""

import re
import secrets

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.processes.alma import Alma

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.timeout(400)]
LONG = 90_000
PIXEL = (
    "() => Array.from(document.querySelector('[data-console] canvas').getContext('2d').getImageData(5, 5, 1, 1).data)"
)
IMAGE = "debian-12-genericcloud-amd64.qcow2"


def pixel(page: Page) -> list[int]:
    found: list[int] = page.evaluate(PIXEL)
    return found


@pytest.mark.parametrize("width", [1280, 390])
def test_a_machine_from_an_image_is_made_looked_at_and_changed(alma: Alma, visit: Visit, width: int) -> None:
    name = f"screen-{secrets.token_hex(3)}"
    visitor = visit(width=width)
    page: Page = visitor.page
    page.goto("/vms/")
    page.get_by_role("link", name="New machine").click()
    page.get_by_role("textbox", name="Name").fill(name)
    option = page.locator("select[name=source] option").filter(has_text=IMAGE)
    page.get_by_label("Made from").select_option(option.get_attribute("value") or "")
    page.get_by_label("Environment").select_option("development")
    page.get_by_label("Disk in GiB").fill("8")
    assert visitor.unsaid() == []
    assert not visitor.is_too_wide()
    page.get_by_role("button", name="Make the machine").click()
    head = page.locator("#vm-head")
    expect(head.locator("[data-status=running]")).to_be_visible(timeout=LONG)
    where = page.url

    page.goto(f"{where}console/")
    expect(page.locator("[data-console-state]")).to_have_text("Connected", timeout=LONG)
    expect(page.locator("[data-console] canvas")).to_be_visible()
    page.wait_for_function(f"() => ({PIXEL})()[1] === 60", timeout=LONG)
    page.locator("[data-console] canvas").press("a")
    page.wait_for_function(f"() => ({PIXEL})()[1] === 100", timeout=LONG)
    assert pixel(page)[0] == 40
    expect(page).to_have_url(re.compile("/console/$"))
    assert visitor.unsaid() == []
    assert not visitor.is_too_wide()

    page.goto(f"{where}change/")
    expect(page.get_by_text("It runs: this takes effect at its next start.")).to_have_count(2)
    page.get_by_label("First disk in GiB").fill("4")
    page.get_by_label("Tags").fill("seen")
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_text("A disk only grows; it has 8 GiB.")).to_be_visible()
    expect(page.get_by_label("Tags")).to_have_value("seen")
    visitor.complaints.clear()
    page.get_by_label("First disk in GiB").fill("10")
    page.get_by_role("button", name="Change").click()
    expect(page.locator("#vm-now .tile").filter(has_text="Disks")).to_contain_text("10", timeout=LONG)
    assert visitor.unsaid() == []
