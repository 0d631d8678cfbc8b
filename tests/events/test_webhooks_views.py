"""Pages of webhooks: for administrators in person who signed in lately, and the secret once."""

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from alma.accounts.recent_login import SESSION_KEY
from alma.events.models import Event, Outcome, WebhookDelivery, WebhookEndpoint
from alma.events.services import emit
from alma.events.webhooks import urls
from alma.events.webhooks.forms import initial_of
from alma.events.webhooks.kinds import NAMES
from alma.events.webhooks.services import MOST_ENDPOINTS
from tests.factories.accounts import make_key, make_organization, make_user
from tests.factories.webhooks import URL, make_delivery, make_webhook

pytestmark = pytest.mark.django_db
State = WebhookDelivery.State
LIST = "/settings/webhooks/"
PAGES = [route for route in urls.urlpatterns if str(route.pattern).startswith("settings/")]
NEW = {"url": URL, "description": "Chat", "which": "all"}


def sign_in(client: Client, user: User, *, age: float = 0) -> Client:
    client.force_login(user)
    session = client.session
    session[SESSION_KEY] = int(time.time() - age)
    session.save()
    return client


@pytest.fixture
def site(client: Client) -> Client:
    """An administrator who has just signed in."""
    return sign_in(client, make_user("admin"))


def addresses(delivery: WebhookDelivery) -> Iterator[tuple[str, str]]:
    """Every route of these pages and the method that it is for."""
    numbers = {"<int:pk>": delivery.endpoint_id, "<int:delivery_pk>": delivery.pk}
    posts = {"switch", "test", "redeliver"}
    for route in PAGES:
        path = "/" + str(route.pattern)
        for mark, number in numbers.items():
            path = path.replace(mark, str(number))
        yield ("POST" if route.name in posts else "GET"), path
        if route.name in {"new", "change", "rotate", "delete"}:
            yield "POST", path


def ask(client: Client, method: str, path: str, **headers: Any) -> Any:
    return client.post(path, NEW, **headers) if method == "POST" else client.get(path, **headers)


def snapshot() -> list[Any]:
    return [list(WebhookEndpoint.objects.values()), list(WebhookDelivery.objects.values()), Event.objects.count()]


# -- who ----------------------------------------------------------------------------------------------
def test_every_route_is_asked_for() -> None:
    assert len(list(addresses(make_delivery()))) == len(PAGES) + 4 == 14


@pytest.mark.parametrize("role", ["viewer", "requester", "reviewer", "deployer", "operator", None])
def test_other_roles_are_refused(client: Client, role: str | None) -> None:
    delivery = make_delivery(make_webhook(url="https://canary.example.org/"))
    before = snapshot()
    sign_in(client, make_user(role))
    for method, path in addresses(delivery):
        response = ask(client, method, path)
        assert response.status_code == 403, path
        assert "canary" not in response.content.decode()
    assert snapshot() == before


def test_anonymous_is_sent_to_sign_in(client: Client) -> None:
    delivery = make_delivery()
    for method, path in addresses(delivery):
        assert ask(client, method, path)["Location"].startswith("/login/"), path


def test_a_key_is_refused_whatever_it_may(site: Client) -> None:
    delivery = make_delivery()
    before = snapshot()
    _, secret = make_key(frozenset({"webhook:read", "webhook:write", "admin:read", "admin:write"}))
    for headers in ({"HTTP_X_API_KEY": secret}, {"HTTP_AUTHORIZATION": f"Bearer {secret}"}):
        for client in (Client(), site):
            for method, path in addresses(delivery):
                assert ask(client, method, path, **headers).status_code == 403, path
    assert snapshot() == before


def test_an_old_login_is_asked_for_the_password_first(client: Client, settings: Settings) -> None:
    delivery = make_delivery()
    before = snapshot()
    sign_in(client, make_user("admin"), age=settings.ALMA_RECENT_LOGIN_SECONDS + 1)
    for method, path in addresses(delivery):
        assert ask(client, method, path)["Location"].startswith("/account/confirm/?next="), path
    assert snapshot() == before


def said(response: Any) -> str:
    """What a page says, but for its request id and the numbers of the address that was asked for."""
    return re.sub(r"[0-9a-f]{32}|\d+", "", response.content.decode().partition("<main")[2])


