"""Whether a generated blueprint holds what a request expects; read from the document alone, as its reader would."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alma.errors import BadRequest
from blueprints.generation import generate
from blueprints.generation.lexicon import fold, senses, software_facts
from blueprints.schema.dependencies import reachable
from blueprints.schema.sizes import parse_size
from blueprints.schema.types import is_machine

GIB = 2**30
Document = dict[str, Any]
Resource = dict[str, Any]
_DESTRUCTIVE = re.compile(r"\b(?:delete|destroy|wipe|stop|remove|shut ?down|absent)\b", re.IGNORECASE)
_NOT_COUNTED = {"backup"}


def read_requests(file: Path) -> list[dict[str, Any]]:
    """The requests of a file, one JSON object per line."""
    return [json.loads(line) for line in file.read_text("utf-8").splitlines() if line]


def failures(case: dict[str, Any]) -> list[str]:
    """Everything that a request expects and does not get, in words."""
    expect = case["expect"]
    try:
        document: Document | None = dict(generate(case["description"], case.get("constraints")))
    except BadRequest as error:
        return _when_refused(expect, error)
    return list(_failures(expect, document or {}))


def _when_refused(expect: dict[str, Any], error: BadRequest) -> list[str]:
    if expect.get("refuse"):
        return [] if "IPR" in error.message else ["the refusal does not point to an IPR"]
    if "clarify" in expect:
        return [] if _names_the_doubt(expect["clarify"], error.message) else ["the doubt is not named"]
    return [f"refused: {error.message}"]


def _failures(expect: dict[str, Any], document: Document) -> Iterator[str]:
    resources = document["resources"]
    if expect.get("refuse") and resources:
        yield "it was not refused"
    if "clarify" in expect:
        said = [*document["metadata"].get("questions", ()), *document["metadata"].get("warnings", ())]
        if not said or not _names_the_doubt(expect["clarify"], json.dumps(said)):
            yield "nothing was asked back"
    elif document["metadata"].get("questions"):
        yield f"asked without need: {document['metadata']['questions']}"
    yield from _roles(expect.get("roles", {}), resources)
    yield from _whole(expect, document)
    yield from _soundness(resources)


def _names_the_doubt(words: object, said: str) -> bool:
    return not isinstance(words, list) or any(word in said.lower() for word in words)


def _roles(wanted: dict[str, Any], resources: list[Resource]) -> Iterator[str]:
    taken = {r["name"] for role in wanted if role != "machine" for r in members(role, resources)}
    for role, attributes in wanted.items():
        found = members(role, resources)
        if role == "machine":
            found = [r for r in resources if is_machine(r["type"]) and r["name"] not in taken]
        count = sum(r["specs"].get("count", 1) for r in found)
        if not fits(attributes.get("count", {"min": 1}), count):
            yield f"{role}: count is {count}"
        yield from (f"{role}: {line}" for line in _attributes(attributes, found, resources))


def _attributes(wanted: dict[str, Any], found: list[Resource], resources: list[Resource]) -> Iterator[str]:
    readings = {"cpu": _cpu, "memory_gb": _memory, "disk_gb": _disks, "os": _os, "kind": _kind}
    for name, read in readings.items():
        if name in wanted:
            yield from (f"{name} is {read(r)}" for r in found if not _any_fits(wanted[name], read(r)))
    said = json.dumps([r["specs"] for r in found] + [r["name"] for r in found])
    for name in ("software", "ip"):
        yield from (
            f"no {value}"
            for value in _listed(wanted.get(name, ()))
            if not any(_stands_in(one, said) for one in (str(value), _spelled(str(value))))
        )
    for name in ("gpu", "vlan"):
        values = [_network_values(r, name) for r in found]
        yield from (
            f"{name} is {values}" for value in _listed(wanted.get(name, ())) if not any(value in v for v in values)
        )
    if wanted.get("anti_affinity") and not all(r["specs"].get("anti_affinity") for r in found):
        yield "no anti-affinity"


def _network_values(resource: Resource, name: str) -> list[object]:
    """What the machine and every card of it have."""
    specs = resource["specs"]
    cards = [card for card in (specs.get("network"), *specs.get("networks", ())) if isinstance(card, dict)]
    return [holder[name] for holder in (specs, *cards) if holder.get(name)]


def _stands_in(value: str, said: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(value)}(?![\w]|\.\d)", said, re.IGNORECASE) is not None


def _cpu(resource: Resource) -> list[object]:
    return [resource["specs"].get("cpu")]


def _memory(resource: Resource) -> list[object]:
    return [parse_size(resource["specs"]["memory"]) / GIB]


def _disks(resource: Resource) -> list[object]:
    specs = resource["specs"]
    further = [disk["size"] if isinstance(disk, dict) else disk for disk in specs.get("disks", ())]
    sizes = [parse_size(size) / GIB for size in (specs["disk"], *further)]
    return [*sizes, sum(sizes)]


def _os(resource: Resource) -> list[object]:
    return [resource["specs"].get("os", "")]


def _kind(resource: Resource) -> list[object]:
    return ["container" if resource["type"] == "lxc" else "vm"]


def _whole(expect: dict[str, Any], document: Document) -> Iterator[str]:
    resources, metadata = document["resources"], document["metadata"]
    machines = [r for r in resources if is_machine(r["type"])]
    counted = sum(r["specs"].get("count", 1) for r in machines)
    if not fits(expect.get("machines", counted), counted):
        yield f"there are {counted} machines"
    needs = {r["name"]: tuple(r.get("dependencies", ())) for r in resources}
    for later, earlier in expect.get("depends", ()):
        first = {r["name"] for r in members(earlier, resources)}
        if not first or not all(reachable(needs, r["name"]) & first for r in members(later, resources)):
            yield f"{later} does not wait for {earlier}"
    structure = json.dumps([{k: v for k, v in r.items() if k != "description"} for r in resources])
    for name, values in expect.get("network", {}).items():
        yield from (f"no {name} {value}" for value in _listed(values) if not _stands_in(str(value), structure))
    yield from _policies(expect, document)
    for name in ("environment", "region"):
        if name in expect and metadata.get(name) != expect[name]:
            yield f"{name} is {metadata.get(name)}"
    if "max_cost" in expect and metadata["estimated_cost"] > expect["max_cost"] and not metadata["warnings"]:
        yield "the budget is exceeded and nobody says so"
    yield from (f"{role} is there" for role in expect.get("must_not", ()) if _is_there(role, resources))
    yield from (f"{text} is written" for text in expect.get("forbidden_text", ()) if text.lower() in structure.lower())
    if expect.get("no_destructive") and _DESTRUCTIVE.search(structure):
        yield "something is to be destroyed"


def _policies(expect: dict[str, Any], document: Document) -> Iterator[str]:
    wanted = expect.get("backup")
    found = [r["specs"]["backup"] for r in document["resources"] if r["specs"].get("backup")]
    if wanted and not any(all(_is_kept(policy, key, value) for key, value in wanted.items()) for policy in found):
        yield f"backups are {found}"


def _is_kept(policy: dict[str, Any], key: str, wanted: object) -> bool:
    return key in policy and fits(wanted, policy[key])


def _is_there(role: str, resources: list[Resource]) -> bool:
    if role in ("vm", "container"):
        return any(_kind(r) == [role] for r in resources if is_machine(r["type"]))
    if role in ("backup", "gpu"):
        return any(r["specs"].get(role) or r["specs"].get("role") == role for r in resources)
    if role == "kubernetes":
        return any(str(r["specs"].get("role", "")).startswith(("k8s", "kubernetes")) for r in resources)
    if role == "windows":
        return any("windows" in str(r["specs"].get("os")) for r in resources)
    return bool(members(role, resources))


def _soundness(resources: list[Resource]) -> Iterator[str]:
    names = [r["name"] for r in resources]
    if len(set(names)) < len(names):
        yield "names are not unique"
    needs = {r["name"]: tuple(r.get("dependencies", ())) for r in resources}
    yield from (f"{name} waits for nobody" for name, others in needs.items() if set(others) - set(names))
    yield from (f"{name} waits for itself" for name in names if name in reachable(needs, name) - {name})


def members(role: str, resources: list[Resource]) -> list[Resource]:
    """Resources of a role, with a software, or called so."""
    if role.startswith("name:"):
        return [r for r in resources if r["name"] == role.removeprefix("name:")]
    spelled = _spelled(role)
    return [r for r in resources if is_machine(r["type"]) and {role, spelled} & _roles_of(r)]


def _spelled(role: str) -> str:
    """A software as the planner spells it: "homeassistant" and "home-assistant" are one."""
    sense = senses().get(tuple(fold(role).split("-")))
    return sense.value if sense and sense.kind == "software" else role


def _roles_of(resource: Resource) -> set[str]:
    specs = resource["specs"]
    software = specs.get("software", ())
    own = {specs.get("role", ""), resource["type"], *software, *specs.get("services", ())}
    return own | {software_facts(name).get("role", "") for name in software[:1] if not specs.get("role")}


def _any_fits(wanted: object, values: list[object]) -> bool:
    return any(fits(wanted, value) for value in values)


def fits(wanted: object, value: Any) -> bool:
    """A number, a range, one of several, or the beginning of a name; 500 may be meant as 512."""
    if isinstance(wanted, dict):
        if "any" in wanted:
            return any(fits(one, value) for one in wanted["any"])
        return bool(wanted.get("min", value) <= value <= wanted.get("max", value) * 1.0241)
    if isinstance(wanted, str):
        return value == wanted or str(value).startswith((f"{wanted}-", f"{wanted}."))
    return any(abs(float(value) - number) < 1e-9 for number in (wanted, wanted * 1.024))


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
