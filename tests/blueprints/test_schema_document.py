"""parse_document: what is accepted, and what each refusal says."""

import copy
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from alma.errors import Invalid
from blueprints.schema import (
    BlueprintDocument,
    Specs,
    document_json_schema,
    expand_machines,
    from_yaml,
    parse_document,
)


def a_document(*resources: dict[str, Any], **overrides: Any) -> dict[str, Any]:
    return {"version": "1.0", "name": "shop", "resources": list(resources), **overrides}


def a_vm(name: str = "web", **overrides: Any) -> dict[str, Any]:
    return {"name": name, "type": "vm", **overrides}


def refusal(data: object) -> tuple[str, list[dict[str, Any]]]:
    with pytest.raises(Invalid) as caught:
        parse_document(data)
    assert caught.value.code == "VALIDATION_ERROR"
    details = caught.value.details
    assert isinstance(details, list)
    return caught.value.message, details


DOCUMENTED = [
    a_document(name="my-infrastructure"),
    a_document(
        {"name": "web-server-1", "type": "vm", "specs": {"cpu": 4, "memory": "8GB", "disk": "100GB"}},
        description="Production web application infrastructure",
        metadata={"environment": "production", "owner": "devops-team"},
    ),
    a_document({"name": "web-server-1", "type": "vm", "specs": {"cpu": 4, "memory": "8GB"}}),
    a_document({"name": "k8s-cluster", "type": "kubernetes", "specs": {"nodes": 5, "cpu_per_node": 4}}),
]


@pytest.mark.parametrize("data", DOCUMENTED)
def test_documented_example_is_echoed_as_written(data: dict[str, Any]) -> None:
    before = copy.deepcopy(data)
    echoed = parse_document(data).as_dict()
    assert echoed == {"description": "", "metadata": {}, **before}
    assert data == before


def test_typed_values_beside_the_echo() -> None:
    document = parse_document(a_document(a_vm(specs={"vcpu": 4, "ram": "8192 MB", "storage": "0.5TB"})))
    specs = document.resources[0].specs
    assert (specs.cpu, specs.memory, specs.disk) == (4, 8 * 2**30, 2**39)
    assert specs.given() == {"vcpu": 4, "ram": "8192 MB", "storage": "0.5TB"}
    assert specs.key_for("memory") == "specs.ram"


def test_storage_that_is_a_name_is_a_pool() -> None:
    specs = parse_document(a_document(a_vm(specs={"storage": "local-lvm", "disk": "20GB"}))).resources[0].specs
    assert (specs.storage_pool, specs.disk) == ("local-lvm", 20 * 2**30)


def test_unit_in_the_key_counts() -> None:
    specs = parse_document(a_document(a_vm(specs={"memory_mb": 2048, "disk_gb": 40}))).resources[0].specs
    assert (specs.memory, specs.disk) == (2 * 2**30, 40 * 2**30)


def test_depends_on_is_dependencies() -> None:
    document = parse_document(a_document(a_vm("db"), a_vm("web", depends_on=["db"])))
    assert document.as_dict()["resources"][1]["dependencies"] == ["db"]


def test_digest_ignores_the_order_of_keys_but_nothing_else() -> None:
    data = DOCUMENTED[1]
    turned = {key: data[key] for key in reversed(data)}
    assert parse_document(data).digest() == parse_document(turned).digest()
    assert parse_document({**data, "version": "1.1"}).digest() != parse_document(data).digest()
    assert len(parse_document(data).digest()) == 64