def test_others_webhooks_do_not_exist(client: Client) -> None:
    delivery = make_delivery(make_webhook(url="https://canary.example.org/"))
    before = snapshot()
    sign_in(client, make_user("admin", organization=make_organization("other")))
    for method, path in addresses(delivery):
        response = ask(client, method, path)
        if path in {LIST, f"{LIST}new/"}:
            assert "canary" not in response.content.decode()
            continue
        assert response.status_code == 404, path
        missing = ask(client, method, re.sub(r"/\d+/", "/999999/", path))
        assert (missing.status_code, said(missing)) == (404, said(response)), path
    assert snapshot()[1] == before[1]


def test_a_delivery_is_found_below_its_own_webhook_only(site: Client) -> None:
    delivery, other = make_delivery(), make_webhook()
    assert site.get(f"{LIST}{delivery.endpoint_id}/deliveries/{delivery.pk}/").status_code == 200
    assert site.get(f"{LIST}{other.pk}/deliveries/{delivery.pk}/").status_code == 404


def test_nothing_changes_on_get(site: Client) -> None:
    delivery = make_delivery()
    delivery.move(State.DEAD, last_outcome=Outcome.ERROR)
    before = snapshot()
    for method, path in addresses(delivery):
        assert site.get(path).status_code == (
            200 if method == "GET" or "/new/" in path or path.endswith(("change/", "rotate/", "delete/")) else 405
        )
    assert snapshot() == before


def test_pages_are_kept_by_no_cache(site: Client) -> None:
    assert "no-store" in site.get(LIST)["Cache-Control"]
    assert "no-store" in site.post(f"{LIST}new/", NEW)["Cache-Control"]


def test_forms_need_their_token() -> None:
    strict = sign_in(Client(enforce_csrf_checks=True), make_user("admin"))
    delivery = make_delivery()
    for method, path in addresses(delivery):
        if method == "POST":
            assert strict.post(path, NEW).status_code == 403, path


def test_the_rail_leads_there_for_administrators_alone(client: Client) -> None:
    for role, is_there in (("admin", True), ("operator", False)):
        client.force_login(make_user(role))
        assert ('href="/settings/webhooks/"' in client.get("/iprs/").content.decode()) is is_there


# -- the list -----------------------------------------------------------------------------------------
def test_an_empty_list_leads_to_the_first_one(site: Client) -> None:
    page = site.get(LIST).content.decode()
    assert "No webhooks yet" in page
    assert 'href="/settings/webhooks/new/"' in page


def test_the_list_says_what_is_off_and_why(site: Client) -> None:
    make_delivery(make_webhook(kinds=["vm.created"]))
    make_webhook(url="https://two.example.org/", is_active=False, disabled_reason="It is <gone>.")
    make_webhook(url="https://canary.example.org/", organization=make_organization("other"))
    page = site.get(LIST).content.decode()
    assert "1 kind" in page
    assert "It is &lt;gone&gt;." in page
    assert "canary" not in page


@pytest.mark.parametrize("count", [1, MOST_ENDPOINTS])
def test_the_list_costs_the_same_for_any_number(site: Client, count: int) -> None:
    for _ in range(count):
        make_webhook()
    make_delivery(WebhookEndpoint.objects.first())
    with CaptureQueriesContext(connection) as asked:
        page = site.get(LIST).content.decode()
    assert len([query for query in asked if "webhook" in query["sql"]]) == 1
    assert ("/new/" in page) is (count < MOST_ENDPOINTS)


# -- the form -----------------------------------------------------------------------------------------
def test_adding_shows_the_secret_once(site: Client) -> None:
    response = site.post(f"{LIST}new/", NEW)
    endpoint = WebhookEndpoint.objects.get()
    (secret,) = endpoint.signing_secrets()
    assert response.status_code == 200
    assert response.content.decode().count(secret) == 1
    for path in (LIST, endpoint.get_absolute_url(), f"{endpoint.get_absolute_url()}change/"):
        assert secret not in site.get(path).content.decode()
    assert secret not in str(dict(site.session))


