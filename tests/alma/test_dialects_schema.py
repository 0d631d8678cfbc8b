"""The OpenAPI schema shows the whole bodies, though views describe their data alone, and without a warning."""

from collections import Counter
from importlib import import_module
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from alma.api.dialects import DIALECTS
from tests.alma import dialect_site
from tests.alma.dialect_site import FAMILIES
from tests.factories.accounts import make_organization
from tests.source import APPS

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.alma.dialect_site")]
PARAMETERS = {
    "alma": {"skip", "limit"}, "alumia": {"page", "limit", "cursor"}, "proxmox": {"offset", "limit", "cursor"},
    "llamactl-old": {"skip", "limit"}, "llamactl": {"skip", "limit"}, "openai": {"skip", "limit"},
    "anthropic": {"skip", "limit"},
}  # fmt: skip


@pytest.fixture(scope="module")
def schema() -> Any:
    patterns = [route for route in dialect_site.API if route.name.endswith(("_List", "_One", "_Said"))]
    with GENERATOR_STATS.silence():
        found = SchemaGenerator(patterns=patterns).get_schema(request=None, public=True)
        assert not GENERATOR_STATS._warn_cache
        assert not GENERATOR_STATS._error_cache
    validate_schema(found)
    return found


def operation(schema: Any, family: str, part: str, method: str) -> Any:
    return schema["paths"][FAMILIES[family][1] + part][method]


def check(schema: Any, described: Any, body: Any) -> None:
    """The body is as the schema says."""
    inner = described["content"]["application/json"]["schema"]
    Draft202012Validator({**inner, "components": schema["components"]}).validate(body)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("part", "method", "status"), [("", "get", "200"), ("/one", "get", "200"), ("/said", "delete", "200")]
)
def test_answers_are_as_described(
    client: Client, schema: Any, family: str, part: str, method: str, status: str
) -> None:
    make_organization()
    response = getattr(client, method)(FAMILIES[family][1] + part)
    described = operation(schema, family, part, method)
    check(schema, described["responses"][status], response.json())


@pytest.mark.parametrize("family", FAMILIES)
def test_errors_are_as_described(client: Client, schema: Any, family: str) -> None:
    make_organization()
    described = operation(schema, family, "/one", "get")["responses"]["default"]
    for name in ("Invalid", "NotFound", "WrongState", "NotAuthenticated", "RateLimited"):
        check(schema, described, client.get(f"{FAMILIES[family][1]}/raises/{name}").json())


@pytest.mark.parametrize("family", FAMILIES)
def test_parameters_and_the_key_of_a_post(schema: Any, family: str) -> None:
    listing = operation(schema, family, "", "get")
    assert {parameter["name"] for parameter in listing["parameters"]} == PARAMETERS[family]
    key = operation(schema, family, "", "post")["parameters"][-1]
    assert (key["in"], key["name"], key["schema"]["maxLength"]) == ("header", "Idempotency-Key", 255)


def test_no_content_has_no_envelope(schema: Any) -> None:
    assert "content" not in operation(schema, "proxmox", "/one", "delete")["responses"]["204"]


def test_each_family_has_its_error_body(schema: Any) -> None:
    assert {dialect.error_model.__name__ for dialect in DIALECTS} <= set(schema["components"]["schemas"])


def test_no_two_shapes_share_a_name() -> None:
    """The schema keeps one of a name, and shows it in the place of the other."""
    import_module("alma.urls")
    names = Counter(model.__name__ for model in _models(BaseModel) if model.__module__.split(".")[0] in APPS)
    ours = {name: number for name, number in names.items() if not name.startswith(dialect_site.RowBody.__name__)}
    assert [
        name for name, number in ours.items() if number > 1
    ] == []  # the site of these tests has pages of each family


def _models(root: type[BaseModel]) -> set[type[BaseModel]]:
    """Those that faces define; a generic of another one is no shape of its own."""
    found = {model for model in root.__subclasses__() if not model.__pydantic_generic_metadata__["origin"]}
    return found.union(*map(_models, found))
