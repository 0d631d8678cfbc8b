"""What the design system promises: contrast, size, the content security policy, pages that need no database."""

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from alma.errors import Invalid
from alma.styleguide import styleguide
from alma.templatetags.icons import ICONS

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
FOLDERS = sorted({path.parent for path in TEMPLATES})
CSS = (settings.BASE_DIR / "static" / "app.css").read_text()
TONES = ("ok", "warn", "bad", "run", "neutral")


# -- promises -------------------------------------------------------------------------------------
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(settings.BASE_DIR)))
def test_templates_obey_the_content_security_policy(folder: Path) -> None:
    for path in (path for path in TEMPLATES if path.parent == folder):
        source = path.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)", source), f"inline script in {path}"
        assert not re.search(r"\sstyle\s*=|<style", source), f"inline style in {path}"
        assert not re.search(r"\son[a-z]+\s*=|hx-on|javascript:", source), f"inline handler in {path}"
        assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", source), f"foreign host in {path}"
        assert len(source.splitlines()) < 100, path


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(settings.BASE_DIR)))
def test_templates_name_icons_that_exist(folder: Path) -> None:
    for path in (path for path in TEMPLATES if path.parent == folder):
        assert set(re.findall(r'{% icon "([^"]+)"', path.read_text())) <= set(ICONS), path


def test_static_files_stay_small() -> None:
    assert len(gzip.compress(CSS.encode())) < 40_000
    script = (settings.BASE_DIR / "static" / "app.js").read_bytes()
    assert len(gzip.compress(script)) < 20_000
    assert b"innerHTML = data" not in script
    assert b"eval(" not in script


def tokens() -> dict[str, tuple[str, str]]:
    """Each colour token as (light, dark)."""
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", CSS)
    return {name: (light, dark) for name, light, dark in pairs} | {"on-accent": ("#ffffff", "#ffffff")}


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


GROUNDS = ("canvas", "surface", "raised", "sunken", "hover")
TEXT_PAIRS = [
    *((text, ground) for text in ("text", "text-2", "text-3", "accent-text") for ground in GROUNDS),
    *((tone, f"{tone}-soft") for tone in (*TONES, "replace")),
    *((tone, ground) for tone in (*TONES, "replace") for ground in ("canvas", "surface")),
    ("text", "ok-soft"), ("text", "bad-soft"), ("text-2", "bad-soft"), ("text-3", "run-soft"),
    ("accent-text", "accent-soft"), ("on-accent", "accent"), ("on-accent", "accent-hover"), ("on-accent", "danger"),
]  # fmt: skip


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text_contrast(text: str, ground: str, scheme: int) -> None:
    table = tokens()
    assert contrast(table[text][scheme], table[ground][scheme]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["canvas", "surface", "raised"])
def test_field_border_contrast(ground: str, scheme: int) -> None:
    table = tokens()
    assert contrast(table["line-input"][scheme], table[ground][scheme]) >= 3


# -- pages ----------------------------------------------------------------------------------------
def bare_request(path: str = "/somewhere/") -> HttpRequest:
    """A request that went through no middleware at all: no session, no user."""
    request = RequestFactory().get(path)
    request.request_id = "req-1"  # type: ignore[attr-defined]
    return request


@pytest.mark.parametrize("name", ["400.html", "403.html", "404.html", "500.html", "errors/domain.html"])
def test_error_page_needs_no_database_and_says_the_request_id(name: str) -> None:
    page = render_to_string(name, {"error": Invalid("The name is taken.", details={"name": "taken"})}, bare_request())
    assert page.count("<h1") == 1
    assert "req-1" in page
    assert 'href="/"' in page


def test_500_renders_without_a_request() -> None:
    assert "Something went wrong on our side" in render_to_string("500.html")


def test_error_panel_says_what_why_and_where() -> None:
    error = Invalid("The name <b> is taken.", details={"name": "taken"})
    panel = render_to_string("_shell/_error_panel.html", {"error": error, "request_id": "req-1"})
    assert "The name &lt;b&gt; is taken." in panel
    assert "<code>name</code> taken" in panel
    assert "VALIDATION_ERROR" in panel
    assert "req-1" in panel


def test_styleguide_shows_every_component_with_its_source(db: None) -> None:
    request = bare_request("/styleguide/")
    request.user = AnonymousUser()
    page = styleguide(request).content.decode()
    for path in (settings.BASE_DIR / "templates" / "styleguide").glob("[0-9]*.html"):
        assert f'id="{path.stem.partition("_")[2]}"' in page
    assert page.count("<h1") == 1
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert [name for name in ids if ids.count(name) > 1] == []


@pytest.mark.django_db
def test_login_page_and_its_error(client: Client) -> None:
    assert b"<h1>Sign in</h1>" in client.get("/login/").content
    refused = client.post("/login/", {"username": "nobody", "password": "wrong"})
    assert refused.status_code == 200
    assert b'role="alert"' in refused.content
    assert b'value="nobody"' in refused.content
    assert b"wrong" not in refused.content
