"""Somebody who has signed in, in a window of their own."""

from typing import Literal

from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.processes.alma import Alma

NAMELESS = """
() => {
  const said = (node) => node.getAttribute("aria-label") || node.getAttribute("aria-labelledby") || node.labels?.length
    || (/^(A|BUTTON|SUMMARY)$/i.test(node.nodeName) && (node.textContent.trim() || node.querySelector("[role=img][aria-label]")));
  const nodes = [...document.querySelectorAll("a[href], button, summary, select, textarea, input:not([type=hidden])")];
  const nameless = nodes.filter((node) => !node.hidden && !said(node)).map((node) => node.outerHTML.slice(0, 120));
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map((node) => Number(node.nodeName[1]));
  const jumps = levels.filter((level, place) => level > (levels[place - 1] ?? 0) + 1).map((level) => `a heading jumps to h${level}`);
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  const twice = ids.filter((id, place) => ids.indexOf(id) !== place).map((id) => `two elements have the id ${id}`);
  return [...nameless, ...jumps, ...twice, ...(levels.filter((level) => level === 1).length === 1 ? [] : ["not one h1"])];
}
"""
PATIENCE = 15_000
"""Milliseconds that a condition is waited for on a loaded machine."""


class Visitor:
    """A signed-in person, with everything that the browser complained about."""

    def __init__(
        self, browser: Browser, alma: Alma, *, name: str = "admin", password: str = "", width: int = 1280,
        scheme: Literal["light", "dark"] = "light",
    ) -> None:  # fmt: skip
        self.context = browser.new_context(
            base_url=alma.url, viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        self.context.set_default_timeout(PATIENCE)
        self.width = width
        self.complaints: list[str] = []
        self.page: Page = self.context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto("/login/")
        self.page.get_by_label("User name").fill(name)
        self.page.get_by_label("Password", exact=True).fill(password or alma.secrets["password"])
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page).to_have_url(f"{alma.url}/")
        expect(self.page.locator("html.js")).to_be_attached()  # before that, keys are heard by nobody

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def is_too_wide(self) -> bool:
        """Whether the page can be scrolled sideways."""
        return int(self.page.evaluate("document.documentElement.scrollWidth")) > self.width

    def unsaid(self) -> list[str]:
        """What a screen reader would stumble over: controls without a name, headings out of order, ids given twice."""
        found: list[str] = self.page.evaluate(NAMELESS)
        return found
