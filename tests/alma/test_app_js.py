"""What app.js promises in a real browser: live parts that never disturb a person, and errors that stay.

The page, its parts and its socket are served from here; the scripts are the real ones."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django_htmx
import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import RequestFactory
from playwright.sync_api import Browser, Page, Route, WebSocketRoute, expect, sync_playwright

from alma.errors import WrongState

pytestmark = [pytest.mark.browser]

HOST = "http://alma.test"
HTMX = Path(django_htmx.__file__).parent / "static" / "django_htmx" / "htmx-2.min.js"
CONFIG = re.search(r'<meta name="htmx-config".*?>', (settings.BASE_DIR / "templates" / "base.html").read_text())
POLICY = "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self' ws://alma.test"


class Site:
    """A one-page site: `part` is what the next request for the live part answers."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.version = 0
        self.asked = 0
        self.sockets: list[WebSocketRoute] = []
        self.heard: list[Any] = []
        self.accepts = True
        self.key = "first"
        self.posted: list[tuple[str, str]] = []
        self.session_ends = False
        self.where = "/part"
        self.unfolded = 0
        self.held: list[Route] | None = None
        page.route("**/*", self.answer)
        page.route_web_socket("**/ws/pages", self.open_socket)

    def open_socket(self, socket: WebSocketRoute) -> None:
        if not self.accepts:
            socket.close()
            return
        self.sockets.append(socket)
        socket.on_message(lambda text: self.heard.append(json.loads(text)))

    def part(self) -> str:
        rows = "".join(f'<li id="row-{n}">{n}</li>' for n in range(self.version % 3 + 1))
        return (
            f'<section id="part" data-live="ipr:1 job:2" hx-get="{self.where}" hx-trigger="alma:changed"><b>{self.version}</b>'
            '<details data-key="more"><summary>More</summary><p>Inside</p></details>'
            f'<p id="words">select me</p><form data-key="{self.key}"><input id="note" name="note" value=""></form><ul>{rows}</ul></section>'
        )

    def answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(HOST)
        if path in {"/app.js", "/htmx.js"}:
            file = HTMX if path == "/htmx.js" else settings.BASE_DIR / "static" / "app.js"
            route.fulfill(path=file, content_type="text/javascript")
        elif path == "/inside":
            self.unfolded += 1
            body = f'<p id="inside" data-live="ipr:1" hx-get="/inside" hx-trigger="alma:changed">{self.unfolded}</p>'
            route.fulfill(body=body, content_type="text/html")
        elif path == "/part" and self.held is not None:
            self.held.append(route)
        elif path in {"/part", "/part?narrow"}:
            self.where = path
            self.asked += 1
            self.version += 1
            route.fulfill(body=self.part(), content_type="text/html")
        elif path == "/save":
            self.posted.append((route.request.post_data or "", route.request.headers.get("x-csrftoken", "")))
            location = "/login/" if self.session_ends else "/"
            route.fulfill(status=302, headers={"Location": location})
        elif path == "/login/":
            body = '<!doctype html><script src="/app.js" defer></script><input type="password"><a href="/">Enter</a>'
            route.fulfill(body=body, content_type="text/html")
        elif path == "/refused":
            error = WrongState("An IPR that is open cannot become deployed.")
            panel = render_to_string("_shell/_error_panel.html", {"error": error, "request_id": "req-7"})
            route.fulfill(status=409, body=panel, content_type="text/html")
        elif path == "/broken":
            headers = {"X-Request-ID": "req-8", "Content-Type": "text/html"}
            route.fulfill(status=500, body="<!doctype html><title>trace</title>", headers=headers)
        elif path == "/":
            headers = {"Content-Type": "text/html", "Content-Security-Policy": POLICY}
            route.fulfill(body=self.document(), headers=headers)
        else:
            route.fulfill(status=404, body="")

    def document(self) -> str:
        assert CONFIG
        blank = render_to_string("_shell/_notice_blank.html")
        keys = render_to_string("_shell/shortcuts.html", request=RequestFactory().get("/"))
        return (
            f'<!doctype html><meta charset="utf-8"><title>Test</title>{CONFIG[0]}<script src="/htmx.js" defer></script>'
            '<script src="/app.js" defer></script><body hx-ext="alma" hx-swap="morph" data-login="/login/">'
            '<span id="live" data-state="static" hidden><span class="live-text"></span></span><div id="notice"></div>'
            f'{self.part()}<button id="refused" hx-get="/refused" hx-target="#part">r</button>'
            '<details id="fold"><summary>F</summary><p id="inside" data-live="ipr:1" hx-get="/inside" hx-trigger="alma:changed">old</p></details>'
            '<button id="narrow" hx-get="/part?narrow" hx-target="#part">n</button>'
            '<button id="broken" hx-get="/broken" hx-target="#part">b</button><a data-shortcut="g d" href="#there">d</a>'
            '<form id="guarded" method="post" action="/save" data-guard><textarea name="words">as it was</textarea>'
            '<input type="hidden" name="csrfmiddlewaretoken" value="old"><button>Save</button></form>'
            '<button id="post" hx-post="/save" hx-swap="none" hx-vals=\'{"csrfmiddlewaretoken": "old"}\'>p</button>'
            '<input data-search aria-label="Search"><button data-set-theme="dark">dark</button>'
            f'<p id="live-text"></p>{keys}<template id="notice-template">{blank}</template>'
        )

    def open(self) -> None:
        self.page.goto(HOST + "/")
        expect(self.page.locator("#live")).to_have_attribute("data-state", "live")
        self.settle(1)

    def settle(self, version: int) -> None:
        expect(self.page.locator("#part b")).to_have_text(str(version))

    def nudge(self, topic: str = "ipr:1") -> None:
        self.sockets[-1].send(json.dumps({"type": "changed", "what": topic, "seq": 1}))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = next(
            (path for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if Path(path).exists()), None
        )
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def site(browser: Browser) -> Iterator[Site]:
    context = browser.new_context()
    page = context.new_page()
    faults: list[object] = []
    page.on("pageerror", lambda fault: faults.append(fault))  # playwright cannot wrap a built-in
    yield Site(page)
    context.close()
    assert faults == []


