"""The planner's reading and a model's proposal become one blueprint: what the text says stays, what it leaves open may come
from the model, and wherever the two differ it is written down."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from blueprints.complexity import figures_for
from blueprints.generation import GeneratedBlueprint
from blueprints.generation.lexicon import defence_patterns, role_defaults
from blueprints.schema import BlueprintDocument, parse_document
from blueprints.schema.sizes import parse_size
from blueprints.sentences import MODEL_SIZES, USUAL_SIZES, listed, names_in, values_in
from blueprints.understanding.proposals import MOST_NEW, MOST_PARTS, Proposal, ProposedPart
from blueprints.understanding.reading import Reading

_MOST_TIMES = 8
"""A size that is so many times what is usual was not thought about."""
_LARGEST_NEW = {"cpu": 64, "memory": 512, "disk": 4096}
_COUNT = "count"


@dataclass
class Merged:
    """A blueprint in the making, and where the two differ."""

    document: GeneratedBlueprint
    model: str
    reading: Reading
    takes_sizes: bool = True
    differences: list[dict[str, Any]] = field(default_factory=list)

    def differs(self, part: str, name: str, kept: Any, proposed: Any, why: str) -> None:
        """Write down that the model's value is not taken."""
        self.differences.append({"resource": part, "field": name, "kept": kept, "proposed": proposed, "because": why})

    def rows(self, label: str) -> list[dict[str, Any]]:
        """The resources of a part, here."""
        names = {row["name"] for row in self.reading.rows(label)}
        return [row for row in self.document["resources"] if row["name"] in names]

    def set(self, label: str, name: str, value: Any) -> None:
        """Take a value of the model for a part."""
        for row in self.rows(label):
            row["specs"][name] = value
        self.causes(label)[name] = {"model": self.model}

    def causes(self, label: str) -> dict[str, Any]:
        """Where the values of a part come from."""
        causes: dict[str, Any] = self.document["metadata"]["causes"].setdefault(label, {})
        return causes


def merged(reading: Reading, proposal: Proposal, model: str) -> GeneratedBlueprint:
    """The blueprint that both make. Its budget, where there is one, is kept to. Raises Invalid."""
    result = _merged(reading, proposal, model, takes_sizes=True)
    parsed = parse_document(result.document)
    budget = reading.document["metadata"].get("max_cost")
    if budget is not None and figures_for(parsed, reading.prices)["estimated_cost"] > budget:
        result = _merged(reading, proposal, model, takes_sizes=False)
        parsed = parse_document(result.document)
    _with_figures(result, parsed)
    return result.document


def _merged(reading: Reading, proposal: Proposal, model: str, *, takes_sizes: bool) -> Merged:
    result = Merged(copy.deepcopy(reading.document), model, reading, takes_sizes)
    given: dict[str, ProposedPart] = {}
    for part in proposal.parts:
        given.setdefault(_label(reading, part.name), part)
    for label in reading.labels:
        if label in given:
            _take(result, label, given[label])
        elif label in reading.labels[:MOST_PARTS]:
            result.differs(label, "machine", reading.count(label), 0, "the request asks for it")
    for name, part in given.items():
        if name not in reading.labels:
            _add(result, part)
    for label in reading.labels:
        if label in given:
            _relate(result, label, given[label])
    _describe(result, proposal.summary.strip())
    return result


def _label(reading: Reading, name: str) -> str:
    return name if name in reading.labels else reading.label_of(name)


def _take(result: Merged, label: str, part: ProposedPart) -> None:
    """Value by value."""
    reading, specs = result.reading, result.rows(label)[0]["specs"]
    if part.count != reading.count(label):
        result.differs(label, _COUNT, reading.count(label), part.count, reading.why_settled(label, _COUNT))
    for name, value in _values(part):
        kept = specs.get(name)
        if not value or _same(name, kept, value):
            continue
        why = reading.why_settled(label, name) or _objection(result, name, kept, value)
        if why:
            result.differs(label, name, kept, value, why)
        else:
            result.set(label, name, value)


def _values(part: ProposedPart) -> Iterator[tuple[str, Any]]:
    """As the specs of a blueprint have them."""
    yield "cpu", part.cpu
    yield "memory", f"{part.memory_gb}GB"
    yield "disk", f"{part.disk_gb}GB"
    yield "os", part.os
    yield "software", list(dict.fromkeys(part.software))


def _same(name: str, kept: Any, value: Any) -> bool:
    if name in ("memory", "disk"):
        return kept is not None and parse_size(kept) == parse_size(value)
    return bool(kept == value or (name == "os" and str(kept or "").startswith(value)))


def _objection(result: Merged, name: str, kept: Any, value: Any) -> str:
    """Why an open value is not taken all the same; empty when it is."""
    if name in ("cpu", "memory", "disk"):
        if not result.takes_sizes:
            return "it would exceed the budget of the request"
        return "" if _plausible(name, kept, value) else "it is out of proportion to what is usual"
    if name == "os":
        return "the request does not want it" if result.reading.excludes("", value) else ""
    if kept:
        return "the request names what runs there"
    unwanted = [one for one in value if result.reading.excludes(one)]
    return f"the request does not want {unwanted[0]}" if unwanted else ""


