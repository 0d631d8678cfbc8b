"""Backups in real Chromium: one is made from its machine's page, tried out, and becomes a machine of its own."""

import secrets

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.machines import await_status, make_machine
from tests.browser.visitor import Visitor
from tests.processes.alma import Alma

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.timeout(600)]
LONG = 90_000


def forgive_refusal(visitor: Visitor) -> None:
    """A form that is answered with 422 is what the test wanted; the browser tells of it as of an error."""
    assert [line for line in visitor.complaints if "422" not in line] == []
    visitor.complaints.clear()


def await_end(page: Page) -> None:
    """Until the job whose page this is has done what was asked."""
    expect(page.locator("#job-head [data-status=completed]")).to_be_visible(timeout=LONG)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_backup_is_made_tried_out_and_restored(alma: Alma, visit: Visit, width: int) -> None:
    name = f"kept-{secrets.token_hex(3)}"
    machine = make_machine(alma, name)
    await_status(alma, machine, "running")
    visitor = visit(width=width)
    page: Page = visitor.page
    page.goto(f"/vms/{machine}/?view=backups")
    page.get_by_role("navigation", name="Parts of the page").get_by_role("link", name="Backups").click()
    page.locator("#machine-backups").get_by_role("link", name="Back up…").click()
    page.get_by_role("button", name="Back up", exact=True).click()
    await_end(page)

    page.goto("/backups/")
    page.get_by_role("searchbox", name="Search").fill(name)
    row = page.locator("#backup-list tbody tr")
    expect(row).to_have_count(1)
    expect(row.locator("[data-status=completed]")).to_be_visible()
    assert visitor.unsaid() == []
    assert not visitor.is_too_wide()
    row.get_by_role("link", name=name).click()
    where = page.url
    expect(page.get_by_text("Never tested: whether it can be restored is not known.")).to_be_visible()
    page.get_by_role("link", name="Test a restore…").click()
    expect(page.get_by_text("The machine itself is not touched.")).to_be_visible()
    page.get_by_role("button", name="Test a restore").click()
    await_end(page)
    page.goto(where)
    expect(page.locator("#backup-detail [data-status=verified]").first).to_be_visible()
    expect(page.get_by_text("and its guest was removed again")).to_be_visible()
    assert visitor.unsaid() == []
    assert not visitor.is_too_wide()

    page.get_by_role("link", name="Restore…", exact=True).click()
    field = page.get_by_label("Name of the new machine")
    field.fill(name)
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text(f"There is a machine {name} on")).to_be_visible()
    expect(field).to_have_value(name)
    forgive_refusal(visitor)
    field.fill(f"{name}-again")
    page.get_by_role("button", name="Restore").click()
    await_end(page)
    assert alma.guests()[f"{name}-again"]["status"] == "stopped"
