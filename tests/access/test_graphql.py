"""Every field of GraphQL, with the rights that it needs and without each of them, and never with another's words."""

from typing import Any

import pytest
from graphql import GraphQLField, GraphQLObjectType, get_named_type, is_object_type

from alma.accounts.scopes import EVERYTHING
from alma.graphql.queries import schema
from tests.access.callers import Caller, of_key
from tests.access.conftest import Stage
from tests.access.table_live import FIELDS, TOLD
from tests.access.world import THEIRS
from tests.factories.accounts import make_key

pytestmark = pytest.mark.django_db
KINDS = {
    name: kind for name, kind in schema._schema.type_map.items() if is_object_type(kind) and not name.startswith("__")
}
WAY = {"Blueprint": "blueprints", "Ipr": "iprs", "Deployment": "deployments", "Query": ""}
"""Which field of the root leads to an object."""


def fields(kind: GraphQLObjectType) -> dict[str, GraphQLField]:
    return dict(kind.fields)


def leads_on(field: GraphQLField) -> bool:
    return is_object_type(get_named_type(field.type))


def test_every_field_has_an_expectation() -> None:
    """A new field needs a line in table_live.py."""
    leading = {f"{kind}.{name}" for kind in KINDS for name, field in fields(KINDS[kind]).items() if leads_on(field)}
    assert leading == FIELDS.keys()
    plain = {kind: {name for name, field in fields(KINDS[kind]).items() if not leads_on(field)} for kind in KINDS}
    assert {kind: names for kind, names in plain.items() if names} == {k: set(v.split()) for k, v in TOLD.items()}


def query(key: str, things: Any) -> str:
    """A query for one field with all that it plainly tells, by way of the root."""
    kind, name = key.split(".")
    asked = f"{name}{arguments(key, things)} {{ {TOLD[str(get_named_type(KINDS[kind].fields[name].type))]} }}"
    return f"{{ {WAY[kind]} {{ __typename {asked} }} }}" if WAY[kind] else f"{{ {asked} }}"


def arguments(key: str, things: Any) -> str:
    given = {
        "Query.blueprint": f"(id: {things.blueprint})", "Query.ipr": f"(id: {things.ipr})",
        "Query.deployment": f'(deploymentId: "{things.deployment}")',
    }  # fmt: skip
    return given.get(key, "")


def ask(stage: Stage, caller: Caller, key: str, things: Any) -> tuple[set[str], bytes]:
    """The codes of what was refused, and all that was said."""
    stage.cells += 1
    answer = caller.call("POST", "/graphql", {"query": query(key, things)})
    body = answer.json()
    codes = {error["extensions"]["code"] for error in body.get("errors", [])}
    return codes | ({body["error_code"]} if "error_code" in body else set()), answer.content


def key_of(stage: Stage, rights: frozenset[str]) -> Caller:
    return of_key("key", make_key(rights, organization=stage.ours)[1], rights)


@pytest.mark.parametrize("key", FIELDS)
def test_a_field_needs_its_rights_and_no_other(stage: Stage, is_open: bool, key: str) -> None:
    rights = frozenset(FIELDS[key].rights)
    assert ask(stage, key_of(stage, rights), key, stage.own)[0] == set()
    for right in rights:
        codes, _ = ask(stage, key_of(stage, EVERYTHING - {right}), key, stage.own)
        assert codes == (set() if is_open and FIELDS[key].is_opened else {"MISSING_SCOPE"})


@pytest.mark.parametrize("key", FIELDS)
def test_a_field_for_every_caller(stage: Stage, is_open: bool, key: str) -> None:
    rights = frozenset(FIELDS[key].rights)
    for caller in stage.callers:
        codes, said = ask(stage, caller, key, stage.own)
        assert THEIRS.encode() not in said
        if caller.kind == "dead" or (caller.kind == "nobody" and not (is_open and FIELDS[key].is_opened)):
            assert codes == {"INVALID_API_KEY"}, caller.name
        else:
            may = rights <= caller.scopes or (is_open and FIELDS[key].is_opened)
            is_rightless = not caller.is_member and caller.kind == "person"
            assert codes == (set() if may and not is_rightless else {"MISSING_SCOPE"}), caller.name


@pytest.mark.parametrize("key", ["Query.blueprint", "Query.ipr", "Query.deployment"])
def test_anothers_object_is_none(stage: Stage, production: None, key: str) -> None:
    for name in ("admin", "member of both", "management key"):
        (caller,) = [one for one in stage.callers if one.name == name]
        codes, said = ask(stage, caller, key, stage.foreign)
        assert (codes, THEIRS.encode() in said) == (set(), False)
        assert b":null" in said
