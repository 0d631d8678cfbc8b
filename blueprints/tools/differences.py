"""compare_blueprints: what differs between two, and how alike they are.

Similarity is the Dice coefficient of the values that both say: each resource, found in both by its name, is a set of pairs of a
path and a value; so are the fields of the blueprint itself, its name and description apart, for they are titles.

    similarity = 2 × |pairs in both| / (|pairs of the first| + |pairs of the second|)

1 says that they differ in nothing but titles, 0 that they share no value; two that are both empty are alike.
"""

from typing import Annotated, Any

from pydantic import BaseModel, Field, model_validator

from alma.accounts.actors import Actor
from alma.errors import BadRequest
from blueprints.comparing import compare, flat
from blueprints.pricing import cost_of
from blueprints.pricing.book import price_list
from blueprints.schema import BlueprintDocument
from blueprints.tools.register import Arguments, Result, tool
from blueprints.tools.rounding import counted
from blueprints.tools.subjects import BlueprintId, Document, document_in, saved

TITLES = frozenset({"name", "description", "resources"})
_DEFINITION = (
    "Similarity is 2 × shared values / (values of the first + values of the second); resources are matched by name, and "
    "the titles of the blueprints do not count."
)


class CompareArguments(Arguments):
    """Two blueprints, each saved or sent along."""

    blueprint_id: BlueprintId | None = None
    other_blueprint_id: BlueprintId | None = None
    blueprint: Document | None = None
    other_blueprint: Document | None = None
    revision: (
        Annotated[int, Field(ge=1, le=10**9, description="A revision of the first, instead of its newest")] | None
    ) = None
    other_revision: Annotated[int, Field(ge=1, le=10**9, description="The same of the second")] | None = None

    @model_validator(mode="after")
    def _one_each(self) -> "CompareArguments":
        for one, other in (("blueprint_id", "blueprint"), ("other_blueprint_id", "other_blueprint")):
            if (getattr(self, one) is None) == (getattr(self, other) is None):
                raise ValueError(f"give {one} or {other}, and only one of them")
        return self


class ValueChange(BaseModel):
    """One value that differs; null is a value that is not there."""

    path: str
    before: str | None
    after: str | None


class ResourceChange(BaseModel):
    """A resource that differs; without a name it is the blueprint itself."""

    resource: str
    type: str
    action: str = Field(description="create, update or delete: what makes the second of the first")
    changes: list[ValueChange]


class CompareResult(Result):
    """What differs."""

    similarity: float = Field(ge=0, le=1, description="Dice coefficient of the values that they say")
    identical: bool
    created: int
    updated: int
    deleted: int
    unchanged: int
    items: list[ResourceChange]
    cost_before: float
    cost_after: float
    cost_difference: float
    currency: str


@tool(
    "compare_blueprints", "Compare two blueprints",
    "The structural difference of two blueprints or two revisions: resources that come, go and change, value by value, their "
    "difference in monthly cost, and how alike they are from 0 to 1.",
    example={"blueprint_id": 1, "other_blueprint_id": 2},
    rights=("blueprint:read",),
)  # fmt: skip
def compare_blueprints(arguments: CompareArguments, by: Actor) -> CompareResult:
    """Raises NotFound, Refused, Invalid."""
    before = _document(arguments.blueprint_id, arguments.blueprint, arguments.revision, by)
    after = _document(arguments.other_blueprint_id, arguments.other_blueprint, arguments.other_revision, by)
    return compared(before, after, by)


def compared(before: BlueprintDocument, after: BlueprintDocument, by: Actor) -> CompareResult:
    """The difference of two documents at the caller's prices."""
    found, alike = compare(before.as_dict(), after.as_dict()), similarity(before.as_dict(), after.as_dict())
    prices = price_list(by.organization_id)
    costs = [float(cost_of(document, prices).total) for document in (before, after)]
    items = [
        ResourceChange(
            resource=item.name,
            type=item.type,
            action=item.action,
            changes=[ValueChange(**vars(one)) for one in item.changes],
        )
        for item in found.items
    ]
    named = [item for item in items if item.resource]
    changed = sum(item.action == "update" for item in named)
    unchanged = len(set(before.by_name) & set(after.by_name)) - changed
    return CompareResult(
        summary=f"{_told(found.created, changed, found.deleted)}; {100 * alike:.0f} % alike.",
        assumptions=[_DEFINITION, prices.assumptions()[0]], similarity=alike, identical=not items,
        created=found.created, updated=changed, deleted=found.deleted, unchanged=unchanged, items=items,
        cost_before=costs[0], cost_after=costs[1], cost_difference=round(costs[1] - costs[0], 2), currency=prices.currency,
    )  # fmt: skip


def _told(created: int, changed: int, deleted: int) -> str:
    """Each number with a verb that fits; "nothing" of which there is none is left out."""
    counts = {"come": created, "change": changed, "go": deleted}
    said = [
        (number, verb if number != 1 else "goes" if verb == "go" else f"{verb}s")
        for verb, number in counts.items()
        if number
    ]
    (first, verb), *rest = said or [(0, "come, change or go")]
    return ", ".join([f"{counted(first, 'resource')} {verb}", *(f"{number} {verb}" for number, verb in rest)])


def similarity(before: dict[str, Any], after: dict[str, Any]) -> float:
    """From 0 to 1, to four digits."""
    first, second = _pairs(before), _pairs(after)
    values = len(first) + len(second)
    return round(2 * len(first & second) / values, 4) if values else 1.0


def _pairs(document: dict[str, Any]) -> set[tuple[str, str]]:
    own = {(path, value) for path, value in flat({k: v for k, v in document.items() if k not in TITLES})}
    return own | {
        (f"{resource['name']}: {path}", value)
        for resource in document["resources"]
        for path, value in flat({k: v for k, v in resource.items() if k != "name"})
    }


def _document(number: int | None, given: Any, revision: int | None, by: Actor) -> BlueprintDocument:
    if number is None:
        return document_in(given)
    row = saved(number, by)
    found = row.revisions.filter(number=revision or row.revision_number).first()
    if found is None:
        raise BadRequest(f"Blueprint {number} has no revision {revision}.", code="REVISION_NOT_FOUND")
    return found.parsed()