def test_only_these_events(site: Client) -> None:
    site.post(f"{LIST}new/", {**NEW, "which": "some", "kinds": ["vm.created", "ipr.approved"]})
    assert WebhookEndpoint.objects.get().kinds == ["vm.created", "ipr.approved"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"url": "http://127.0.0.1/"}, "not allowed here"),
        ({"url": "https://169.254.169.254/"}, "Requests to this address are not allowed here."),
        ({"url": "file:///etc/passwd"}, "Only https:// and http:// URLs"),
        ({"url": ""}, "This field is required"),
        ({"url": "https://e.org/" + "a" * 2000}, "at most 2000"),
        ({"which": "some"}, "Tick at least one event."),
        ({"which": "some", "kinds": ["vm.exploded"]}, "not one of the available choices"),
        ({"which": ""}, "This field is required"),
        ({"description": "a\x00b"}, "Null characters"),
    ],
)
def test_what_the_form_does_not_take(site: Client, changed: dict[str, Any], words: str) -> None:
    response = site.post(f"{LIST}new/", {**NEW, **changed})
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not WebhookEndpoint.objects.exists()


def test_changing_keeps_what_was_typed(site: Client) -> None:
    endpoint = make_webhook(kinds=["vm.*"], description="Old")
    path = f"{endpoint.get_absolute_url()}change/"
    page = site.get(path).content.decode()
    assert 'value="some" required checked' in page
    assert page.count('" checked>') == sum(name.startswith("vm.") for name in NAMES), "the events of the group"
    response = site.post(path, {**NEW, "url": "https://new.example.org/", "which": "some", "kinds": "job.completed"})
    assert response["Location"] == endpoint.get_absolute_url()
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.kinds, endpoint.description) == (
        "https://new.example.org/",
        ["job.completed"],
        "Chat",
    )
    typed = site.post(path, {**NEW, "url": "nonsense", "description": "Typed"}).content.decode()
    assert 'value="nonsense"' in typed
    assert 'value="Typed"' in typed


@pytest.mark.parametrize(
    ("kinds", "which", "count"), [([], "all", 0), (["*"], "all", len(NAMES)), (["ipr.*"], "some", 12)]
)
def test_groups_are_shown_as_what_is_in_them(kinds: list[str], which: str, count: int) -> None:
    values = initial_of(make_webhook(kinds=kinds))
    assert (values["which"], len(values["kinds"])) == (which, count)


# -- one of them --------------------------------------------------------------------------------------
def test_a_new_secret_is_shown_once_and_the_overlap_is_said(site: Client) -> None:
    endpoint = make_webhook()
    path = f"{endpoint.get_absolute_url()}rotate/"
    assert "24 hours" in site.get(path).content.decode()
    page = site.post(path).content.decode()
    endpoint.refresh_from_db()
    new, old = endpoint.signing_secrets()
    assert new in page
    assert old not in page
    again = site.get(endpoint.get_absolute_url()).content.decode()
    assert "Two secrets sign until" in again
    assert new not in again


def test_a_test_is_sent_and_watched(site: Client) -> None:
    endpoint = make_webhook(kinds=["ipr.*"])
    response = site.post(f"{endpoint.get_absolute_url()}test/")
    delivery = endpoint.deliveries.get()
    assert response["Location"] == f"{endpoint.get_absolute_url()}deliveries/{delivery.pk}/"
    page = site.get(response["Location"]).content.decode()
    assert 'hx-trigger="every 2s"' in page
    assert "This is a test delivery." in page
    delivery.move(State.DELIVERED, last_outcome=Outcome.SUCCESS)
    part = site.get(response["Location"], HTTP_HX_REQUEST="true").content.decode()
    assert part.lstrip().startswith('<section class="stack" id="delivery"')
    assert "every 2s" not in part


def test_off_on_and_what_it_says(site: Client) -> None:
    delivery = make_delivery()
    path = delivery.endpoint.get_absolute_url()
    site.post(f"{path}switch/", {"to": "off"})
    page = site.get(path).content.decode()
    assert "This webhook is off" in page
    assert "Send a test" not in page
    assert "Redeliver" not in page
    assert site.post(f"{path}test/").status_code == 409
    assert site.post(f"{path}deliveries/{delivery.pk}/redeliver/").status_code == 409
    site.post(f"{path}switch/", {"to": "on"})
    assert "Send a test" in site.get(path).content.decode()


