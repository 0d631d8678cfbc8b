"""Words about a draft that the planner makes nothing of: a model may name operations on it, of a closed list. What the words
say in figures wins, and nothing is edited but by those operations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from alma.errors import BadRequest
from blueprints.pricing import PriceList
from blueprints.revising import Revision, settled
from blueprints.revising.changing import Draft
from blueprints.revising.choosing import number_of
from blueprints.revising.hearing import Heard, hear
from blueprints.revising.matching import meant, stem
from blueprints.revising.said import said_values
from blueprints.schema import Resource
from blueprints.schema.sizes import parse_size
from blueprints.understanding.asking import Question, ask_here, schema_of
from blueprints.understanding.outcomes import Badge, Status
from blueprints.understanding.proposals import Closed, System
from blueprints.understanding.sources import Source

MOST_OPERATIONS, MOST_TARGETS, LARGEST_COUNT = 6, 60, 50
Target = Annotated[str, Field(max_length=63)]


class Operation(Closed):
    """One thing to do to one part of the draft."""

    do: Literal["remove", "count", "resize", "system"]
    target: Target
    count: Annotated[int, Field(ge=1, le=LARGEST_COUNT)] | None
    cpu: Annotated[int, Field(ge=1, le=256)] | None
    memory_gb: Annotated[int, Field(ge=1, le=4096)] | None
    disk_gb: Annotated[int, Field(ge=4, le=65_536)] | None
    os: System | None


class Operations(Closed):
    """What to do; nothing when the words ask for none of it."""

    operations: Annotated[list[Operation], Field(max_length=MOST_OPERATIONS)]


TASK = """Somebody talks about a draft of machines. `words` is what they say, `machines` is the draft. Name the operations that \
they ask for: `remove` a machine, `count` how many of a kind there shall be, `resize` its cpu, memory_gb or disk_gb, or change \
its operating `system`. Use the names of the machines, or of a kind of them without its number. Values that an operation does \
not need are null. When the words ask for nothing of this, give no operations."""


@dataclass(frozen=True)
class Change:
    """The draft after what the model heard in the words; None when that is nothing, or nothing that can be done. `withheld` are
    machines that it would have taken away without a word of it."""

    revision: Revision | None
    badge: Badge
    withheld: list[str] = field(default_factory=list)


def changed(
    document: Mapping[str, Any], words: str, source: Source, *, prices: PriceList | None, turn: int = 0
) -> Change:
    """What a model makes of words about a draft."""
    draft = Draft(document, words, turn)
    targets = _targets(draft)
    outcome = ask_here(source, _question(draft, words, targets))
    badge = outcome.badge
    if outcome.value is None or not outcome.value.operations:
        return Change(None, badge)
    asked, withheld = _without_removals(draft, words, outcome.value.operations, targets)
    differences = _carry_out(draft, words, asked, targets, badge.name)
    if not draft.changes:
        return Change(None, badge, withheld)
    try:
        revision = settled(draft, prices)
    except BadRequest as error:
        return Change(None, Badge(badge.name, Status.GARBLED, error.message, badge.rounds, badge.tokens), withheld)
    about = {**revision.document["metadata"], "model": badge.as_dict(), "differences": differences}
    return Change(Revision({**revision.document, "metadata": about}, revision.changes), badge, withheld)


def _without_removals(
    draft: Draft, words: str, operations: list[Operation], targets: Mapping[str, list[Resource]]
) -> tuple[list[Operation], list[str]]:
    """The operations that the words bear out, and the machines that others would have taken away."""
    heard, kept, withheld = hear(words), [], []  # type: Heard, list[Operation], list[Resource]
    for one in operations:
        found = targets.get(one.target, [])
        gone = _gone(one, found)
        if gone and not _says_removal(heard, one, found, draft.resources):
            withheld += gone
        else:
            kept.append(one)
    return kept, list(dict.fromkeys(one.name for one in withheld))


def _gone(one: Operation, found: list[Resource]) -> list[Resource]:
    """The machines that an operation takes away."""
    if one.do == "remove":
        return found
    is_less = one.do == "count" and one.count is not None and one.count < number_of(found)
    return found[one.count or 0 :] or found[-1:] if is_less else []


def _says_removal(heard: Heard, one: Operation, found: list[Resource], parts: Sequence[Resource]) -> bool:
    """Whether somebody speaks of taking away, or of that number, and of nothing but these."""
    named = meant(heard, parts)
    if named and not all(resource in named for resource in found):
        return False
    if one.do == "count" and one.count in {heard.number, heard.goal}:
        return True
    return heard.is_denial or any(heard.has("operations", name) for name in ("remove", "fewer"))


def _targets(draft: Draft) -> dict[str, list[Resource]]:
    """What can be named: each machine, and each kind of which there are several."""
    found: dict[str, list[Resource]] = {}
    for resource in draft.machines[:MOST_TARGETS]:
        found.setdefault(stem(resource.name), []).append(resource)
    return found | {resource.name: [resource] for resource in draft.machines[:MOST_TARGETS]}


def _question(draft: Draft, words: str, targets: Mapping[str, Any]) -> Question[Operations]:
    rows = [row for row in draft.document["resources"] if row["name"] in targets]
    shown = [
        {"name": row["name"], **{k: v for k, v in (row.get("specs") or {}).items() if k in _SHOWN}} for row in rows
    ]
    schema = schema_of(Operations)
    schema["$defs"]["Operation"]["properties"]["target"] = {"type": "string", "enum": list(targets)}
    return Question("operations", TASK, {"words": words, "machines": shown}, Operations, schema)


_SHOWN = frozenset({"role", "count", "cpu", "memory", "disk", "os", "software"})


def _carry_out(
    draft: Draft, words: str, operations: list[Operation], targets: Mapping[str, list[Resource]], model: str
) -> list[dict[str, Any]]:
    """Each on what is still there. A draft is never emptied, and figures of the words stay as they were said."""
    said = said_values(words).values
    differences: list[dict[str, Any]] = []
    for one in operations:
        left = {row["name"] for row in draft.document["resources"]}
        found = [resource for resource in targets.get(one.target, ()) if resource.name in left]
        if one.do == "remove":
            _remove(draft, found if len(found) < len(left) else [])
        elif found:
            values, kept = _as_said(one, said)
            differences += kept
            _apply(draft, found, values, model)
    return differences


def _remove(draft: Draft, found: list[Resource]) -> None:
    for resource in found:
        draft.remove(resource)


def _as_said(one: Operation, said: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The values of an operation with those of the words in their place, and where these differ."""
    values = _values(one)
    other = {name: said[name] for name in values if name in said and not _same(values[name], said[name])}
    rows = [
        {"resource": one.target, "field": name, "kept": kept, "proposed": values[name], "because": "the words say it"}
        for name, kept in other.items()
    ]
    return {**values, **other}, rows


def _values(one: Operation) -> dict[str, Any]:
    given = {
        "count": {"count": one.count},
        "system": {"os": one.os},
        "resize": {
            "cpu": one.cpu,
            "memory": f"{one.memory_gb}GB" if one.memory_gb else None,
            "disk": f"{one.disk_gb}GB" if one.disk_gb else None,
        },
    }
    return {name: value for name, value in given[one.do].items() if value is not None}


def _apply(draft: Draft, found: list[Resource], values: dict[str, Any], model: str) -> None:
    number = values.pop("count", None)
    if number:
        draft.recount(found, int(number))
    causes = dict.fromkeys(values, {"model": model})
    for resource in found if values else ():
        draft.set_sizes(resource, values, causes)


def _same(value: Any, other: Any) -> bool:
    if isinstance(value, str) and isinstance(other, str) and value[0].isdigit():
        return parse_size(value) == parse_size(other)
    return bool(value == other)
