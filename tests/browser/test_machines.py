"""Machines in real Chromium: found, stopped together, watched while somebody types, and taken back to a snapshot."""

import re
import secrets

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.machines import ask, await_status, make_machine
from tests.processes.alma import Alma

pytestmark = [pytest.mark.browser, pytest.mark.processes]
LONG = 90_000


def number_of(machine: str) -> int:
    return int(machine.removeprefix("vm-"))


def test_machines_are_found_and_stopped_together(alma: Alma, visit: Visit) -> None:
    word = f"flock-{secrets.token_hex(3)}"
    names = [f"{word}-a", f"{word}-b", f"{word}-off"]
    machines = [make_machine(alma, name) for name in names]
    for machine in machines:
        await_status(alma, machine, "running")
    ask(alma, f"/v1/vms/{machines[2]}/stop", {"graceful": False})
    await_status(alma, machines[2], "stopped")

    visitor = visit()
    page: Page = visitor.page
    page.goto("/vms/")
    rows = page.locator("#guest-list tbody tr")
    search = page.get_by_role("searchbox", name="Search by words and filters")
    search.fill(f"colour:red {word}")
    expect(page.get_by_text("There is no filter colour:. There are status:, env:,")).to_be_visible()
    expect(rows).to_have_count(0)
    search.fill(f"is:ours {word}")
    expect(rows).to_have_count(3)
    expect(page).to_have_url(re.compile("q=is%3Aours"))
    search.fill("name:gitlab")
    expect(page.get_by_role("checkbox", name="gitlab cannot be chosen: gitlab was not made by ALMA")).to_be_disabled()
    search.fill(f"is:ours {word}")
    expect(rows).to_have_count(3)
    assert visitor.unsaid() == []

    page.get_by_role("checkbox", name="Choose all of this page").check()
    page.get_by_role("button", name="Stop…").click()
    expect(page.get_by_role("heading", name="2 machines are touched")).to_be_visible()
    left = page.locator("section").filter(has=page.get_by_role("heading", name="1 left as it is"))
    expect(left).to_contain_text(names[2])
    expect(left).to_contain_text("It is stopped already.")
    assert visitor.unsaid() == []
    page.get_by_label("Cut the power at once").check()
    page.get_by_role("button", name="Stop 2 machines").click()
    expect(page.get_by_role("heading", name="2 of 2 ended")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("It is stopped already.")).to_be_visible()
    assert visitor.unsaid() == []
    for machine in machines:
        await_status(alma, machine, "stopped")


@pytest.mark.parametrize("width", [1280, 390])
def test_what_is_chosen_stays_so_from_page_to_page(alma: Alma, visit: Visit, width: int) -> None:
    word = f"keep-{secrets.token_hex(3)}"
    machines = [make_machine(alma, f"{word}-{letter}") for letter in "ab"]
    for machine in machines:
        await_status(alma, machine, "running")
    visitor = visit(width=width)
    page: Page = visitor.page
    first, count = page.get_by_role("checkbox", name=re.compile(rf"^Choose \d+ {word}-a$")), page.locator(".bulk-count")
    page.goto(f"/vms/?q=name:{word}-a")
    first.check()
    expect(count).to_have_text("1 chosen")
    page.get_by_role("searchbox", name="Search by words and filters").fill(f"name:{word}-b")
    expect(page.locator("#guest-list tbody tr")).to_have_count(1)
    expect(count).to_have_text("1 chosen, 1 of them not on this page")
    page.get_by_role("checkbox", name=re.compile(rf"^Choose \d+ {word}-b$")).check()
    expect(count).to_have_text("2 chosen, 1 of them not on this page")
    page.goto("/vms/?page=99&sort=node")
    page.goto(f"/vms/?q={word}&order=desc")
    expect(first).to_be_checked()
    expect(count).to_have_text("2 chosen")
    assert visitor.unsaid() == [] and not visitor.is_too_wide()

    page.goto(f"/vms/?q=name:{word}-b")
    ask(alma, f"/v1/vms/{machines[1]}/stop", {"graceful": False})
    await_status(alma, machines[1], "stopped")
    page.get_by_role("button", name="Stop…").click()
    expect(page.get_by_role("heading", name="1 machine is touched")).to_be_visible()
    expect(page.locator("section").filter(has_text="It is stopped already.")).to_contain_text(f"{word}-b")
    page.get_by_role("link", name="Back", exact=True).click()
    page.goto(f"/vms/?q=name:{word}-b")
    expect(count).to_have_text("2 chosen, 1 of them not on this page")
    page.get_by_role("button", name="Choose none").click()
    expect(count).to_be_hidden()
    page.goto(f"/vms/?q={word}")
    expect(first).not_to_be_checked()

    first.check()
    page.get_by_role("button", name="Stop…").click()
    page.get_by_label("Cut the power at once").check()
    page.get_by_role("button", name="Stop 1 machine").click()
    expect(page.get_by_role("heading", name="1 of 1 ended")).to_be_visible(timeout=LONG)
    page.goto(f"/vms/?q={word}")
    expect(first).not_to_be_checked()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_follows_its_machine_and_leaves_what_is_typed(alma: Alma, visit: Visit, width: int) -> None:
    name = f"live-{secrets.token_hex(3)}"
    machine = make_machine(alma, name)
    visitor = visit(width=width)
    page: Page = visitor.page
    page.goto(f"/vms/{number_of(machine)}/?view=snapshots")
    head = page.locator("#vm-head")
    expect(head.locator("[data-status=running]")).to_be_visible(timeout=LONG)
    field = page.get_by_label("Name")
    field.fill("half-ty")
    ask(alma, f"/v1/vms/{machine}/stop", {"graceful": False})
    expect(head.locator("[data-status=stopped]")).to_be_visible(timeout=LONG)
    expect(field).to_have_value("half-ty")
    expect(field).to_be_focused()
    assert visitor.unsaid() == []
    assert not visitor.is_too_wide()
    field.fill("")

    page.goto(f"/vms/{number_of(machine)}/")
    expect(page.get_by_role("heading", name="Performance")).to_be_visible()
    expect(page.locator("#vm-figures .skeleton")).to_have_count(0)
    head.get_by_role("button", name="Start").click()
    expect(head.locator("[data-status=running]")).to_be_visible(timeout=LONG)
    expect(page.locator("#vm-work")).to_contain_text(f"Start {name}")
    assert visitor.unsaid() == []
    assert not visitor.is_too_wide()


