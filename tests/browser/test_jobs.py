"""Jobs in real Chromium: the tray of every page, and the page of one job."""

import secrets

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.machines import ask, make_machine
from tests.processes.alma import Alma

pytestmark = [pytest.mark.browser, pytest.mark.processes]
LONG = 90_000
REASON = "the disk of the test is full"


def let_fail(page: Page, task: str) -> None:
    """The next task of that type on the sandbox fails."""
    page.goto("/clusters/sandbox/faults/")
    page.get_by_label("The next").select_option(task)
    page.get_by_label("Ends with").fill(REASON)
    page.get_by_role("button", name="Let it fail").click()
    expect(page.locator("#trial")).to_contain_text(REASON)


def test_the_tray_shows_what_runs_what_ends_and_what_failed(alma: Alma, visit: Visit) -> None:
    visitor = visit()
    page, name = visitor.page, f"tray-{secrets.token_hex(3)}"
    tray = page.locator("#tray-live")
    page.locator("#tray > summary").click()
    expect(tray.get_by_role("link", name="All jobs")).to_be_visible()
    machine = make_machine(alma, name)
    at_work = tray.locator('[data-key="tray-active"] li').filter(has_text=name)
    expect(at_work.get_by_role("progressbar")).to_be_visible()
    expect(page.locator("#tray-count")).to_contain_text("at work")
    ended = tray.locator('[data-key="tray-ended"] li').filter(has_text=name)
    expect(ended).to_contain_text("Completed", timeout=LONG)
    expect(at_work).to_have_count(0)
    assert visitor.unsaid() == []

    let_fail(page, "qmstop")
    page.goto("/blueprints/")
    ask(alma, f"/v1/vms/{machine}/stop", {"graceful": False})
    page.locator("#tray > summary").click()
    failed = tray.locator('[data-key="tray-unread"] li').filter(has_text=name)
    expect(failed).to_contain_text(REASON, timeout=LONG)
    page.reload()
    expect(page.locator("#tray-count")).to_contain_text("failed")
    page.locator("#tray > summary").click()
    failed.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    expect(page.locator("#job-error")).to_contain_text(REASON)
    expect(page.locator("#log-lines")).to_contain_text("failed")

    page.locator("#tray > summary").click()
    failed.get_by_role("button", name="Dismiss the failure").click()
    expect(failed).to_have_count(0)
    page.reload()
    page.locator("#tray > summary").click()
    expect(tray.locator('[data-key="tray-active"]')).to_be_visible()
    expect(failed).to_have_count(0)
    page.goto(f"/jobs/?state=failed&machine={name}")
    expect(page.locator("#job-list tbody tr")).to_have_count(1)


def test_the_tray_shows_what_no_worker_has_begun(alma: Alma, visit: Visit) -> None:
    name = f"queued-{secrets.token_hex(3)}"
    page = visit().page
    page.locator("#tray > summary").click()
    expect(page.locator("#tray-live").get_by_role("link", name="All jobs")).to_be_visible()
    workers = alma.processes("worker")
    assert workers
    for worker in workers:
        worker.suspend()
    try:
        make_machine(alma, name)
        waiting = page.locator('#tray-live [data-key="tray-active"] li').filter(has_text=name)
        expect(waiting).to_contain_text("waiting for a worker")
    finally:
        for worker in workers:
            worker.resume()
    expect(waiting).to_have_count(0, timeout=LONG)
    expect(page.locator('#tray-live [data-key="tray-ended"] li').filter(has_text=name)).to_contain_text("Completed")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_job_is_found_and_followed_to_its_end(alma: Alma, visit: Visit, width: int) -> None:
    visitor = visit(width=width)
    page, name = visitor.page, f"follow-{secrets.token_hex(3)}"
    make_machine(alma, name)
    if width < 640:
        page.get_by_role("button", name="Menu").click()
    else:
        page.keyboard.press("g")
        page.keyboard.press("j")
    if width < 640:
        page.locator("#rail").get_by_role("link", name="Jobs").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")
    page.get_by_role("searchbox", name="Search").fill(name)
    rows = page.locator("#job-list tbody tr")
    expect(rows).to_have_count(1)
    assert visitor.unsaid() == [] and not visitor.is_too_wide()
    rows.get_by_role("link").first.click()
    expect(page.locator('#job-head[data-page-state="completed"]')).to_be_visible(timeout=LONG)
    expect(page.locator("#log-lines .log-line").last).to_contain_text("Completed")
    page.get_by_text("What was read back").first.click()
    expect(page.locator("#job-live pre").first).to_contain_text('"')
    assert visitor.unsaid() == [] and not visitor.is_too_wide()