def test_redelivering_what_was_given_up(site: Client) -> None:
    delivery = make_delivery()
    delivery.move(State.DEAD, last_outcome=Outcome.TIMEOUT)
    path = delivery.endpoint.get_absolute_url()
    page = site.get(path).content.decode()
    assert "Redeliver" in page
    assert "Too slow" in page
    site.post(f"{path}deliveries/{delivery.pk}/redeliver/")
    delivery.refresh_from_db()
    assert delivery.state == State.PENDING
    assert site.post(f"{path}deliveries/{delivery.pk}/redeliver/").status_code == 409


def test_a_delivery_shows_each_attempt(site: Client) -> None:
    delivery = make_delivery()
    now = timezone.now().isoformat()
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        attempt=2,
        history=[
            {"attempt": 1, "outcome": "interrupted"},
            {"attempt": 2, "outcome": "5xx", "at": now, "took": "1–5 s"},
        ],
    )
    page = site.get(f"{delivery.endpoint.get_absolute_url()}deliveries/{delivery.pk}/").content.decode()
    assert page.index("Receiver&#x27;s error (5xx)") < page.index("Sender was interrupted")
    assert "1–5 s" in page
    assert "&quot;attempt&quot;: 2" in page


def test_the_log_by_state_and_page_by_page(site: Client) -> None:
    endpoint = make_webhook()
    rows = [make_delivery(endpoint, name=f"guest-{number}") for number in range(30)]
    for row in rows[:3]:
        row.move(State.DELIVERED)
    rows[3].move(State.DEAD)
    path = endpoint.get_absolute_url()
    counts = {
        state: site.get(f"{path}?state={state}").context["page"].paginator.count
        for state in ("", "waiting", "delivered", "dead", "nonsense")
    }
    assert counts == {"": 30, "waiting": 26, "delivered": 3, "dead": 1, "nonsense": 30}
    assert len(site.get(f"{path}?page=2").context["page"].object_list) == 5
    assert len(site.get(f"{path}?page=999").context["page"].object_list) == 5
    part = site.get(path, HTTP_HX_REQUEST="true").content.decode()
    assert part.lstrip().startswith('<section class="stack" id="deliveries"')


def test_the_log_looks_again_while_something_is_to_happen(site: Client) -> None:
    webhook = make_webhook()
    page = webhook.get_absolute_url()
    assert "every 2s" not in site.get(page).content.decode()
    delivery = make_delivery(webhook)
    assert "every 2s" in site.get(page).content.decode()
    part = site.get(page, headers={"HX-Request": "true"}).content.decode()
    assert 'id="deliveries"' in part.split(">", 1)[0]
    WebhookDelivery.objects.filter(pk=delivery.pk).update(next_at=timezone.now() + timedelta(hours=2))
    assert "every 2s" not in site.get(page).content.decode()


@pytest.mark.parametrize("count", [1, 25])
def test_the_log_costs_the_same_for_any_number(site: Client, count: int) -> None:
    endpoint = make_webhook()
    for _ in range(count):
        make_delivery(endpoint)
    with CaptureQueriesContext(connection) as asked:
        site.get(endpoint.get_absolute_url())
    assert len([query for query in asked if "webhook" in query["sql"]]) == 3, "the webhook, a count, the rows"


def test_deleting_asks_first(site: Client) -> None:
    endpoint = make_delivery().endpoint
    path = f"{endpoint.get_absolute_url()}delete/"
    assert "turn it off instead" in site.get(path).content.decode()
    assert site.post(path)["Location"] == LIST
    assert not WebhookEndpoint.objects.living().exists()


def test_hostile_text_is_text(site: Client) -> None:
    hostile = "<script>alert(1)</script>"
    delivery = make_delivery(make_webhook(description=hostile), name=hostile, vmid=1)
    path = delivery.endpoint.get_absolute_url()
    for address in (LIST, path, f"{path}change/", f"{path}deliveries/{delivery.pk}/"):
        assert hostile not in site.get(address).content.decode(), address


def test_everybody_sees_on_the_home_page_that_one_was_turned_off(client: Client) -> None:
    endpoint = make_webhook()
    emit(
        endpoint.stream,
        "webhook.disabled",
        organization_id=endpoint.organization_id,
        webhook=endpoint.public_id,
        reason="",
    )
    client.force_login(make_user("viewer"))
    page = client.get("/").content.decode()
    assert "turned off the webhook" in page
    assert endpoint.public_id in page