def test_page_watches_its_topics_and_catches_up_once(site: Site) -> None:
    site.open()
    assert site.heard == [{"action": "watch", "topics": ["ipr:1", "job:2"]}]
    assert site.asked == 1


def test_nudge_refreshes_only_parts_that_list_the_topic(site: Site) -> None:
    site.open()
    site.nudge("ipr:2")
    site.page.wait_for_timeout(500)
    assert site.asked == 1
    site.nudge("job:2")
    site.settle(2)


def test_burst_of_nudges_is_at_most_four_requests_a_second(site: Site) -> None:
    site.open()
    started = time.monotonic()
    for _ in range(40):
        site.nudge()
        site.page.wait_for_timeout(25)
    site.page.wait_for_timeout(600)
    assert 2 <= site.asked - 1 <= 4 * (time.monotonic() - started) + 1


def test_an_answer_that_was_asked_for_before_a_filter_comes_too_late(site: Site) -> None:
    site.open()
    unfiltered, site.held = site.part(), []
    with site.page.expect_request(HOST + "/part"):
        site.nudge()
    site.page.click("#narrow")
    expect(site.page.locator("#part")).to_have_attribute("hx-get", "/part?narrow")
    version = site.version
    site.held[0].fulfill(body=unfiltered, content_type="text/html")
    site.settle(version + 1)
    expect(site.page.locator("#part")).to_have_attribute("hx-get", "/part?narrow")


def test_what_is_folded_is_asked_for_when_it_is_opened(site: Site) -> None:
    site.open()
    site.nudge()
    site.settle(2)
    assert site.unfolded == 0
    site.page.click("#fold summary")
    expect(site.page.locator("#inside")).to_have_text("1")
    site.nudge()
    expect(site.page.locator("#inside")).to_have_text("2")


def test_refresh_keeps_nodes_and_open_details(site: Site) -> None:
    site.open()
    site.page.click("#part summary")
    site.page.evaluate("window.kept = document.querySelector('#part details')")
    site.nudge()
    site.settle(2)
    assert site.page.evaluate("kept.open && kept === document.querySelector('#part details')")
    assert site.page.locator("#part li").all_text_contents() == ["0", "1", "2"]
    site.nudge()
    site.settle(3)
    assert site.page.locator("#part li").all_text_contents() == ["0"]


def test_what_is_typed_waits_under_a_pill_and_survives_it(site: Site) -> None:
    site.open()
    site.page.fill("#part input", "half a thou")
    site.nudge()
    expect(site.page.locator("#live-pill")).to_have_text("1 new · show")
    site.settle(1)
    site.page.click("#live-pill")
    site.settle(2)
    assert site.page.input_value("#part input") == "half a thou"
    expect(site.page.locator("#live-pill")).to_have_count(0)


def test_what_is_typed_survives_a_form_that_is_replaced_under_it(site: Site) -> None:
    site.open()
    site.page.fill("#part input", "half a thou")
    site.key = "second"
    site.nudge()
    site.page.click("#live-pill")
    site.settle(2)
    expect(site.page.locator('#part form[data-key="second"] input')).to_have_value("half a thou")