def _plausible(name: str, kept: Any, value: Any) -> bool:
    if name == "cpu":
        return bool(value <= _MOST_TIMES * kept)
    return parse_size(kept) <= _MOST_TIMES * parse_size(value) <= _MOST_TIMES**2 * parse_size(kept)


def _add(result: Merged, part: ProposedPart) -> None:
    """Machines that the planner did not read, if words of the request stand for them."""
    refusal = _refusal(result, part)
    if refusal:
        result.differs(part.name, "machine", 0, part.count, refusal)
        return
    place = result.reading.place_of(part.words)
    number = part.count if str(part.count) in part.words.split() else 1
    usual = role_defaults(part.role)
    specs: dict[str, Any] = {
        "cpu": min(part.cpu, _LARGEST_NEW["cpu"]), "memory": f"{min(part.memory_gb, _LARGEST_NEW['memory'])}GB",
        "disk": f"{min(part.disk_gb, _LARGEST_NEW['disk'])}GB", "role": part.role, "tags": [part.role],
    }  # fmt: skip
    if not result.takes_sizes:
        specs |= {"cpu": usual["cpu"], "memory": f"{usual['memory']}GB", "disk": f"{usual['disk']}GB"}
    optional = {"count": number if number > 1 else None, "os": part.os, "software": list(dict.fromkeys(part.software))}
    specs |= {name: value for name, value in optional.items() if value}
    words = f"{part.role.replace('_', ' ').capitalize()}, for “{part.words.strip()}”"
    result.document["resources"].append(
        {"name": part.name, "type": "vm", "description": words, "specs": specs, "dependencies": []}
    )
    for name in specs:
        result.causes(part.name)[name] = {"model": result.model}
    result.causes(part.name)["machine"] = {"words": part.words.strip(), "span": list(place or ())}


def _refusal(result: Merged, part: ProposedPart) -> str:
    """Why machines are not added; empty when they are."""
    reading = result.reading
    known = {row["name"] for row in result.document["resources"]}
    if reading.is_complete:
        return "the request says how many machines there are in all"
    if reading.excludes("", part.role) or any(reading.excludes(one) for one in part.software):
        return "the request does not want it"
    if reading.place_of(part.words) is None:
        return "no words of the request ask for it that are not read already"
    if part.name in known or len(known) >= len(reading.document["resources"]) + MOST_NEW:
        return f"a model adds at most {MOST_NEW} kinds of machines, each under a name of its own"
    return ""


def _relate(result: Merged, label: str, part: ProposedPart) -> None:
    """What must be up first, beside what the planner says, as long as nothing waits for itself."""
    own = result.rows(label)
    for need in dict.fromkeys(_label(result.reading, name) for name in part.needs):
        others = result.rows(need) if need in result.reading.labels else []
        missing = [row["name"] for row in others if row["name"] not in own[0]["dependencies"]]
        if need == label or not missing:
            continue
        if _reaches(result.document, others[0]["name"], {row["name"] for row in own}):
            result.differs(label, "dependencies", None, need, "it would wait for itself")
            continue
        for row in own:
            row["dependencies"] = [*row["dependencies"], *missing]
        result.causes(label)["dependencies"] = {"model": result.model}


def _reaches(document: GeneratedBlueprint, start: str, goals: set[str]) -> bool:
    needs = {row["name"]: row["dependencies"] for row in document["resources"]}
    waiting, seen = [start], set()
    while waiting:
        name = waiting.pop()
        if name in goals:
            return True
        if name not in seen:
            seen.add(name)
            waiting += needs.get(name, ())
    return False


def _describe(result: Merged, summary: str) -> None:
    """A sentence about the whole, unless it gives orders to whoever reads it next."""
    if len(summary) > 2 and not defence_patterns().search(summary):
        result.document["description"] = summary
        result.causes("request")["description"] = {"model": result.model}


def _with_figures(result: Merged, parsed: BlueprintDocument) -> None:
    """What follows from the sizes, and what was assumed, once more."""
    metadata = result.document["metadata"]
    metadata["assumptions"] = [said for line in metadata["assumptions"] for said in _assumed(result, line)]
    metadata |= {**figures_for(parsed, result.reading.prices), "differences": result.differences}


def _assumed(result: Merged, line: str) -> Iterator[str]:
    """Of which sizes the usual one is taken, where the model gave some of them."""
    found = values_in(line, USUAL_SIZES)
    if found is None or found["kind"] not in result.reading.labels:
        yield line
        return
    causes, names = result.causes(found["kind"]), names_in(found["names"])
    given = [name for name in names if "model" in causes.get(name, {})]
    if given:
        yield _(MODEL_SIZES) % {"kind": found["kind"], "names": listed(given), "model": result.model}
    if len(given) < len(names):
        yield _(USUAL_SIZES) % {**found, "names": listed([name for name in names if name not in given])}
