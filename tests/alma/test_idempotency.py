"""Idempotency-Key: one effect and one answer for a POST, however often and however concurrently it is sent."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from alma.api.idempotency import TRIES, Claim, sweep
from alma.api.models import HOLD, KEEP, KeptAnswer
from blueprints.models import Blueprint
from tests.alma.dialect_site import EFFECTS, FAMILIES
from tests.concurrency import together
from tests.factories.accounts import PASSWORD, make_key, make_organization, make_user
from tests.factories.blueprints import make_document

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.alma.dialect_site")]
URL = FAMILIES["proxmox"][1]
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _fresh() -> None:
    EFFECTS.clear()
    make_organization()


def send(client: Client, key: str = "k1", body: Any = None, url: str = URL, **headers: str) -> Any:
    """A POST under a key."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = json.dumps({"name": "web"} if body is None else body)
    return client.post(url, data, content_type="application/json", headers={"Idempotency-Key": key, **named})


def make_older(by: timedelta) -> None:
    KeptAnswer.objects.update(claimed_at=F("claimed_at") - by)


def code_of(response: Any) -> str:
    return response.json()["error"]["details"].get("reason") or response.json()["error"]["code"]


# -- one effect, one answer -----------------------------------------------------------------------
@pytest.mark.parametrize("family", FAMILIES)
def test_the_answer_is_given_again(client: Client, family: str) -> None:
    url = FAMILIES[family][1]
    first, second = send(client, url=url), send(client, url=url)
    assert len(EFFECTS) == 1
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert first.status_code == 201
    for name in ("Location", "Content-Type", "Allow", "Vary"):
        assert second[name] == first[name]
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert second["X-Request-ID"] != first["X-Request-ID"]


def test_without_a_key_nothing_is_kept(client: Client) -> None:
    for _ in range(2):
        client.post(URL, "{}", content_type="application/json")
    assert len(EFFECTS) == 2
    assert not KeptAnswer.objects.exists()


def test_the_routes_that_alma_ships_honour_it(client: Client) -> None:
    key = make_key()[1]
    answers = [send(client, body=make_document(), url="/api/v1/blueprints", X_API_Key=key) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert Blueprint.objects.count() == 1


def test_the_trailing_slash_is_the_same_route(client: Client) -> None:
    assert send(client, url=f"{URL}/").json()["data"] == send(client).json()["data"] == {"effect": 1}


# -- what a key is bound to -----------------------------------------------------------------------
def test_another_body_or_query_is_refused(client: Client) -> None:
    send(client)
    for response in (send(client, body={"name": "db"}), send(client, body={}), send(client, url=f"{URL}?force=1")):
        assert (response.status_code, code_of(response)) == (422, "idempotency_key_reused")
    assert len(EFFECTS) == 1
    assert send(client)["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("family", FAMILIES)
def test_statuses_are_those_of_the_header_in_every_family(client: Client, family: str) -> None:
    url = FAMILIES[family][1]
    send(client, url=url)
    assert send(client, body={}, url=url).status_code == 422
    KeptAnswer.objects.update(http_status=None)
    running = send(client, url=url)
    assert (running.status_code, running["Retry-After"]) == (409, "1")


def test_another_route_is_another_request(client: Client) -> None:
    send(client)
    assert send(client, url=FAMILIES["alumia"][1]).json() == {"success": True, "data": {"effect": 2}}


def test_another_actor_is_another_request(client: Client) -> None:
    """Keys, people and strangers: nobody is given the answer of somebody else."""
    organization = make_organization("other")
    people = [make_user("admin"), make_user("admin")]
    answers = [
        send(client),
        send(client, X_API_Key=make_key()[1]),
        send(client, X_API_Key=make_key()[1]),
        send(client, X_API_Key=make_key(organization=organization)[1]),
    ]
    for person in people:
        browser = Client()
        browser.force_login(person)
        answers.append(send(browser))
    answers.append(send(Client(REMOTE_ADDR="10.0.0.9")))
    assert [answer.json()["data"]["effect"] for answer in answers] == list(range(1, len(answers) + 1))


def test_a_key_that_was_revoked_is_given_nothing_again(client: Client) -> None:
    row, secret = make_key()
    assert send(client, X_API_Key=secret).status_code == 201
    row.revoke()
    response = send(client, X_API_Key=secret)
    assert response.status_code == 401
    assert "Idempotency-Replayed" not in response


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "\u00e9", "a\tb"])
def test_keys_that_are_none(client: Client, key: str) -> None:
    response = send(client, key)
    assert (response.status_code, code_of(response)) == (400, "invalid_idempotency_key")
    assert EFFECTS == []


def test_the_longest_key(client: Client) -> None:
    assert send(client, "x" * 255).status_code == 201


# -- what is not kept -----------------------------------------------------------------------------
def test_a_refusal_changes_nothing_and_frees_the_key(client: Client) -> None:
    assert send(client, body={"refuse": True}).status_code == 422
    assert not KeptAnswer.objects.exists()
    assert send(client).status_code == 201


def test_a_fault_frees_the_key() -> None:
    client = Client(raise_request_exception=False)
    assert send(client, body={"break": True}).status_code == 500
    assert not KeptAnswer.objects.exists()


def test_what_is_refused_at_the_door_claims_nothing(client: Client) -> None:
    for url in (f"{URL}/raises/NotFound", f"{URL}/one", f"{URL}/nothing"):
        assert send(client, url=url).status_code in {401, 404, 405}
    assert send(client, X_API_Key="wrong").status_code == 401
    assert not KeptAnswer.objects.exists()