def test_token_of_a_later_login_is_sent(site: Site) -> None:
    site.open()
    site.page.evaluate("document.cookie = 'csrftoken=new'")
    with site.page.expect_request("**/save"):
        site.page.click("#post")
    with site.page.expect_request("**/save"):
        site.page.click("#guarded button")
    (first, header), (second, _) = site.posted
    assert header == "new"
    assert first == "csrfmiddlewaretoken=new"
    assert second.endswith("csrfmiddlewaretoken=new")


def test_what_was_typed_comes_back_after_signing_in_again(site: Site) -> None:
    site.open()
    site.session_ends = True
    site.page.fill("#guarded textarea", "Precious words")
    site.page.click("#guarded button")
    site.page.get_by_role("link", name="Enter").click()
    expect(site.page.locator("#guarded textarea")).to_have_value("Precious words")
    expect(site.page.locator("#notice")).to_contain_text("it was not sent")
    site.page.on("dialog", lambda dialog: dialog.accept())
    site.page.reload()
    expect(site.page.locator("#guarded textarea")).to_have_value("as it was")


def test_what_was_sent_does_not_come_back(site: Site) -> None:
    site.open()
    site.page.fill("#guarded textarea", "Sent words")
    site.page.click("#guarded button")
    expect(site.page.locator("#guarded textarea")).to_have_value("as it was")
    site.page.goto(HOST + "/login/")
    site.page.get_by_role("link", name="Enter").click()
    expect(site.page.locator("#guarded textarea")).to_have_value("as it was")


def test_deferred_change_arrives_by_itself_once_the_part_is_free(site: Site) -> None:
    site.open()
    site.page.focus("#part input")
    site.nudge()
    expect(site.page.locator("#live-pill")).to_be_visible()
    site.page.focus("[data-search]")
    site.settle(2)
    expect(site.page.locator("#live-pill")).to_have_count(0)


def test_selected_text_is_left_alone(site: Site) -> None:
    site.open()
    site.page.evaluate("getSelection().selectAllChildren(document.querySelector('#words'))")
    site.nudge()
    expect(site.page.locator("#live-pill")).to_be_visible()
    site.settle(1)


def test_error_panel_lands_in_the_notice_and_stays_until_dismissed(site: Site) -> None:
    site.open()
    site.page.click("#refused")
    expect(site.page.locator("#notice .notice-title")).to_have_text("An IPR that is open cannot become deployed.")
    site.nudge()
    site.settle(2)
    expect(site.page.locator("#notice")).to_contain_text("req-7")
    site.page.click("#notice [data-dismiss]")
    expect(site.page.locator("#notice .notice")).to_have_count(0)


def test_fault_without_a_panel_gets_one_with_the_request_id(site: Site) -> None:
    site.open()
    site.page.click("#broken")
    expect(site.page.locator("#notice")).to_contain_text("The server answered 500.")
    expect(site.page.locator("#notice")).to_contain_text("req-8")
    expect(site.page.locator("#part b")).to_have_text("1")


def test_lost_connection_comes_back_and_catches_up(site: Site) -> None:
    site.open()
    site.sockets[-1].close()
    expect(site.page.locator("#live")).to_have_attribute("data-state", "reconnecting")
    expect(site.page.locator("#live")).to_have_attribute("data-state", "live")
    site.settle(2)
    assert len(site.heard) == 2


def test_without_a_socket_the_page_polls(site: Site) -> None:
    site.accepts = False
    site.page.goto(HOST + "/")
    expect(site.page.locator("#live")).to_have_attribute("data-state", "polling", timeout=15_000)
    expect(site.page.locator("#part b")).to_have_text("1", timeout=15_000)


def test_keys_work_outside_fields_only_and_can_be_turned_off(site: Site) -> None:
    site.open()
    site.page.keyboard.press("/")
    expect(site.page.locator("[data-search]")).to_be_focused()
    site.page.keyboard.type("gd")
    assert "#there" not in site.page.url
    site.page.keyboard.press("Escape")
    site.page.keyboard.type("gd")
    assert site.page.url.endswith("#there")
    site.page.keyboard.press("?")
    site.page.uncheck("[data-shortcuts-switch]")
    site.page.keyboard.press("Escape")
    site.page.keyboard.press("/")
    expect(site.page.locator("[data-search]")).not_to_be_focused()


def test_theme_is_kept_in_a_cookie(site: Site) -> None:
    site.open()
    site.page.click("[data-set-theme]")
    assert site.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert "theme=dark" in site.page.evaluate("document.cookie")