def test_what_the_clock_asks_for_takes_nothing_away(visit: Visit) -> None:
    page: Page = visit().page
    page.goto("/vms/")
    page.evaluate("""() => {
      document.querySelector("#notice").append(document.querySelector("#notice-template").content.cloneNode(true));
      const part = document.createElement("div");
      for (const [name, value] of [["id", "clock"], ["hx-get", "/vms/summary/"], ["hx-trigger", "every 1s"], ["hx-swap", "innerHTML"]])
        part.setAttribute(name, value);
      document.querySelector(".page").append(part);
      htmx.process(part);
    }""")
    part = page.locator("#clock")
    expect(part).to_contain_text("machines")
    expect(page.locator('#notice [data-panel="error"]')).to_be_visible()
    page.evaluate("""() => {
      document.querySelector("#clock").innerHTML = '<details class="menu" open><summary>Open</summary></details>';
    }""")
    page.wait_for_timeout(2_500)
    expect(part).to_have_text("Open")


def test_a_machine_goes_back_to_a_snapshot(alma: Alma, visit: Visit) -> None:
    machine = make_machine(alma, f"back-{secrets.token_hex(3)}")
    await_status(alma, machine, "running")
    page: Page = visit().page
    page.goto(f"/vms/{number_of(machine)}/?view=snapshots")
    snapshots = page.locator("#vm-snapshots")
    for name in ("first", "second"):
        page.get_by_label("Name").fill(name)
        page.get_by_role("button", name="Take snapshot").click()
        expect(snapshots.get_by_role("link", name=f"Go back… to {name}")).to_be_visible(timeout=LONG)
    expect(snapshots.locator("li").filter(has_text="second").first).to_contain_text("after first")

    snapshots.get_by_role("link", name="Go back… to first").click()
    expect(page.get_by_text("What was written to it since then is lost.")).to_be_visible()
    page.get_by_role("button", name="Go back").click()
    expect(snapshots.locator("li").filter(has_text="You are here")).to_contain_text("after first", timeout=LONG)
    expect(snapshots.get_by_role("link", name="Go back… to first")).to_be_visible(timeout=LONG)
    page.get_by_label("Name").fill("third")
    page.get_by_role("button", name="Take snapshot").click()
    expect(snapshots.locator("li").filter(has_text="third").first).to_contain_text("after first", timeout=LONG)
    expect(snapshots.locator("li.depth-1")).to_contain_text("second")
    expect(snapshots.locator("li").filter(has_text="You are here")).to_contain_text("after third")
    page.get_by_role("link", name="History").click()
    expect(page.locator("#vm-jobs")).to_contain_text("Go back to a snapshot of")
