"""`/api/v1/auth/keys`: made by people, for all models or some, shown without the secret, revoked."""

from typing import Any

import pytest
from django.test import Client

from alma.accounts.models import ApiKey
from tests.factories.accounts import PASSWORD, make_key, make_organization, make_user
from tests.factories.instances import make_instance

pytestmark = pytest.mark.django_db
KEYS = "/api/v1/auth/keys"


@pytest.fixture
def person() -> Client:
    """Somebody whose program has logged in."""
    boss = make_user(organization=make_organization())
    login = {"username": boss.username, "password": PASSWORD}
    token = Client().post("/api/auth/login", login, content_type="application/json").json()["token"]
    return Client(headers={"Authorization": f"Bearer {token}"})


def make(client: Client, body: Any) -> Any:
    return client.post(KEYS, body, content_type="application/json")


def test_key_from_its_making_to_its_end(person: Client) -> None:
    instances = [make_instance(name, organization=make_organization()) for name in ("one", "two")]
    body = {"name": "chat", "permission_mode": "per_instance", "instance_ids": [instances[0].pk]}
    answer = make(person, body)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (
        made.items()
        >= {"name": "chat", "permission_mode": "per_instance", "expires_at": None, "last_used_at": None}.items()
    )
    key = ApiKey.objects.get(token_id=made["id"])
    assert (key.instances, key.scopes, key.digest) == (["one"], ["inference:use"], ApiKey.digest_of(made["key"]))
    shown = person.get(f"{KEYS}/{made['id']}").json()
    assert shown == {name: value for name, value in made.items() if name != "key"}
    assert person.get(KEYS).json() == [shown]
    assert person.get(f"{KEYS}/{made['id']}/permissions").json() == [
        {"instance_id": instances[0].pk, "instance_name": "one"}
    ]
    assert type(shown["created_at"]) is int
    assert person.delete(f"{KEYS}/{made['id']}").status_code == 204
    assert person.get(KEYS).json() == []


def test_id_is_the_one_that_the_list_of_instances_says(person: Client) -> None:
    row = make_instance("one", organization=make_organization())
    assert [one["id"] for one in person.get("/api/v1/instances").json()] == [row.pk]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"name": "x"}, "permission_mode"),
        ({"name": "x", "permission_mode": "some"}, "permission_mode"),
        ({"name": "", "permission_mode": "allow_all"}, "name"),
        ({"name": "x", "permission_mode": "per_instance"}, "Instance IDs required"),
        ({"name": "x", "permission_mode": "per_instance", "instance_ids": [987_654]}, "987654 does not exist"),
        ({"name": "x", "permission_mode": "allow_all", "expires_at": 5}, "expires_in"),
        ({"name": "x", "permission_mode": "allow_all", "expires_at": 2**40}, "expires_at"),
    ],
    ids=str,
)
def test_wish_that_is_refused(person: Client, body: Any, words: str) -> None:
    answer = make(person, body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert words in answer.json()["error"] and not ApiKey.objects.exists()


def test_keys_make_no_keys_and_see_their_organization_alone(person: Client) -> None:
    foreign, _ = make_key(organization=make_organization("theirs"))
    management = Client(headers={"Authorization": f"Bearer {make_key()[1]}"})
    assert make(management, {"name": "x", "permission_mode": "allow_all"}).status_code == 403
    for path in (f"{KEYS}/{foreign.token_id}", f"{KEYS}/{foreign.token_id}/permissions"):
        assert person.get(path).status_code == 404
    assert person.delete(f"{KEYS}/{foreign.token_id}").status_code == 404


def test_limits_are_set_and_changed(person: Client) -> None:
    bounds = {"requests_per_minute": 60, "requests_at_once": 2, "tokens_per_day": 0, "tokens_per_month": None}
    made = make(person, {"name": "x", "permission_mode": "allow_all", **bounds}).json()
    assert {name: made[name] for name in bounds} == bounds
    address = f"{KEYS}/{made['id']}"
    changed = person.put(address, {"requests_at_once": None, "tokens_per_month": 5}, content_type="application/json")
    after = bounds | {"requests_at_once": None, "tokens_per_month": 5}
    assert (changed.status_code, {name: changed.json()[name] for name in bounds}) == (200, after)
    key = ApiKey.objects.get(token_id=made["id"])
    assert {name: getattr(key, name) for name in bounds} == after
    for body in ({"requests_at_once": 0}, {"tokens_per_day": -1}, {"tokens_per_day": "5"}, {"name": "y"}, []):
        assert person.put(address, body, content_type="application/json").status_code == 400
    management = Client(headers={"Authorization": f"Bearer {make_key()[1]}"})
    assert management.put(address, {}, content_type="application/json").status_code == 403
