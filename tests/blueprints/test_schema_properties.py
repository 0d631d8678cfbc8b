"""Properties that hold for every input, found or made up by hypothesis."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from alma.errors import Invalid
from blueprints.schema import expand, from_yaml, parse_document, to_yaml
from blueprints.schema.dependencies import find_cycle
from blueprints.schema.spec_keys import ALIASES
from blueprints.schema.specs import Specs

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
NAMES = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
SIZES = st.builds("{}{}".format, st.integers(1, 64), st.sampled_from(["GB", " GiB", "g", " gigs", "Go"]))
METADATA = st.dictionaries(
    TEXT,
    st.recursive(TEXT | st.booleans() | st.none() | st.integers(-(2**53), 2**53), lambda i: st.lists(i, max_size=3)),
    max_size=4,
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Valid documents: dependencies only point backwards."""
    names = draw(st.lists(NAMES, unique=True, max_size=6))
    resources = [
        {
            "name": name,
            "type": draw(st.sampled_from(["vm", "lxc", "database", "network", "Load Balancer", "unheard-of"])),
            "specs": draw(
                st.fixed_dictionaries(
                    {}, optional={"cpu": st.integers(1, 64), "memory": SIZES, "os": st.just("debian-12")}
                )
            ),
            "dependencies": draw(st.lists(st.sampled_from(names[:place]), unique=True)) if place else [],
        }
        for place, name in enumerate(names)
    ]
    return {
        "version": "1.0",
        "name": "x",
        "resources": resources,
        "description": draw(TEXT),
        "metadata": draw(METADATA),
    }


@given(JSON)
def test_any_json_is_a_document_or_invalid(data: object) -> None:
    _parse_or_invalid(data)


@given(st.dictionaries(st.sampled_from(["name", "type", "specs", "dependencies", "depends_on", "x"]), JSON), JSON)
def test_any_resource_is_accepted_or_invalid(resource: object, metadata: object) -> None:
    _parse_or_invalid({"name": "x", "resources": [resource], "metadata": metadata})


@given(st.dictionaries(st.sampled_from(sorted(Specs.known_keys() | set(ALIASES))), JSON, max_size=4))
def test_any_value_of_any_known_key_is_accepted_or_invalid(specs: object) -> None:
    _parse_or_invalid({"name": "x", "resources": [{"name": "web", "type": "vm", "specs": specs}]})


def _parse_or_invalid(data: object) -> None:
    try:
        document = parse_document(data)
    except Invalid as error:
        assert error.details
        assert error.message
        assert "\0" not in json.dumps(error.details, allow_nan=False)
    else:
        assert parse_document(document.as_dict()).digest() == document.digest()


@given(documents())
def test_json_round_trip(data: dict[str, Any]) -> None:
    document = parse_document(data)
    assert document.as_dict() == data
    again = parse_document(json.loads(json.dumps(document.as_dict())))
    assert again.digest() == document.digest()


@given(documents())
def test_yaml_round_trip(data: dict[str, Any]) -> None:
    document = parse_document(data)
    assert from_yaml(to_yaml(document)).as_dict() == document.as_dict()


@given(documents())
def test_every_resource_becomes_machines_or_a_sentence(data: dict[str, Any]) -> None:
    document = parse_document(data)
    expansion = expand(document)
    told = {machine.resource for machine in expansion.machines} | {other.resource for other in expansion.unsupported}
    assert told == set(document.by_name)
    keys = {machine.key for machine in expansion.machines}
    assert len(keys) == len(expansion.machines)
    assert all(set(machine.depends_on) <= keys - {machine.key} for machine in expansion.machines)


@given(st.text(max_size=200))
@settings(max_examples=300)
def test_any_text_is_yaml_of_a_document_or_invalid(text: str) -> None:
    try:
        from_yaml(text)
    except Invalid as error:
        assert isinstance(error.details, list)
        assert error.details[0]["line"] >= 1


@given(st.dictionaries(st.integers(0, 5), st.lists(st.integers(0, 5), unique=True, max_size=3)))
def test_cycles_are_found_exactly_when_there_are_any(graph: dict[int, list[int]]) -> None:
    nodes = sorted(set(graph) | {target for targets in graph.values() for target in targets})
    needs = {f"n{node}": [f"n{target}" for target in graph.get(node, []) if target != node] for node in nodes}
    data = {"name": "x", "resources": [{"name": n, "type": "vm", "dependencies": d} for n, d in needs.items()]}
    cycle = find_cycle(needs)
    assert bool(cycle) == _has_cycle(needs)
    try:
        parse_document(data)
    except Invalid as error:
        assert cycle
        assert " -> ".join(cycle) in error.message
    else:
        assert not cycle


def _has_cycle(needs: dict[str, list[str]]) -> bool:
    """By taking away what needs nothing until nothing changes."""
    left = dict(needs)
    while ready := [name for name, targets in left.items() if not any(target in left for target in targets)]:
        for name in ready:
            del left[name]
    return bool(left)
