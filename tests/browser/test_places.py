"""Networks and storages in real Chromium: made, looked at, changed and removed, while somebody types and something is open."""

import re
import secrets

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.machines import ask
from tests.browser.visitor import Visitor
from tests.processes.alma import Alma

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.timeout(600)]
LONG = 90_000


def is_good(visitor: Visitor) -> None:
    """Nothing that a screen reader stumbles over, and nothing beside the window."""
    assert visitor.unsaid() == []
    assert not visitor.is_too_wide()


def forgive_refusal(visitor: Visitor) -> None:
    """A form that is answered with 422 is what the test wanted; the browser tells of it as of an error."""
    assert [line for line in visitor.complaints if "422" not in line] == []
    visitor.complaints.clear()


def row_of(page: Page, path: str, name: str) -> Locator:
    """The rows of a list that a search for this name leaves."""
    page.goto(path)
    page.get_by_role("searchbox", name="Search").fill(name)
    expect(page).to_have_url(re.compile(f"q={name}"))
    return page.locator("#network-list tbody tr, #storage-list tbody tr").filter(has_text=name)


def stands(page: Page, status: str) -> Locator:
    return page.locator(f"#network [data-status={status}]").first


def make_network(visitor: Visitor, name: str, number: int) -> None:
    """Over the form, with an address that is wrong at first."""
    page, net = visitor.page, f"10.{number % 200}.0"
    page.goto("/networks/")
    expect(page.locator("#network-list tbody tr").first).to_be_visible(timeout=LONG)  # read a minute after the start
    page.get_by_role("link", name="New network").click()
    is_good(visitor)
    expect(page.get_by_label("Carried by")).to_be_visible()
    page.get_by_role("radio", name="Bridge On one node").check()
    expect(page.get_by_label("VLAN number")).to_be_hidden()
    page.get_by_role("radio", name="VLAN On a bridge").check()
    expect(page.get_by_label("First address")).to_be_hidden()
    typed = {"Name": name, "VLAN number": str(number), "Subnet": f"{net}.0/24", "First address": f"{net}.100"}
    page.get_by_role("checkbox", name="Give out addresses").check()
    for label, text in {**typed, "Gateway": "10.250.0.1"}.items():
        page.get_by_label(label, exact=label == "Name").fill(text)
    page.get_by_role("button", name="Make the network").click()
    expect(page.get_by_text("Nothing was saved yet")).to_be_visible()
    wrong = page.locator(".field.has-error")
    expect(wrong).to_have_count(1)
    expect(wrong).to_contain_text(f"An address of {net}.0/24.")
    for label, text in typed.items():
        expect(page.get_by_label(label, exact=label == "Name")).to_have_value(text)
    expect(page.get_by_role("checkbox", name="Give out addresses")).to_be_checked()
    is_good(visitor)
    forgive_refusal(visitor)
    page.get_by_label("Gateway").fill(f"{net}.1")
    page.get_by_role("checkbox", name="Give out addresses").uncheck()
    page.get_by_role("button", name="Make the network").click()


