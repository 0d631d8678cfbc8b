"""No app is passed over for a path that one of its routes would have matched."""

import pytest
from django.urls import URLResolver, get_resolver, path, re_path, resolve, reverse

from alma.routing import head_of


def nothing(request: object) -> None:
    """A view that nobody asks."""


@pytest.mark.parametrize(
    ("route", "head"),
    [
        (path("", nothing), ""),
        (path("iprs/<int:pk>/", nothing), "iprs/"),
        (path("iprs/", nothing), "iprs/"),
        (re_path(r"^api/v1/iprs?/?$", nothing), "api/v1/ipr"),
        (re_path(r"^api/v1/agents/(?P<agent_id>[^/]+)$", nothing), "api/v1/agents/"),
        (re_path(r"^a-b(?:c|d)$", nothing), "a-b"),
        (re_path(r"^ab{2}c", nothing), "a"),
        (re_path(r"[ab]c", nothing), ""),
    ],
)
def test_heads(route: URLResolver, head: str) -> None:
    assert head_of(route) == head


def test_an_app_is_looked_through_only_for_its_own_paths() -> None:
    apps = [one for one in get_resolver().url_patterns if isinstance(one, URLResolver) and one.namespace == "iprs"]
    (iprs,) = apps
    assert iprs.pattern.match("iprs/7/") == ("iprs/7/", (), {})
    assert iprs.pattern.match("blueprints/7/") is None


def test_names_lead_back_to_their_routes() -> None:
    address = reverse("iprs:detail", args=[7])
    assert resolve(address).view_name == "iprs:detail"