def test_streams_are_not_kept(client: Client) -> None:
    for _ in range(2):
        response = send(client, url=f"{URL}/stream")
        assert response.streaming
        assert "Idempotency-Replayed" not in response
    assert EFFECTS == ["streamed", "streamed"]
    assert not KeptAnswer.objects.exists()


@pytest.mark.parametrize("method", ["get", "delete"])
def test_other_methods_have_no_use_for_it(client: Client, method: str) -> None:
    getattr(client, method)(f"{URL}/one", headers={"Idempotency-Key": "k1"})
    assert not KeptAnswer.objects.exists()


# -- time -----------------------------------------------------------------------------------------
def test_while_it_runs_others_are_refused(client: Client) -> None:
    send(client)
    KeptAnswer.objects.update(http_status=None)
    response = send(client)
    assert (response.status_code, code_of(response)) == (409, "idempotency_key_in_use")
    assert len(EFFECTS) == 1


def test_a_request_whose_process_died_gives_its_key_free(client: Client) -> None:
    send(client)
    KeptAnswer.objects.update(http_status=None, holder="of the dead")
    make_older(HOLD - MINUTE / 6)
    assert send(client).status_code == 409
    make_older(MINUTE / 3)
    assert send(client).json()["data"] == {"effect": 2}
    assert send(client)["Idempotency-Replayed"] == "true"


def test_who_was_taken_for_dead_leaves_no_trace(client: Client) -> None:
    send(client)
    row = KeptAnswer.objects.get()
    late = Claim(row.digest, "of the dead")
    late.give_up()
    late.settle(client.get(f"{URL}/one"))
    KeptAnswer.objects.update(http_status=None)
    late.give_up()
    late.settle(client.get(f"{URL}/one"))
    assert KeptAnswer.objects.get().http_status is None
    assert KeptAnswer.objects.get().body == row.body


def test_answers_are_kept_for_a_day(client: Client) -> None:
    send(client)
    make_older(KEEP - MINUTE)
    assert sweep() == 0
    assert send(client)["Idempotency-Replayed"] == "true"
    make_older(2 * MINUTE)
    assert send(client).json()["data"] == {"effect": 2}
    make_older(KEEP + MINUTE)
    assert sweep() == 1
    assert not KeptAnswer.objects.exists()


def test_the_sweep_is_a_chore_of_the_reconciler() -> None:
    assert ("alma.api.idempotency.sweep", 600) in django_settings.ALMA_CHORES


def test_the_clock_of_this_machine_does_not_matter(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    real = timezone.now
    send(client)
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(days=2))
    assert sweep() == 0


def test_a_key_that_is_given_up_all_the_time_is_not_waited_for(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = KeptAnswer.objects.none()
    monkeypatch.setattr("alma.api.idempotency.KeptAnswer.objects.filter", lambda **_: rows)
    assert send(client).status_code == 409
    assert TRIES == 3


# -- what lies in the database --------------------------------------------------------------------
def test_neither_answers_nor_keys_nor_passwords_lie_open(client: Client) -> None:
    send(client, "my-very-own-key", {"name": "s3cr3t-canary"})
    row = KeptAnswer.objects.values().get()
    stored = repr(row)
    for secret in ("effect", "s3cr3t-canary", "my-very-own-key"):
        assert secret not in stored


def test_an_answer_under_a_secret_key_that_is_gone(client: Client, settings: Settings) -> None:
    send(client)
    row = KeptAnswer.objects.get()
    before = settings.SECRET_KEY
    settings.SECRET_KEY = "another " * 8
    assert send(client).status_code == 422  # the fingerprint is keyed as well
    settings.SECRET_KEY = before
    KeptAnswer.objects.update(body="gAAAAA-not-sealed-here")
    assert send(client).status_code == 503
    KeptAnswer.objects.update(body=row.body)
    assert send(client)["Idempotency-Replayed"] == "true"


# -- at the same time -----------------------------------------------------------------------------
def test_fifty_at_once_have_one_effect() -> None:
    answers = together(50, lambda _: send(Client()))
    assert len(EFFECTS) == 1
    by_status = {status: [a for a in answers if a.status_code == status] for status in (201, 409)}
    assert len(by_status[201]) + len(by_status[409]) == 50
    fresh = [answer for answer in by_status[201] if "Idempotency-Replayed" not in answer]
    assert len(fresh) == 1
    assert {answer.content for answer in by_status[201]} == {fresh[0].content}
    assert KeptAnswer.objects.count() == 1
    assert send(Client()).content == fresh[0].content


def test_fifty_at_once_make_one_blueprint() -> None:
    key = make_key()[1]
    document = make_document()
    together(50, lambda _: send(Client(), body=document, url="/api/v1/blueprints", X_API_Key=key))
    assert Blueprint.objects.count() == 1


def test_twenty_find_a_dead_holder_and_one_takes_over() -> None:
    send(Client())
    KeptAnswer.objects.update(http_status=None, holder="of the dead")
    make_older(HOLD + MINUTE)
    together(20, lambda _: send(Client()))
    assert len(EFFECTS) == 2


def test_a_session_is_an_actor_as_well() -> None:
    person = make_user("admin")
    client = Client()
    assert client.login(username=person.username, password=PASSWORD)
    assert send(client).content == send(client).content
    assert len(EFFECTS) == 1