REFUSED: list[tuple[dict[str, Any], str | None, str, str]] = [
    (a_document(a_vm(specs={"memory": "8"})), "web", "specs.memory", "has no unit"),
    (a_document(a_vm(specs={"memory": 8})), "web", "specs.memory", "has no unit"),
    (a_document(a_vm(specs={"memory": "0GB"})), "web", "specs.memory", "too small"),
    (a_document(a_vm(specs={"memory": "900TB"})), "web", "specs.memory", "not plausible"),
    (a_document(a_vm(specs={"memroy": "8GB"})), "web", "specs.memroy", 'did you mean "memory"?'),
    (a_document(a_vm(specs={"cpu": "4"})), "web", "specs.cpu", "whole number"),
    (a_document(a_vm(specs={"cpu": 0})), "web", "specs.cpu", "greater than or equal to 1"),
    (a_document(a_vm(specs={"cpu": True})), "web", "specs.cpu", "whole number"),
    (a_document(a_vm(specs={"cpu": 2, "cores": 4})), "web", "specs", "cpu and cores mean the same"),
    (a_document(a_vm(specs={"vmid": 100})), "web", "specs.vmid", "assigns VMIDs itself"),
    (a_document(a_vm(specs={"root_password": "x"})), "web", "specs.root_password", "secrets do not belong"),
    (a_document(a_vm(specs={"vlan": 4095})), "web", "specs.vlan", "less than or equal to 4094"),
    (a_document(a_vm(specs={"ip": "10.0.0.300"})), "web", "specs.ip[0]", "not an IP address"),
    (a_document(a_vm(specs={"subnet": "10.0.0.5/24"})), "web", "specs.subnet", "not a subnet"),
    (a_document(a_vm(specs={"ip": "10.0.1.5", "subnet": "10.0.0.0/24"})), "web", "specs", "outside the subnet"),
    (
        a_document(a_vm(specs={"ssh_keys": ["-----BEGIN OPENSSH PRIVATE KEY-----"]})),
        "web",
        "specs.ssh_keys[0]",
        "private key",
    ),
    (a_document(a_vm(specs={"tags": ["has space"]})), "web", "specs.tags[0]", "not a tag"),
    (a_document(a_vm(specs={"count": 2, "ip": "10.0.0.5"})), "web", "specs.ip", "1 address for 2 machines"),
    (a_document(a_vm(specs=[])), "web", "specs", "must be an object"),
    (a_document(a_vm("web_server")), "web_server", "name", 'write "web-server"'),
    (a_document(a_vm("-web")), "-web", "name", "must be a guest name"),
    (a_document(a_vm("w" * 64)), "w" * 63, "name", "longer than 63"),
    (a_document(a_vm(""), a_vm("db")), "#1", "name", "must not be empty"),
    (a_document(a_vm(), a_vm("WEB")), "WEB", "name", "used twice"),
    (a_document(a_vm("web", specs={"count": 2}), a_vm("web-1")), "web", "name", 'a machine named "web-1"'),
    (a_document({"name": "web"}), "web", "type", "is required"),
    (a_document(a_vm(colour="red")), "web", "colour", "is not a known field"),
    (a_document(a_vm(dependencies=["dbb"]), a_vm("db")), "web", "dependencies[0]", 'did you mean "db"?'),
    (a_document(a_vm(dependencies=["web"])), "web", "dependencies[0]", "names the resource itself"),
    (a_document(a_vm(dependencies=[], depends_on=[])), "web", "depends_on", "beside dependencies"),
    (
        a_document(a_vm("a", specs={"ip": "10.0.0.5"}), a_vm("b", specs={"ip": "10.0.0.5"})),
        "b",
        "specs.ip",
        "a has it already",
    ),
    (a_document(name=""), None, "name", "must not be empty"),
    (a_document(name="\u200b\ufeff"), None, "name", "must not be empty"),
    (a_document(name="shop\u202egnp"), None, "name", "must be one line of printable text"),
    (a_document(name="a\nb"), None, "name", "one line"),
    (a_document(version="one"), None, "version", 'such as "1.0"'),
    (a_document(description=3), None, "description", "must be text"),
    (a_document(metadata=[]), None, "metadata", "must be an object"),
    (a_document(metadata={"a": "b\0c"}), None, "metadata.a", "NUL"),
    (a_document(metadata={"a": float("nan")}), None, "metadata.a", "finite"),
    (a_document(metadata={"a": 10**400}), None, "metadata.a", "too large a number"),
    (a_document(a_vm(specs={"cpu": 10**400})), "web", "specs.cpu", "too large a number"),
    (a_document(a_vm(specs={"cpu": float("inf")})), "web", "specs.cpu", "finite"),
    (a_document(a_vm(specs={"masters": 1, "workers": 2, "count": 5})), "web", "specs.count", "3 machines follow"),
    (a_document(resouces=[]), None, "resouces", 'did you mean "resources"?'),
    ({"name": "shop"}, None, "resources", "is required"),
]


