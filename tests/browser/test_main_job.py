"""The main job in real Chromium: log in, describe, propose, review, approve, deploy, and watch it complete."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visit
from tests.processes.alma import Alma

pytestmark = [pytest.mark.browser, pytest.mark.processes]

PAGES = ["/", "/iprs/", "/iprs/?view=all", "/iprs/1/", "/iprs/1/changes/", "/iprs/new/", "/deployments/", "/blueprints/",
         "/blueprints/1/", "/blueprints/1/edit/", "/blueprints/new/", "/vms/", "/clusters/", "/clusters/sandbox/",
         "/clusters/sandbox/security/", "/security/", "/storage/", "/networks/", "/backups/", "/jobs/", "/jobs/?state=active&kind=plan",
         "/mission-control/", "/settings/keys/",
         "/settings/keys/new/", "/settings/members/", "/settings/organization/", "/settings/webhooks/",
         "/settings/webhooks/new/", "/account/password/"]  # fmt: skip


def test_a_wrong_password_is_told_and_nothing_is_lost(alma: Alma, chromium: Browser) -> None:
    page = chromium.new_page(base_url=alma.url)
    page.goto("/iprs/1/")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password", exact=True).fill("wrong")
    page.locator("button[type=submit]").first.click()
    expect(
        page.get_by_text(re.compile("correct username and password|not known|do not match", re.I)).first
    ).to_be_visible()
    expect(page.get_by_label("User name")).to_have_value("admin")


def test_review_approve_deploy_and_watch(alma: Alma, visit: Visit) -> None:
    page = visit().page
    page.get_by_role("link", name=re.compile("Review queue")).first.click()
    page.get_by_role("link", name=re.compile("Set up the team wiki")).first.click()
    expect(page.get_by_text("Creates three guests")).to_be_visible()
    page.get_by_role("link", name=re.compile("Changes")).first.click()
    page.locator("summary", has_text="wiki-db").click()
    expect(page.get_by_text("debian-12").first).to_be_visible()
    page.get_by_label("Your words").fill("Looks right to me.")
    elsewhere = page.context.new_page()
    elsewhere.goto("/vms/")
    expect(elsewhere.locator("#rail-review")).to_contain_text("1")
    page.get_by_role("button", name="Approve").click()
    expect(elsewhere.locator("#rail-review")).to_be_hidden()
    elsewhere.close()
    deploy = page.get_by_role("button", name=re.compile("^Deploy")).first
    expect(deploy).to_be_visible()
    deploy.click()
    expect(page).to_have_url(re.compile("/deployments/deploy-"))
    expect(page.locator("#run-head").get_by_text("Completed", exact=True)).to_be_visible(timeout=60_000)
    expect(page.get_by_text("15 of 15").first).to_be_visible()
    expect(page.get_by_role("log")).to_contain_text("wiki-proxy is as planned")
    expect(page.get_by_text("Nothing was told yet")).to_be_hidden()
    assert {alma.guests()[name]["status"] for name in ("wiki-db", "wiki-app", "wiki-proxy")} == {"running"}


def test_words_become_a_proposal(visit: Visit) -> None:
    page = visit().page
    page.get_by_placeholder(re.compile("Three web servers")).fill("Two small web servers with 1 GB of memory each")
    page.get_by_role("button", name="Draft a blueprint").click()
    expect(page.locator("textarea[name=document]")).to_have_value(re.compile("memory: 1GB"))
    page.get_by_role("button", name=re.compile("Save|Create")).first.click()
    page.get_by_role("link", name=re.compile("Open IPR")).first.click()
    page.get_by_role("button", name=re.compile("Open|Propose")).first.click()
    expect(page.get_by_text("Approved", exact=True).first).to_be_visible(timeout=20_000)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_no_page_overflows_or_complains(visit: Visit, width: int, scheme: str) -> None:
    visitor = visit(width=width, scheme=scheme)
    faults = []
    for path in PAGES:
        answer = visitor.page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        faults += [(path, "too wide")] if visitor.is_too_wide() else []
        faults += [(path, unsaid) for unsaid in visitor.unsaid()]
    assert faults == []
