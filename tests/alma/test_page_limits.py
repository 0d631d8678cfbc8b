"""Every list of the API, as its own description names the parameters: what is no part of a list is refused."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from tests.factories.accounts import make_user, sign_in

BAD = {
    "limit": [str(10**30), "-1", "0", "1e3", "\u0663", "x", "201"],
    "skip": ["-1", str(10**30), "x"],
    "offset": ["-1", str(10**30), "x"],
    "page": ["-1", "0", str(10**30), "x"],
    "cursor": ["x", "eyJ0aW1lc3RhbXAiOiIifQ==", "W10:signed", "x" * 5000],
}


def lists() -> Iterator[tuple[str, str]]:
    """Paths without parts to fill in, and the parameters with which they are read in parts."""
    paths: dict[str, Any] = SchemaGenerator().get_schema(public=True)["paths"]
    for path, operations in paths.items():
        for parameter in operations.get("get", {}).get("parameters", []):
            if parameter["name"] in BAD and parameter["in"] == "query" and "{" not in path:
                yield path, parameter["name"]


@pytest.mark.django_db
def test_what_is_no_part_of_a_list_is_refused(client: Client) -> None:
    sign_in(client, make_user())
    found = list(lists())
    assert {"/api/v1/blueprints", "/api/v1/iprs", "/api/v1/mission-control", "/v1/auth/tokens"} <= {
        path for path, _ in found
    }
    wrong = []
    for path, name in found:
        for value in BAD[name]:
            status = client.get(path, {name: value}).status_code
            wrong += [(path, name, value[:40], status)] if status not in {400, 422} else []
    assert wrong == []
