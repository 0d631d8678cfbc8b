"""The queue and the limits over the API."""

from typing import Any

import pytest
from django.test import Client

from alma.events.models import Event
from instances.models import Instance, Limit
from tests.factories.accounts import make_key, make_organization
from tests.factories.instances import make_instance
from tests.factories.routing import make_router, make_waiter

pytestmark = pytest.mark.django_db
QUEUE, LIMITS = "/api/v1/queue", "/api/v1/limits"
NOT_ONE: dict[str, Any] = {"limit": 16, "running": 0, "groups": {}}


@pytest.fixture
def client() -> Client:
    return Client(headers={"Authorization": f"Bearer {make_key()[1]}"})


def put(client: Client, body: Any) -> Any:
    return client.put(LIMITS, data=body, content_type="application/json")


def test_line_is_shown_in_its_order(client: Client, django_assert_max_num_queries) -> None:
    one, two, router = make_instance("one", last_starts=[2, 9, 4]), make_instance("two"), make_router()
    for name, seconds in (("late", 1), ("first", 30), ("next", 2)):
        make_waiter(one, router, seconds=seconds, request_id=name, label="ana's key")
    make_waiter(two, router, request_id="other")
    make_waiter(make_instance(organization=make_organization("else")), router, request_id="theirs")
    with django_assert_max_num_queries(8):
        rows = client.get(QUEUE).json()
    assert [(row["instance"], row["position"], row["request_id"], row["estimate_seconds"]) for row in rows] == [
        ("one", 1, "first", 4.0), ("one", 2, "next", 4.0), ("one", 3, "late", 4.0), ("two", 1, "other", None),
    ]  # fmt: skip
    assert rows[0]["key"] == "ana's key"
    assert 30 <= rows[0]["waited_seconds"] < 40
    assert type(rows[0]["deadline"]) is int
    page = client.get(f"{QUEUE}?skip=1&limit=2").json()
    assert [(row["request_id"], row["position"]) for row in page] == [("next", 2), ("late", 3)]
    assert client.get(f"{QUEUE}?limit=0").status_code == 400


def test_limits_are_shown_and_changed(client: Client, settings) -> None:
    settings.ALMA_INSTANCE_GROUPS = {"small": 4}
    assert client.get(LIMITS).json() == {**NOT_ONE, "groups": {"small": {"limit": 4, "running": 0}}}
    make_instance(group="big", wanted=Instance.Wish.RUNNING)
    changed = put(client, {"limit": 3, "groups": {"big": 1, "small": 9}})
    assert (changed.status_code, changed.json()) == (200, {
        "limit": 3, "running": 1,
        "groups": {"big": {"limit": 1, "running": 1}, "small": {"limit": 4, "running": 0}},
    })  # fmt: skip
    assert put(client, {"groups": {"big": None}}).json()["limit"] == 3
    assert put(client, {"limit": None, "groups": {"small": None}}).json() == {
        "limit": 16, "running": 1, "groups": {"small": {"limit": 4, "running": 0}},
    }  # fmt: skip
    assert put(client, {"limit": 500}).json()["limit"] == 16  # the installation's is never exceeded
    assert Event.objects.filter(kind="instance.limits_changed").count() == 4


@pytest.mark.parametrize(
    "body",
    [{"limit": 0}, {"limit": True}, {"limit": "3"}, {"groups": {"big": 0}}, {"groups": {"x" * 51: 1}}, {"groups": []},
     {"most": 3}, [], {"groups": {f"g{number}": 1 for number in range(101)}}, {"groups": {"big": -1}}],
    ids=lambda body: str(body)[:30],
)  # fmt: skip
def test_limit_that_cannot_be(client: Client, body: Any) -> None:
    answer = put(client, body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert not Limit.objects.exists()


def test_limit_of_a_group_holds_for_people_as_well(client: Client) -> None:
    """Weak point 2: llamactl asks no limit when somebody starts by hand, and answers every failure as if it had."""
    put(client, {"groups": {"big": 1}})
    body = {"model": "x.gguf", "group": "big"}
    assert client.post("/api/v1/instances/one", body, content_type="application/json").status_code == 201
    second = client.post("/api/v1/instances/two", body, content_type="application/json")
    assert (second.status_code, second.json()) == (
        409,
        {"error": "At most 1 instance can run at a time in the group big, and one does."},
    )
    other = client.post(
        "/api/v1/instances/two", {"model": "../x.gguf", "group": "big"}, content_type="application/json"
    )
    assert other.status_code == 400
