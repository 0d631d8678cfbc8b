"""The pages of keys: made once, shown once, ended for good."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from alma.accounts.keys import resolve
from alma.accounts.models import ApiKey
from alma.accounts.scopes import ADMIN, CI, INFERENCE, PRESETS, READ, SERVICE, in_words
from alma.errors import NotAuthenticated
from alma.events.models import Event
from tests.factories.accounts import make_key, make_organization, make_user, sign_in

pytestmark = pytest.mark.django_db

FORM = {"name": "ci", "preset": "read", "lane": "live", "days": "90", "acts_for": "organization"}
SECRET = re.compile(r"alm_(?:live|test)_[0-9a-f]{48}")


@pytest.fixture
def browser(client: Client) -> Client:
    return sign_in(client, make_user("admin", username="ana"))


def made(browser: Client, **changes: Any) -> Any:
    return browser.post("/settings/keys/new/", {**FORM, **changes})


def secret_in(answer: Any) -> str:
    return SECRET.findall(answer.content.decode())[0]


@pytest.mark.parametrize(
    ("preset", "scopes"), [("management", SERVICE), ("inference", INFERENCE), ("ci", CI), ("read", READ)]
)
def test_presets(browser: Client, preset: str, scopes: frozenset[str]) -> None:
    actor = resolve(secret_in(made(browser, preset=preset)))
    assert actor.scopes == scopes == PRESETS[preset]
    assert (actor.label, actor.user, actor.lane) == ("ci", None, "live")


def test_presets_never_approve_nor_administrate() -> None:
    assert "ipr:review" not in CI | READ | INFERENCE
    assert not {"admin:read", "admin:write", "ipr:breakglass"} & (SERVICE | CI | READ | INFERENCE)


def test_rights_one_by_one_for_the_sandbox_and_for_oneself(browser: Client) -> None:
    answer = made(
        browser, preset="chosen", scopes=["vm:read", "ipr:write"], lane="test", acts_for="me", days="30",
        description="for the pipeline",
    )  # fmt: skip
    secret = secret_in(answer)
    actor, key = resolve(secret), ApiKey.objects.get()
    assert secret.startswith("alm_test_")
    assert (actor.scopes, actor.lane, actor.label) == ({"vm:read", "ipr:write"}, "test", "ci")
    assert actor.user is not None
    assert (key.description, key.created_by, key.owner) == ("for the pipeline", "ana", actor.user)
    assert key.expires_at is not None
    assert timedelta(days=29) < key.expires_at - timezone.now() <= timedelta(days=30)


def test_a_key_may_last_for_ever(browser: Client) -> None:
    made(browser, days="")
    assert ApiKey.objects.get().expires_at is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "Give it a name."),
        ({"name": "a" * 101}, "at most 100"),
        ({"name": "taken"}, "A key of this name works already."),
        ({"preset": "chosen"}, "Tick at least one right."),
        ({"preset": "chosen", "scopes": ["world:rule"]}, "world:rule"),
        ({"preset": "chosen", "scopes": ["admin:write"]}, "admin:write"),
        ({"preset": "everything"}, "not one of the available choices"),
        ({"days": "9999"}, "not one of the available choices"),
    ],
    ids=str,
)
def test_what_the_form_refuses(browser: Client, changes: dict[str, Any], words: str) -> None:
    make_key(name="taken")
    answer = made(browser, **changes)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert words in page
    assert "Nothing was saved yet" in page
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize("changes", [{"preset": "chosen", "scopes": ["ipr:breakglass"]}, {"name": "a\u202eb"}])
def test_what_the_service_refuses(browser: Client, changes: dict[str, Any]) -> None:
    assert made(browser, **changes).status_code in {403, 422}
    assert not ApiKey.objects.exists()


def test_a_form_that_is_sent_twice_makes_one_key(browser: Client) -> None:
    assert made(browser).status_code == 200
    assert made(browser).status_code == 422
    assert ApiKey.objects.count() == 1
    ApiKey.objects.get().revoke()
    assert made(browser).status_code == 200


def test_the_form_offers_only_what_one_has(browser: Client) -> None:
    page = browser.get("/settings/keys/new/").content.decode()
    for scope, is_held in (("vm:write", True), ("ipr:breakglass", False)):
        box = re.search(rf'<input[^>]*value="{scope}"[^>]*>', page)
        assert box is not None
        assert ("disabled" not in box.group()) is is_held
    assert "ipr:breakglass" not in ADMIN


def test_the_secret_is_on_one_page_only(browser: Client) -> None:
    answer = made(browser)
    secret = secret_in(answer)
    assert "no-store" in answer["Cache-Control"]
    assert answer.content.decode().count(secret) == 1
    token_id = ApiKey.objects.get().token_id
    for path in ("/settings/keys/", "/settings/keys/new/", f"/settings/keys/{token_id}/revoke/", "/"):
        page = browser.get(path).content.decode()
        assert secret not in page
        assert secret[12:] not in page


def test_what_is_told(browser: Client) -> None:
    secret = secret_in(made(browser))
    key = ApiKey.objects.get()
    browser.post(f"/settings/keys/{key.token_id}/revoke/")
    told = Event.objects.of(f"organization:{key.organization_id}")
    assert [(event.kind, event.actor) for event in told] == [("key.created", "ana"), ("key.revoked", "ana")]
    assert told[0].data["scopes"] == sorted(READ)
    assert told[0].data["token_id"] == key.token_id
    assert secret[12:] not in str([event.data for event in told])


# -- list and revocation --------------------------------------------------------------------------
def test_the_list_says_what_one_has_to_know(browser: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    soon, _ = make_key(name="soon", expires_at=timezone.now() + timedelta(days=3), lane="test")
    ended, _ = make_key(name="ended")
    ended.revoke()
    make_key(name="expired", expires_at=timezone.now() - timedelta(days=1))
    make_key(name="foreign", organization=make_organization("other"))
    ApiKey.objects.filter(pk=soon.pk).update(last_used_at=timezone.now(), last_used_from="203.0.113.7")
    page = browser.get("/settings/keys/").content.decode()
    for words in ("soon", soon.prefix, "Expiring", "make another in time", "203.0.113.7", "Revoked", ">test<"):
        assert words in page
    assert "foreign" not in page
    assert page.index("soon") < page.index("expired") < page.index("ended")
    assert f"/settings/keys/{ended.token_id}/revoke/" not in page
    counts = []
    for _ in range(2):
        with django_assert_num_queries(6) as queries:
            browser.get("/settings/keys/")
        counts.append(len(queries))
        make_key(owner=make_user())
        make_key()
    assert counts[0] == counts[1]


def test_revoking_says_what_breaks_and_holds_at_once(browser: Client) -> None:
    key, secret = make_key(name="pipeline")
    assert resolve(secret)
    browser.post("/settings/keys/new/", {**FORM})
    Event.objects.update(actor="pipeline")
    path = f"/settings/keys/{key.token_id}/revoke/"
    page = browser.get(path).content.decode()
    assert "<dd>1</dd>" in page
    assert "Everything but managing members" in page
    assert ApiKey.objects.get(pk=key.pk).state == "active"
    assert browser.post(path).url == "/settings/keys/"
    with pytest.raises(NotAuthenticated):
        resolve(secret)
    assert "was revoked" in browser.get(path).content.decode()


def test_a_foreign_key_is_not_there(browser: Client) -> None:
    foreign, secret = make_key(organization=make_organization("other"))
    for token_id in (foreign.token_id, "tok_0000000000000000", "x"):
        assert browser.post(f"/settings/keys/{token_id}/revoke/").status_code == 404
    assert resolve(secret)


@pytest.mark.parametrize(
    ("scopes", "words"),
    [
        (frozenset(), "nothing"),
        (frozenset({"vm:read"}), "read machines"),
        (frozenset({"vm:read", "vm:write", "ipr:read", "ipr:write", "job:read"}), "read IPRs, write IPRs, read jobs and 2 more"),
        (READ, "read everything"),
    ],
)  # fmt: skip
def test_rights_in_words(scopes: frozenset[str], words: str) -> None:
    assert in_words(scopes) == words
