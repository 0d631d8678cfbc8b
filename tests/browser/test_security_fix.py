"""From a finding to a scan without it, in real Chromium: a machine of a protected environment is made, scanned and mended, and
nothing of that happens before somebody else has agreed."""

import re
import secrets
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Visit
from tests.processes.alma import Alma, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.timeout(600)]
PHRASE = "a phrase of my own"
RULE = "GUEST-OPT-001"
WISH = {"name": "vault", "template": "debian-12", "environment": "production", "cpu_cores": 1, "memory_mb": 512}


def made(alma: Alma) -> dict[str, Any]:
    """What is answered when a machine is wanted there; the sandbox may not have been read yet."""
    found: list[Any] = []

    def ask() -> bool:
        with alma.client() as client:
            answer = client.post("/v1/vms", json=WISH)
        found.append(answer)
        return answer.status_code == 201

    wait_until(ask, 30, alma.log)
    vm: dict[str, Any] = found[-1].json()["data"]["vm"]
    return vm


def job(alma: Alma, job_id: str) -> dict[str, Any]:
    with alma.client() as client:
        row: dict[str, Any] = client.get(f"/v1/jobs/{job_id}").json()["data"]["job"]
    return row


def reviewer(alma: Alma, chromium: Browser, visit: Visit, admin: Page) -> Page:
    """Somebody else who may agree."""
    name = f"bea-{secrets.token_hex(3)}"
    admin.goto("/settings/members/add/")
    admin.get_by_label("User name").fill(name)
    admin.get_by_label("Role").select_option("reviewer")
    admin.get_by_role("button", name="Add").click()
    guest = chromium.new_context(base_url=alma.url).new_page()
    guest.goto(admin.locator("#link").inner_text())
    guest.get_by_label("Password", exact=True).fill(PHRASE)
    guest.get_by_label("Password again").fill(PHRASE)
    guest.get_by_role("button", name="Set password").click()
    expect(guest.get_by_role("heading", level=1)).to_have_text("Sign in")
    guest.context.close()
    return visit(name=name, password=PHRASE).page


def approve(page: Page, where: str) -> None:
    page.goto(where)
    page.get_by_role("link", name=re.compile("^Changes")).first.click()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Approved", exact=True).first).to_be_visible()


def deploy(page: Page, where: str) -> None:
    page.goto(where)
    page.get_by_role("button", name=re.compile("^Deploy")).first.click()
    expect(page).to_have_url(re.compile("/deployments/deploy-"))
    expect(page.locator("#run-head").get_by_text("Completed", exact=True)).to_be_visible(timeout=90_000)


def scanned(page: Page) -> Locator:
    """What a new scan says of the rule."""
    page.goto("/security/")
    page.get_by_role("button", name="Start a scan").click()
    expect(page.get_by_role("heading", name="Firewall of the cluster is off")).to_be_visible(timeout=60_000)
    return page.locator(f"#{RULE}")


def test_from_a_finding_to_a_scan_without_it(alma: Alma, chromium: Browser, visit: Visit) -> None:
    visitor = visit()
    admin = visitor.page
    vm = made(alma)
    waiting = job(alma, vm["creation_job_id"])
    assert (waiting["status"], waiting["phase"]) == ("running", "waiting_approval")
    assert "vault" not in alma.guests()
    admin.goto(f"/jobs/{vm['creation_job_id']}/")
    expect(admin.get_by_text("People have to agree before it begins")).to_be_visible()
    assert visitor.unsaid() == []
    admin.get_by_role("link", name=re.compile(r"^IPR #")).first.click()
    expect(admin.get_by_text("Creates one guest")).to_be_visible()
    assert visitor.unsaid() == []
    approve(admin, vm["ipr_url"])
    deploy(admin, vm["ipr_url"])
    assert job(alma, vm["creation_job_id"])["status"] == "completed"
    assert alma.guests()["vault"]["status"] == "running"

    rule = scanned(admin)
    expect(rule.get_by_text("vault", exact=True)).to_be_visible()
    assert visitor.unsaid() == []
    assert not visitor.is_too_wide()
    rule.get_by_role("button", name="Fix as IPR on vault").click()
    expect(admin.get_by_role("heading", level=1)).to_contain_text(
        "Mend vault: Guest of a protected environment can be deleted"
    )
    where = admin.url
    expect(admin.get_by_text("Changes one guest")).to_be_visible()
    expect(admin.get_by_text("somebody else has to approve it").first).to_be_attached()
    guest = alma.guests()["vault"]
    config = alma.cluster().nodes(guest["node"]).qemu(guest["vmid"]).config
    assert "protection" not in config.get()

    approve(reviewer(alma, chromium, visit, admin), where)
    deploy(admin, where)
    assert config.get()["protection"] == 1
    expect(scanned(admin).get_by_text("vault", exact=True)).to_have_count(0)
