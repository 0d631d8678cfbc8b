"""A security scan in real Chromium: started, watched to its end, and read."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.mark.parametrize("width", [1280, 390])
def test_a_scan_from_its_start_to_its_findings(visit: Visit, width: int) -> None:
    visitor = visit(width=width)
    page: Page = visitor.page
    page.goto("/security/")
    assert visitor.unsaid() == []
    page.get_by_role("button", name="Start a scan").click()
    expect(page.get_by_role("heading", name="Firewall of the cluster is off")).to_be_visible(timeout=60_000)
    assert visitor.unsaid() == []
    assert not visitor.is_too_wide()

    page.get_by_role("searchbox", name="Search by name").fill("gitlab")
    expect(page.get_by_role("heading", name="Firewall of the cluster is off")).to_have_count(0)
    rule = page.locator("#GUEST-NET-002")
    rule.get_by_text("As a command").click()
    expect(rule.get_by_text("pvesh set /nodes/pve1/qemu/110/config")).to_be_visible()

    page.get_by_role("link", name="Controls").click()
    expect(page.get_by_text("Implement and manage a firewall on servers")).to_be_visible()
    page.get_by_role("link", name="Not assessed").first.click()
    expect(page.get_by_text("never a pass").first).to_be_visible()
    page.get_by_role("searchbox", name="Search by name").fill(
        "proxy-edge"
    )  # machines of other tests may stand before it
    expect(page.get_by_text("and no version, and the interface of Proxmox reads no file in it").first).to_be_visible()
    assert not visitor.is_too_wide()
