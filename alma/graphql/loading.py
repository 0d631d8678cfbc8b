"""Objects that were read together fetch what belongs to them together: one query per relation, not one per row."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import strawberry
from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from alma.accounts.actors import Actor, permit
from alma.api.paging import MAX_LIMIT, MAX_SKIP
from alma.api.permissions import READS
from alma.errors import BadRequest

Node = TypeVar("Node", bound="Sibling")


@dataclass(frozen=True)
class Context:
    """Who asks. Every read goes through `visible_to` of this actor."""

    actor: Actor

    def reader(self, scope: str) -> Actor:
        """The caller, where they may read this, or where everybody may. Raises NotAuthenticated, Refused."""
        permit(self.actor, scope, opened_by=READS)
        return self.actor

    def insider(self, *scopes: str) -> Actor:
        """For what is never public: a credential with these rights. Raises NotAuthenticated, Refused."""
        permit(self.actor, *scopes)
        return self.actor


Info = strawberry.Info[Context, None]


@dataclass
class Family:
    """Objects of one reading, and what has been fetched for all of them."""

    members: list[Any] = field(default_factory=list)
    fetched: dict[Hashable, Mapping[Any, Any]] = field(default_factory=dict)


@strawberry.type
class Sibling:
    """An object that knows those it was read with."""

    family: strawberry.Private[Family]

    def of_all(self, name: Hashable, key: str, fetch: Callable[[list[Any]], Mapping[Any, Any]]) -> Any:
        """What `fetch` finds for the key of this object; it is asked once, for the keys of all siblings."""
        family = self.family
        if name not in family.fetched:
            keys = {getattr(member, key) for member in family.members} - {None}
            family.fetched[name] = fetch(sorted(keys)) if keys else {}
        return family.fetched[name].get(getattr(self, key))


def siblings(kind: type[Node], rows: Iterable[Mapping[str, Any]]) -> list[Node]:
    """Rows as objects that fetch together."""
    family = Family()
    family.members = [kind(family=family, **row) for row in rows]
    return family.members


def grouped(nodes: Iterable[Node], key: str) -> dict[Any, list[Node]]:
    """Objects by what they belong to."""
    groups: dict[Any, list[Node]] = {}
    for node in nodes:
        groups.setdefault(getattr(node, key), []).append(node)
    return groups


def first_of_each(rows: QuerySet[Any], owner: str, order: str, limit: int) -> QuerySet[Any]:
    """The first rows of each owner, in one query."""
    number = Window(RowNumber(), partition_by=F(owner), order_by=order)
    return rows.annotate(number=number).filter(number__lte=limit).order_by(owner, order)


def window(skip: int, limit: int) -> slice:
    """A page. Raises BadRequest."""
    within("skip", skip, 0, MAX_SKIP)
    return slice(skip, skip + within("limit", limit, 1, MAX_LIMIT))


def within(name: str, value: int, least: int, most: int) -> int:
    """The value, if it lies there. Raises BadRequest."""
    if not least <= value <= most:
        raise BadRequest(f"{name} must be a whole number from {least} to {most}.", code="INVALID_PARAMETER")
    return value
