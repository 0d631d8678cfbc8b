"""Keys, members and rules in real Chromium: what is shown once, what is asked again, and what ends at once."""

import re
import secrets

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visit
from tests.processes.alma import Alma

pytestmark = [pytest.mark.browser, pytest.mark.processes]

SECRET = re.compile(r"alm_live_[0-9a-f]{48}")
PHRASE = "a phrase of my own"


def status(alma: Alma, secret: str) -> int:
    return requests.get(f"{alma.url}/v1/auth/tokens", headers={"X-API-Key": secret}, timeout=20).status_code


def test_a_key_is_made_shown_once_used_and_revoked(alma: Alma, visit: Visit) -> None:
    page, name = visit().page, f"pipeline-{secrets.token_hex(3)}"
    page.get_by_role("link", name="Keys and members").click()
    page.get_by_role("link", name="New key").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("CI deploy").check()
    page.get_by_role("button", name="Make the key").click()
    secret = page.locator("#secret").inner_text()
    assert SECRET.fullmatch(secret)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert status(alma, secret) == 200
    page.get_by_role("link", name="I stored it").click()
    row = page.get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text("Read, propose and deploy")
    expect(row).to_contain_text("from 127.0.0.1")
    assert secret not in page.content()
    page.get_by_role("link", name=f"Revoke {name}").click()
    page.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_text("The next request with it is refused.")).to_be_visible()
    assert status(alma, secret) == 401


def test_what_the_form_does_not_take_is_said_and_stays(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    page.goto("/settings/keys/new/")
    page.get_by_label("Name").fill("nobody")
    page.get_by_label("Choose one by one").check()
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_role("alert").filter(has_text="Nothing was saved yet")).to_be_visible()
    expect(page.get_by_text("Tick at least one right.")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("nobody")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text("Nothing was saved yet")).to_be_hidden()
    visitor.complaints.remove(
        "Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)"
    )


def test_a_member_comes_by_a_link_gets_another_role_and_goes(alma: Alma, chromium: Browser, visit: Visit) -> None:
    admin, name = visit().page, f"zoe-{secrets.token_hex(3)}"
    admin.goto("/settings/members/add/")
    admin.get_by_label("User name").fill(name)
    admin.get_by_label("Role").select_option("viewer")
    admin.get_by_role("button", name="Add").click()
    link = admin.locator("#link").inner_text()
    guest = chromium.new_context(base_url=alma.url).new_page()
    guest.goto(link)
    guest.get_by_label("Password", exact=True).fill(PHRASE)
    guest.get_by_label("Password again").fill(PHRASE)
    guest.get_by_role("button", name="Set password").click()
    expect(guest.get_by_role("heading", level=1)).to_have_text("Sign in")
    guest.goto(link)
    expect(guest.get_by_role("heading", level=1)).to_have_text("This link does not work any more")
    guest.context.close()
    zoe = visit(name=name, password=PHRASE).page
    expect(zoe.get_by_text("You can read everything here.")).to_be_visible()
    expect(zoe.get_by_role("link", name="Webhooks")).to_have_count(0)
    admin.goto("/settings/members/")
    expect(admin.get_by_role("link", name="Remove admin")).to_have_count(0)
    admin.get_by_label(f"Role of {name}").select_option("requester")
    admin.get_by_role("button", name=f"Set the role of {name}").click()
    expect(admin.get_by_text(f"{name} has another role now.")).to_be_visible()
    zoe.reload()
    expect(zoe.get_by_role("button", name="Draft a blueprint")).to_be_visible()
    zoe.goto("about:blank")  # an open page would be told that its right has ended
    admin.get_by_role("link", name=f"Remove {name}").click()
    admin.get_by_role("button", name="Remove member").click()
    expect(admin.get_by_text(f"{name} is no longer a member.")).to_be_visible()
    zoe.goto("/")
    expect(zoe.get_by_text("You belong to no organization")).to_be_visible()
    expect(zoe.get_by_text("Set up the team wiki")).to_have_count(0)


def test_a_rule_is_changed_and_put_back(visit: Visit) -> None:
    """Other tests approve plans of the same environment."""
    page = visit().page
    page.goto("/settings/organization/")
    row = page.get_by_role("row").filter(has_text="Production")
    for approvals in ("3", "1"):
        page.get_by_role("link", name="Edit Production").click()
        page.get_by_label("Approvals that a plan needs").fill(approvals)
        page.get_by_role("button", name="Save the rule").click()
        expect(row.get_by_role("cell").nth(1)).to_have_text(approvals)
