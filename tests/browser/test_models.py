"""The library in real Chromium: a model is downloaded while it is watched and workers die, looked for, and deleted."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor
from tests.instances.library.hub import REPO, Hub
from tests.processes.alma import Alma

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.timeout(600)]
LONG = 90_000
PATH = f"{REPO}/tiny-Q4_0.gguf"


def forgive_refusal(visitor: Visitor) -> None:
    """A form that is answered with 422 is what the test wanted; the browser tells of it as of an error, a moment later."""
    while not visitor.complaints:
        visitor.page.wait_for_timeout(50)
    assert [line for line in visitor.complaints if "422" not in line] == []
    visitor.complaints.clear()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_model_comes_while_it_is_watched_and_goes_again(alma: Alma, hub: Hub, visit: Visit, width: int) -> None:
    place = Path(alma.folder, "data", "models", PATH)
    visitor = visit(width=width)
    page: Page = visitor.page
    page.goto("/models/")
    page.get_by_text("Download a model").click()
    page.get_by_label("Repository").fill("nonsense")
    page.get_by_role("button", name="Download", exact=True).click()
    expect(page.get_by_text("repo must read like org/model")).to_be_visible()
    expect(page.get_by_label("Repository")).to_have_value("nonsense")
    forgive_refusal(visitor)

    hub.slow.clear()
    hub.is_slow = True
    page.get_by_label("Repository").fill(f"{REPO}:Q4_0")
    page.get_by_role("button", name="Download", exact=True).click()
    row = page.locator("#models li").filter(has_text=f"{REPO}:Q4_0").first
    expect(row.get_by_text("tiny-Q4_0.gguf")).to_be_visible(timeout=LONG)
    assert visitor.unsaid() == []
    assert not visitor.is_too_wide()
    assert alma.kill("worker") >= 2
    hub.is_slow = False
    hub.slow.set()

    found = page.locator(f'#models tr[data-model="{PATH}"]')
    expect(found).to_be_visible(timeout=LONG)
    expect(found.get_by_text("Yes")).to_be_visible()
    expect(row.get_by_text("completed", exact=False)).to_be_visible(timeout=LONG)
    assert place.read_bytes() == hub.files["tiny-Q4_0.gguf"]
    assert visitor.unsaid() == []
    assert not visitor.is_too_wide()
    page.get_by_role("searchbox", name="Search models").fill("no such model")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    page.get_by_role("searchbox", name="Search models").fill("q4_0 tiny")
    found.get_by_role("link", name="Delete").click()
    page.get_by_role("link", name="Keep it").click()
    page.locator(f'#models tr[data-model="{PATH}"]').get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete the model").click()
    expect(page.get_by_text(f"{PATH} is deleted.")).to_be_visible()
    assert not place.exists()
    assert not visitor.is_too_wide()
