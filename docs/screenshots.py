"""Take the README's pictures of a running `make up`: sign in, approve and deploy what waits there, and look at it.

python docs/screenshots.py [data directory]
"""

import json
import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DESKTOP, PHONE = ViewportSize(width=1280, height=860), ViewportSize(width=390, height=844)


def chromium() -> str:
    """The browser to use."""
    named = os.environ.get("ALMA_CHROMIUM")
    return named or next(path for name in BROWSERS if (path := shutil.which(name)))


def signed_in(browser: Browser, known: dict[str, str], viewport: ViewportSize, *, dark: bool = False) -> Page:
    """A page of somebody who has signed in."""
    context = browser.new_context(viewport=viewport, device_scale_factor=2, color_scheme="dark" if dark else "light")
    page = context.new_page()
    page.goto(f"{known['url']}/login/")
    page.fill("input[name=username]", known["username"])
    page.fill("input[name=password]", known["password"])
    page.click("button[type=submit]")
    page.wait_for_url(f"{known['url']}/")
    return page


def take(page: Page, name: str, path: str) -> None:
    """One picture of a page at rest."""
    page.goto(path)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / f"{name}.png")


def deploy(page: Page, known: dict[str, str], ipr: int) -> str:
    """Approve and deploy over the API; the page of the deployment."""
    headers = {"X-API-Key": known["api_key"]}
    base = f"{known['url']}/api/v1/ipr/{ipr}"
    page.request.post(f"{base}/review", headers=headers, data={"action": "approve", "reviewer": "ops-team"})
    answer = page.request.post(f"{base}/deploy", headers=headers, data={"engine": "proxmox", "dry_run": False})
    if not answer.ok:
        raise SystemExit(f"The deployment was refused: {answer.text()}")
    return f"{known['url']}/deployments/{answer.json()['deployment_id']}/"


def main() -> None:
    """All pictures, in an order in which each page has something to show."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "var"
    known = json.loads((folder / "bootstrap.json").read_text())
    url = known["url"]
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = signed_in(browser, known, DESKTOP)
        take(page, "ipr", f"{url}/iprs/1/")
        take(page, "blueprint", f"{url}/blueprints/1/edit/")
        take(signed_in(browser, known, PHONE, dark=True), "phone", f"{url}/iprs/1/")
        live = deploy(page, known, 1)
        page.goto(live)
        page.wait_for_timeout(4_000)
        page.screenshot(path=IMAGES / "deployment.png")
        take(page, "mission", f"{url}/mission-control/")
        page.goto(live)
        page.locator("#run-head[data-page-state=completed]").wait_for(timeout=120_000)
        take(page, "home", f"{url}/")
        browser.close()


if __name__ == "__main__":
    main()
