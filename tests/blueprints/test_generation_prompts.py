"""Natural requests and what follows from each: every expectation of every request has to hold."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alma.errors import BadRequest
from blueprints.generation import GeneratedBlueprint, generate
from blueprints.schema import Machine, expand, parse_document
from blueprints.schema.dependencies import reachable
from blueprints.schema.sizes import GIB

CASES = [
    json.loads(line) for line in (Path(__file__).parent / "data" / "prompts.jsonl").read_text("utf-8").splitlines()
]
Expectation = dict[str, Any]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_request_is_understood(case: dict[str, Any]) -> None:
    expect = case["expect"]
    if expect.get("refuse"):
        with pytest.raises(BadRequest, match="IPR"):
            generate(case["description"], case["constraints"])
        return
    blueprint = generate(case["description"], case["constraints"])
    assert list(failures(expect, blueprint)) == []


def failures(expect: Expectation, blueprint: GeneratedBlueprint) -> Iterator[str]:
    """Every expectation that does not hold, in words."""
    expansion = expand(parse_document(blueprint))
    machines = list(expansion.machines)
    if expansion.unsupported:
        yield "not everything can be built"
    if "clarify" in expect and not blueprint["metadata"]["questions"]:
        yield "no question was asked"
    yield from _role_failures(expect, machines)
    if expect.get("machines", len(machines)) != len(machines):
        yield f"{len(machines)} machines"
    yield from _order_failures(expect, blueprint, machines)
    yield from _other_failures(expect, blueprint, machines)


def _role_failures(expect: Expectation, machines: list[Machine]) -> Iterator[str]:
    roles = expect.get("roles", {})
    claimed = {machine.key for role in roles if role != "machine" for machine in members(role, machines)}
    for role, wanted in roles.items():
        found = [m for m in machines if m.key not in claimed] if role == "machine" else members(role, machines)
        if not fits(wanted.get("count", {"min": 1}), len(found)):
            yield f"{role}: {len(found)} machines"
        for machine in found:
            yield from (f"{role}: {name} is {value}" for name, value in _machine_failures(wanted, machine))
        addresses = json.dumps([machine.network.ip for machine in found])
        yield from (f"{role}: no {ip}" for ip in listed(wanted.get("ip", [])) if f'"{ip}/' not in addresses)
        software = {name for machine in found for name in machine.software}
        yield from (f"{role}: no {name}" for name in listed(wanted.get("software", [])) if name not in software)


def _machine_failures(wanted: Expectation, machine: Machine) -> Iterator[tuple[str, object]]:
    values = {
        "cpu": machine.cores,
        "memory_gb": machine.memory_bytes / GIB,
        "disk_gb": machine.disk_bytes / GIB,
        "os": str(machine.image),
        "kind": "container" if machine.kind == "lxc" else "vm",
        "gpu": machine.gpus,
        "vlan": machine.network.vlan,
        "anti_affinity": bool(machine.anti_affinity),
    }
    for name, value in values.items():
        if name in wanted and not fits(wanted[name], value):
            yield name, value


def _order_failures(expect: Expectation, blueprint: GeneratedBlueprint, machines: list[Machine]) -> Iterator[str]:
    needs = {machine.key: machine.depends_on for machine in machines}
    for later, earlier in expect.get("depends", []):
        first = {machine.key for machine in members(earlier, machines)}
        if not first or not all(reachable(needs, m.key) & first for m in members(later, machines)):
            yield f"{later} does not wait for {earlier}"


def _other_failures(expect: Expectation, blueprint: GeneratedBlueprint, machines: list[Machine]) -> Iterator[str]:
    metadata, text = blueprint["metadata"], json.dumps(blueprint["resources"]).lower()
    for name in ("environment", "region"):
        if name in expect and metadata.get(name) != expect[name]:
            yield f"{name} is {metadata.get(name)}"
    if "max_cost" in expect and metadata["estimated_cost"] > expect["max_cost"] and not metadata["warnings"]:
        yield f"{metadata['estimated_cost']} is over budget and nobody says so"
    yield from (
        f"{word} is there" for word in expect.get("must_not", []) + expect.get("forbidden_text", []) if word in text
    )
    yield from (f"no {name} {value}" for name, value in expect.get("network", {}).items() if str(value) not in text)
    if "backup" in expect:
        kept = {(m.backup.schedule, m.backup.retention_days) for m in machines if m.backup}
        wanted = expect["backup"]
        if not any(
            wanted["schedule"] == schedule and wanted.get("retention_days", days) == days for schedule, days in kept
        ):
            yield f"backups are {kept}"


def members(role: str, machines: list[Machine]) -> list[Machine]:
    """Machines of a role, with a software, or with a name."""
    if role.startswith("name:"):
        return [machine for machine in machines if machine.key == role.removeprefix("name:")]
    return [machine for machine in machines if role == machine.role or any(role in name for name in machine.software)]


def fits(wanted: object, value: Any) -> bool:
    """A number, a range, one of several, or the beginning of a name."""
    if isinstance(wanted, dict):
        return (
            value in wanted["any"] if "any" in wanted else wanted.get("min", value) <= value <= wanted.get("max", value)
        )
    if isinstance(wanted, str):
        return str(value).startswith(wanted)
    return any(bool(abs(value - number) < 1e-9) for number in (wanted, _binary(wanted)))


def _binary(wanted: Any) -> float:
    """500 may be meant as 512, 1000 as 1024."""
    return float(wanted) * 1.024


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_the_checker_notices_what_is_wrong() -> None:
    blueprint = generate("2 web servers with 4 GB")
    wrong = {"roles": {"web": {"count": 3, "memory_gb": 8}}, "machines": 5, "environment": "test", "must_not": ["web"]}
    assert len(list(failures(wrong, blueprint))) == 6