def add_rule(visitor: Visitor) -> Locator:
    """Over the form, with a port that is wrong at first; the row of the rule."""
    page = visitor.page
    page.get_by_label("Protocol").select_option("tcp")
    page.get_by_label("From").fill("10.0.0.0/8")
    page.get_by_label("Port").fill("99999")
    page.get_by_role("button", name="Add before all others").click()
    expect(page.locator(".field.has-error")).to_contain_text("65535")
    expect(page.get_by_label("From")).to_have_value("10.0.0.0/8")
    expect(page.get_by_label("Protocol")).to_have_value("tcp")
    forgive_refusal(visitor)
    page.get_by_label("Port").fill("22")
    page.get_by_role("button", name="Add before all others").click()
    rule = page.locator("#network tbody tr").filter(has_text="10.0.0.0/8")
    expect(rule).to_contain_text("22", timeout=LONG)
    return rule


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (390, "light")])
def test_a_network_is_made_changed_and_removed(visit: Visit, width: int, scheme: str) -> None:
    name, number = f"lan-{secrets.token_hex(3)}", secrets.randbelow(3_000) + 300
    visitor = visit(width=width, scheme=scheme)
    page: Page = visitor.page
    make_network(visitor, name, number)
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(stands(page, "active")).to_be_visible(timeout=LONG)
    is_good(visitor)
    here, rule = page.url, add_rule(visitor)
    is_good(visitor)

    page.get_by_role("link", name="Change", exact=True).click()
    expect(page.get_by_label("Subnet")).to_have_value(f"10.{number % 200}.0.0/24")
    is_good(visitor)
    page.get_by_label("VLAN number").fill(str(number + 1))
    page.get_by_role("button", name="Change the network").click()
    expect(page).to_have_url(here)
    expect(page.locator("#network dl")).to_contain_text(str(number + 1), timeout=LONG)
    expect(stands(page, "active")).to_be_visible(timeout=LONG)
    rule.get_by_role("button", name="Remove this rule").click()
    expect(page.locator("#network")).to_contain_text("It has no rules.", timeout=LONG)

    row = row_of(page, "/networks/", name)
    expect(row).to_have_count(1)
    is_good(visitor)
    row.get_by_role("link", name=name).click()
    page.get_by_role("link", name="Remove", exact=True).click()
    is_good(visitor)
    page.get_by_role("button", name="Remove the network").click()
    expect(page.locator("#job-head [data-status=completed]")).to_be_visible(timeout=LONG)
    expect(row_of(page, "/networks/", name)).to_have_count(0)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_storage_is_defined_and_removed(visit: Visit, width: int, scheme: str) -> None:
    name = f"store-{secrets.token_hex(3)}"
    visitor = visit(width=width, scheme=scheme)
    page: Page = visitor.page
    page.goto("/storage/")
    page.get_by_role("link", name="New storage").click()
    is_good(visitor)
    page.get_by_role("link", name="Directory").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Path").fill("/etc/more")
    page.get_by_label("Backups").check()
    page.get_by_role("button", name="Define the storage").click()
    expect(page.locator(".field", has=page.get_by_label("Path"))).to_contain_text("Not in a directory of the system")
    expect(page.get_by_label("Name")).to_have_value(name)
    expect(page.get_by_label("Path")).to_have_value("/etc/more")
    expect(page.get_by_label("Backups")).to_be_checked()
    is_good(visitor)
    forgive_refusal(visitor)
    page.get_by_label("Path").fill(f"/srv/{name}")
    page.get_by_role("button", name="Define the storage").click()
    expect(page.locator("#job-head [data-status=completed]")).to_be_visible(timeout=LONG)

    row = row_of(page, "/storage/", name).first
    expect(row).to_contain_text("backup")
    is_good(visitor)
    row.get_by_role("link", name=f"Remove {name}").click()
    expect(page.get_by_text("All data on it stays as it is")).to_be_visible()
    is_good(visitor)
    page.get_by_role("button", name="Forget the storage").click()
    expect(page.locator("#job-head [data-status=completed]")).to_be_visible(timeout=LONG)
    expect(row_of(page, "/storage/", name)).to_have_count(0)


def test_what_happens_elsewhere_takes_nothing_away(alma: Alma, visit: Visit) -> None:
    name, number = f"busy-{secrets.token_hex(3)}", secrets.randbelow(700) + 3_300
    made = ask(alma, "/v1/networks", {"name": name, "type": "vlan", "vlan_id": number})["network"]
    visitor = visit()
    page: Page = visitor.page
    page.goto(f"/networks/{int(made['id'].removeprefix('net-'))}/")
    expect(stands(page, "active")).to_be_visible(timeout=LONG)
    source = page.get_by_label("From")
    page.get_by_label("Action").select_option("deny")
    source.fill("172.16.0.")
    ask(alma, f"/v1/networks/{made['id']}/firewall-rules", {"action": "allow", "protocol": "udp", "port": 53})
    rule = page.locator("#network tbody tr").filter(has_text="udp")
    expect(rule).to_be_visible(timeout=LONG)
    expect(source).to_have_value("172.16.0.")
    expect(source).to_be_focused()
    expect(page.get_by_label("Action")).to_have_value("deny")

    # what is selected inside the part that changes is not swapped; a pill says that there is more
    rule.get_by_text("53").dblclick()
    ask(alma, f"/v1/networks/{made['id']}", {"vlan_id": number + 1}, method="PUT")
    pill = page.locator("#live-pill")
    expect(pill).to_be_visible(timeout=LONG)
    expect(page.locator("#network dl")).to_contain_text(str(number))
    page.evaluate("getSelection().removeAllRanges()")
    expect(page.locator("#network dl")).to_contain_text(str(number + 1), timeout=LONG)
    expect(pill).to_have_count(0)
    expect(source).to_have_value("172.16.0.")
    assert visitor.unsaid() == []
    source.fill("")
    page.get_by_label("Action").select_option("allow")

    # the list keeps what is typed into its search, and the tray that is open stays open
    page.goto("/networks/")
    page.locator("#tray > summary").click()
    with alma.client() as client:
        assert client.delete(f"/v1/networks/{made['id']}").status_code == 200
    row = page.locator("#network-list tbody tr").filter(has_text=name)
    expect(row).to_have_count(0, timeout=LONG)
    expect(page.locator("#tray")).to_have_attribute("open", "")
    expect(page.locator("#tray-live")).to_contain_text(f"Remove network {name}")