@pytest.mark.parametrize(("data", "resource", "field", "words"), REFUSED, ids=[f"{r[2]}: {r[3]}" for r in REFUSED])
def test_refusal_names_resource_and_field(data: object, resource: str | None, field: str, words: str) -> None:
    message, details = refusal(data)
    detail = details[0]
    assert (detail["resource"], detail["field"]) == (resource, field)
    assert words in detail["message"]
    assert field in message
    assert resource is None or f'Resource "{resource}"' in message


def test_refusal_shows_the_circle() -> None:
    ring = [a_vm("a", dependencies=["c"]), a_vm("b", dependencies=["a"]), a_vm("c", dependencies=["b"])]
    message, _ = refusal(a_document(*ring))
    circle = message.rstrip(".").rpartition(": ")[2].split(" -> ")
    assert circle[0] == circle[-1]
    needs = {"a": "c", "b": "a", "c": "b"}
    assert [needs[name] for name in circle[:-1]] == circle[1:] or [needs[name] for name in circle[1:]] == circle[:-1]


def test_refusal_lists_every_problem_and_counts_them() -> None:
    message, details = refusal(a_document(a_vm("a", specs={"cpu": "x"}), a_vm("b", specs={"memory": 1})))
    assert [(d["resource"], d["field"]) for d in details] == [("a", "specs.cpu"), ("b", "specs.memory")]
    assert "1 more problem" in message


@pytest.mark.parametrize("data", [None, 3, "text", [], True])
def test_refusal_of_what_is_no_object(data: object) -> None:
    assert "must be an object" in refusal(data)[0]


def test_one_address_may_be_used_in_two_vlans() -> None:
    specs = [{"ip": "10.0.0.5", "vlan": vlan} for vlan in (1, 2)]
    assert parse_document(a_document(a_vm("a", specs=specs[0]), a_vm("b", specs=specs[1])))
    assert "a has it already" in refusal(a_document(a_vm("a", specs=specs[0]), a_vm("b", specs=specs[0])))[0]


def test_limits_hold_and_are_not_off_by_one() -> None:
    parse_document(a_document(*(a_vm(f"vm-{n}") for n in range(200))))
    refusal(a_document(*(a_vm(f"vm-{n}") for n in range(201))))
    refusal(a_document(a_vm("a", specs={"count": 300}), a_vm("b", specs={"count": 300})))
    refusal(a_document(description="x" * 10_001))


def test_metadata_depth_is_bounded() -> None:
    def nested(depth: int) -> dict[str, Any]:
        return {} if depth == 0 else {"a": nested(depth - 1)}

    assert parse_document(a_document(metadata=nested(12)))
    assert "nested more than" in refusal(a_document(metadata=nested(14)))[0]
    deep: dict[str, Any] = {}
    for _ in range(50_000):
        deep = {"a": deep}
    assert "nested more than" in refusal(a_document(metadata=deep))[0]


def test_json_schema_describes_specs_and_refuses_unknown_keys() -> None:
    schema = document_json_schema()
    assert schema["required"] == ["name", "resources"]
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Specs"]["properties"]["memory"]["anyOf"][0]["type"] == "string"


@pytest.mark.parametrize("data", DOCUMENTED)
def test_json_schema_accepts_the_documented_examples(data: dict[str, Any]) -> None:
    jsonschema.validate(data, document_json_schema())


def test_json_schema_refuses_what_the_parser_refuses() -> None:
    for specs in ({"memory": 8}, {"memroy": "8GB"}, {"vlan": 5000}, {"cpu": "4"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(a_document(a_vm(specs=specs)), document_json_schema())


def test_document_is_frozen() -> None:
    document = parse_document(a_document())
    assert isinstance(document, BlueprintDocument)
    with pytest.raises(ValueError, match="frozen"):
        document.name = "other"  # type: ignore[misc]


def test_the_format_page_names_every_key_of_specs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "blueprints.md").read_text("utf-8")
    assert {key for key in Specs.known_keys() if f"`{key}`" not in page} == set()


def test_the_example_of_the_format_page_is_a_document() -> None:
    page = (Path(__file__).parents[2] / "docs" / "blueprints.md").read_text("utf-8")
    example = page.partition("```yaml\n")[2].partition("```")[0]
    assert len(expand_machines(from_yaml(example))) == 4
