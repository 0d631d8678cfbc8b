"""Reading a list on from a row instead of from a count: nothing is skipped or shown twice while rows come and go."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, cast
from uuid import UUID

from django.core.exceptions import FieldDoesNotExist
from django.db.models import F, Model, OrderBy, Q, QuerySet

from alma.api.cursors import Cursor, span

Rows = QuerySet[Any, Any]


class Keyset:
    """The order of a queryset, made definite by its primary key."""

    def __init__(self, rows: Rows) -> None:
        names = list(rows.query.order_by or rows.model._meta.ordering)
        if not all(isinstance(name, str) and name != "?" for name in names):
            raise TypeError(
                "A list is paged by the names of fields; expressions and chance have no place to return to."
            )
        if not any(name.lstrip("-") in {"pk", "id"} for name in names):
            names.append("pk")
        self.names = cast("list[str]", names)
        self._is_definite = all(_is_definite(rows.model, name.lstrip("-").split("__")) for name in names)
        self.rows = rows.order_by(*(_ordered(rows.model, name) for name in self.names))

    def around(self, cursor: Cursor, count: int) -> list[Any]:
        """At most `count` rows after the place of a cursor, or those before it, in the order of the list."""
        if cursor.values is None:
            return list(self.rows[span(cursor, count)])
        rows = self.rows.filter(self._beyond(cursor.values, cursor.is_backward))
        if not cursor.is_backward:
            return list(rows[:count])
        return list(rows.reverse()[:count])[::-1]

    def values_of(self, row: Any) -> list[Any] | None:
        """What a row is sorted by, as JSON; None where a field may be NULL, which is neither before nor after a value."""
        if not self._is_definite:
            return None
        return [_plain(attrgetter(name.lstrip("-").replace("__", "."))(row)) for name in self.names]

    def count(self) -> int:
        """How many rows the list has now."""
        return self.rows.count()

    def _beyond(self, values: Sequence[Any], is_backward: bool) -> Q:
        """Rows that follow, or precede: greater in one field and equal in all fields before it."""
        beyond, equal = Q(), Q()
        for name, value in zip(self.names, values, strict=True):
            field = name.lstrip("-")
            is_descending = name.startswith("-") is not is_backward
            beyond |= equal & Q((f"{field}__{'lt' if is_descending else 'gt'}", value))
            equal &= Q((field, value))
        return beyond


def _ordered(model: type[Model], name: str) -> str | OrderBy:
    """What is unknown comes before all that is known, and after it in a descending list: databases differ in that."""
    field = name.lstrip("-")
    if _is_definite(model, field.split("__")):
        return name
    return F(field).desc(nulls_last=True) if name.startswith("-") else F(field).asc(nulls_first=True)


def _is_definite(model: type[Model], path: list[str]) -> bool:
    """Whether a field, reached through relations, always has a value. Of what is computed nothing is known."""
    if path == ["pk"]:
        return True
    try:
        field = model._meta.get_field(path[0])
    except FieldDoesNotExist:
        return False
    if field.null or not path[1:]:
        return not field.null
    return field.related_model is not None and _is_definite(field.related_model, path[1:])


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID | Decimal) else value
