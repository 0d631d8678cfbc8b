"""Lists in parts: each family's parameters and figures, and cursors that lose nothing and cannot be made up."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Lower
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alma.accounts.models import ApiKey
from alma.api.keysets import Keyset
from tests.alma.dialect_site import FAMILIES
from tests.factories.accounts import make_key, make_organization, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.alma.dialect_site")]
FIGURES = {
    "total", "limit", "offset", "pages", "current_page", "has_next", "has_previous", "next_cursor", "previous_cursor",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _organization() -> None:
    make_organization()


def listed(client: Client, family: str, query: str = "", path: str = "") -> Any:
    response = client.get(
        f"{FAMILIES[family][1]}{path}", query_params=dict(p.split("=", 1) for p in query.split("&") if p)
    )
    assert response.status_code == 200, response.content
    return response.json()


def proxmox(client: Client, query: str = "", path: str = "", key: str = "notes") -> tuple[list[Any], dict[str, Any]]:
    data = listed(client, "proxmox", query, path)["data"]
    assert set(data) == {key, "pagination"}
    assert set(data["pagination"]) == FIGURES
    return data[key], data["pagination"]


def ids(rows: list[dict[str, int]]) -> list[int]:
    return [row["id"] for row in rows]


# -- each family ----------------------------------------------------------------------------------
@pytest.mark.parametrize("family", ["alma", "llamactl-old", "llamactl", "openai"])
def test_bare_families_give_the_rows_alone(client: Client, family: str) -> None:
    assert ids(listed(client, family)) == [1, 2, 3, 4, 5, 6, 7]
    assert ids(listed(client, family, "skip=2&limit=3")) == [3, 4, 5]
    assert listed(client, family, "skip=100") == []


def test_alumia_gives_items_and_where_they_lie(client: Client) -> None:
    data = listed(client, "alumia", "limit=3")["data"]
    assert set(data) == {"items", "page", "limit", "nextCursor", "hasMore"}
    assert (ids(data["items"]), data["page"], data["limit"], data["hasMore"]) == ([1, 2, 3], 1, 3, True)
    second = listed(client, "alumia", "limit=3&page=2")["data"]
    assert (ids(second["items"]), second["page"], second["hasMore"]) == ([4, 5, 6], 2, True)
    followed = listed(client, "alumia", f"limit=3&cursor={data['nextCursor']}")["data"]
    assert followed == second
    last = listed(client, "alumia", f"limit=3&cursor={second['nextCursor']}")["data"]
    assert (ids(last["items"]), last["page"], last["hasMore"], last["nextCursor"]) == ([7], 3, False, None)


def test_proxmox_gives_the_nine_figures(client: Client) -> None:
    rows, figures = proxmox(client, "limit=3&offset=3")
    assert ids(rows) == [4, 5, 6]
    assert figures.pop("next_cursor")
    assert figures.pop("previous_cursor")
    assert figures == {
        "total": 7, "limit": 3, "offset": 3, "pages": 3, "current_page": 2, "has_next": True, "has_previous": True,
    }  # fmt: skip


def test_proxmox_at_the_ends(client: Client) -> None:
    rows, figures = proxmox(client)
    assert (ids(rows), figures["limit"], figures["pages"], figures["current_page"]) == ([1, 2, 3, 4, 5, 6, 7], 50, 1, 1)
    assert not figures["has_next"]
    assert not figures["has_previous"]
    assert figures["next_cursor"] is figures["previous_cursor"] is None
    rows, figures = proxmox(client, "offset=100")
    assert (rows, figures["has_next"], figures["total"], figures["next_cursor"]) == ([], False, 7, None)


def test_a_cursor_wins_over_an_offset(client: Client) -> None:
    cursor = proxmox(client, "limit=3")[1]["next_cursor"]
    assert ids(proxmox(client, f"limit=3&offset=0&cursor={cursor}")[0]) == [4, 5, 6]


PARAMETERS = {"alma": "skip", "alumia": "page", "proxmox": "offset", "llamactl-old": "skip"}


@pytest.mark.parametrize("family", PARAMETERS)
@pytest.mark.parametrize("value", ["-1", "x", "", "1.5", "1e2", "٣", "10000000000000000000000000000000"])
def test_what_is_no_place_is_refused(client: Client, family: str, value: str) -> None:
    for name in (PARAMETERS[family], "limit"):
        response = client.get(FAMILIES[family][1], query_params={name: value})
        assert response.status_code == 400
        assert name in response.text


@pytest.mark.parametrize("family", FAMILIES)
def test_limits_of_the_limit(client: Client, family: str) -> None:
    for value, status in (("0", 400), ("1", 200), ("200", 200), ("201", 400)):
        assert client.get(FAMILIES[family][1], query_params={"limit": value}).status_code == status


# -- cursors --------------------------------------------------------------------------------------
def make_keys(names: str) -> list[int]:
    organization = make_organization()
    return [ApiKey.mint(organization, name, frozenset())[0].pk for name in names]


def follow(client: Client, query: str, figure: str = "next_cursor") -> list[int]:
    """All rows, page by page, along one figure."""
    found: list[int] = []
    cursor, path = "", "/keys"
    for _ in range(50):
        rows, figures = proxmox(client, f"{query}{cursor}", path, "keys")
        found = found + rows if figure == "next_cursor" else rows + found
        if not figures[figure]:
            return found
        cursor = f"&cursor={figures[figure]}"
    raise AssertionError("no end")


@pytest.mark.parametrize("sort", ["name", "-name", "name,-created_at", "-created_at,name", "-pk"])
@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_cursors_meet_every_row_once(client: Client, sort: str, limit: int) -> None:
    make_keys("bbabaacabb")
    everything = list(ApiKey.objects.order_by(*sort.split(","), "pk").values_list("pk", flat=True))
    assert follow(client, f"sort={sort}&limit={limit}") == everything


def test_back_along_previous_cursors(client: Client) -> None:
    make_keys("bbabaacabb")
    everything = follow(client, "limit=200")
    offset = 8
    rows, figures = proxmox(client, f"limit=3&offset={offset}", "/keys", "keys")
    while figures["previous_cursor"]:
        before, figures = proxmox(client, f"limit=3&cursor={figures['previous_cursor']}", "/keys", "keys")
        rows = before + rows
        assert figures["offset"] == everything.index(before[0])
        assert figures["has_next"]
    assert rows == everything
    assert (figures["offset"], figures["current_page"]) == (0, 1)


def test_rows_that_come_and_go_move_no_page(client: Client) -> None:
    pks = make_keys("bdfhjl")
    rows, figures = proxmox(client, "limit=3", "/keys", "keys")
    assert rows == pks[:3]
    make_keys("ace")
    ApiKey.objects.filter(pk=pks[0]).delete()
    rows, _ = proxmox(client, f"limit=3&cursor={figures['next_cursor']}", "/keys", "keys")
    assert rows == pks[3:]


@pytest.mark.parametrize(
    "sort", ["expires_at", "-expires_at", "-expires_at,name", "owner__username", "organization__slug"]
)
def test_rows_without_a_value_are_met_as_well(client: Client, sort: str) -> None:
    pks = make_keys("abcdefg")
    ApiKey.objects.filter(pk__in=pks[::2]).update(expires_at=timezone.now() + timedelta(days=1))
    ApiKey.objects.filter(pk__in=pks[1::3]).update(owner=make_user())
    everything = list(ApiKey.objects.order_by(*sort.split(","), "pk").values_list("pk", flat=True))
    assert follow(client, f"sort={sort}&limit=2") == everything


def test_an_order_by_chance_has_no_pages() -> None:
    for order in ("?", Lower("name")):
        with pytest.raises(TypeError):
            Keyset(ApiKey.objects.order_by(order))


def test_a_cursor_is_good_for_its_own_list_alone(client: Client) -> None:
    make_keys("abcdef")
    cursor = proxmox(client, "limit=2&sort=name", "/keys", "keys")[1]["next_cursor"]
    listing, keys = FAMILIES["proxmox"][1], f"{FAMILIES['proxmox'][1]}/keys"
    other = make_key(organization=make_organization("other"))[1]
    attempts: list[tuple[str, dict[str, str], dict[str, str]]] = [
        (listing, {"cursor": cursor}, {}),
        (keys, {"cursor": cursor, "sort": "-name"}, {}),
        (keys, {"cursor": cursor, "sort": "name", "filter": "x"}, {}),
        (keys, {"cursor": cursor, "sort": "name"}, {"X-API-Key": other}),
        (keys, {"cursor": cursor + "x", "sort": "name"}, {}),
        (keys, {"cursor": "x" + cursor, "sort": "name"}, {}),
        (keys, {"cursor": cursor.partition(":")[0], "sort": "name"}, {}),
        (keys, {"cursor": "eyJvIjowfQ", "sort": "name"}, {}),
        (keys, {"cursor": "x" * 3000, "sort": "name"}, {}),
    ]
    for path, query, headers in attempts:
        response = client.get(path, query_params=query, headers=headers)
        assert response.status_code == 400, query
        assert response.json()["error"]["details"]["reason"] == "invalid_cursor"
    assert client.get(keys, query_params={"cursor": "\x00", "sort": "name"}).status_code == 400
    assert client.get(keys, query_params={"cursor": cursor, "sort": "name", "limit": "1"}).status_code == 200
    assert client.get(f"{keys}/", query_params={"cursor": cursor, "sort": "name"}).status_code == 200


def test_a_page_costs_the_same_number_of_queries_wherever_it_lies(client: Client) -> None:
    make_keys("abcdefghij")
    counts = []
    cursor = ""
    for _ in range(3):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            figures = proxmox(client, f"limit=3{cursor}", "/keys", "keys")[1]
        counts.append(len(queries))
        cursor = f"&cursor={figures['next_cursor']}"
    assert set(counts) == {3}  # the public organization, the rows, their number
