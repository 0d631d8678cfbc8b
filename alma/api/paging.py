"""A part of a list, asked for as each family's document names it: skip, page, offset or cursor, and limit."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request

from alma.api import cursors
from alma.api.authentication import actor_of
from alma.api.cursors import Cursor
from alma.api.dialects import Dialect, Page
from alma.api.dialects.pages import MAX_LIMIT, PageStyle
from alma.api.keysets import Keyset
from alma.errors import BadRequest

DEFAULT_LIMIT = 100
MAX_SKIP = 10_000_000
MAX_PAGE = MAX_SKIP // MAX_LIMIT
_WHERE = frozenset({"limit", "skip", "offset", "page", "cursor"})
Write = Callable[[Any], Any]
Rows = QuerySet[Any, Any] | Sequence[Any]


def window(query: Mapping[str, str]) -> slice:
    """The slice of rows that a query string asks for. Raises BadRequest."""
    skip = whole(query, "skip", 0, least=0, most=MAX_SKIP)
    return slice(skip, skip + whole(query, "limit", DEFAULT_LIMIT, least=1, most=MAX_LIMIT))


def whole(query: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    """A whole number of a query string, within bounds. Raises BadRequest."""
    raw = query.get(name)
    if raw is None:
        return default
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 12 and least <= int(raw) <= most):
        raise BadRequest(f"{name} must be a whole number from {least} to {most}.", code="INVALID_PARAMETER")
    return int(raw)


def paginate(request: Request, rows: Rows, write: Write, *, key: str = "items") -> Page:
    """The rows that a request asks for, written one by one; its view's dialect says how to ask. Raises BadRequest.

    A queryset is read on from the row that its cursor names, a list from its offset."""
    dialect: Dialect = request.parser_context["view"].dialect
    style, query = dialect.page_style, request.query_params
    limit = whole(query, "limit", style.default_limit, least=1, most=MAX_LIMIT)
    source = Keyset(rows) if isinstance(rows, QuerySet) else _Listed(rows)
    part = _Part(source, _digest(request, source.names), limit)
    token = query.get("cursor") if style.has_cursors else None
    part.read(cursors.read(token, part.digest) if token else Cursor(_offset(style, query, limit)))
    return part.page(key, write, source.count() if style.has_total else None)


def read_on(rows: QuerySet[Any, Any], token: str, limit: int, *bound_to: object) -> Page:
    """The rows at a cursor, or the first ones without: for pages, which no dialect writes. Raises BadRequest.

    A cursor is good for the list alone that is named by `bound_to`: route, tenant and filters."""
    source = Keyset(rows)
    part = _Part(source, cursors.list_digest(*bound_to, source.names), limit)
    part.read(cursors.read(token, part.digest) if token else Cursor(0))
    return part.page("rows", lambda row: row, None)


def _offset(style: PageStyle, query: Mapping[str, str], limit: int) -> int:
    if style.position == "page":
        return (whole(query, "page", 1, least=1, most=MAX_PAGE) - 1) * limit
    return whole(query, style.position, 0, least=0, most=MAX_SKIP)


def _digest(request: Request, names: Sequence[str]) -> str:
    """A cursor holds for this route, tenant, order and filters; how much is asked for may change."""
    filters = sorted((name, value) for name, value in request.query_params.items() if name not in _WHERE)
    return cursors.list_digest(request.path.rstrip("/"), actor_of(request).organization_id, list(names), filters)


class _Listed:
    """A list that is there already; all that is known of a place in it is its offset."""

    names = ()

    def __init__(self, rows: Sequence[Any]) -> None:
        self.rows = rows

    def around(self, cursor: Cursor, count: int) -> list[Any]:
        return list(self.rows[cursors.span(cursor, count)])

    def values_of(self, row: Any) -> None:
        return None

    def count(self) -> int:
        return len(self.rows)


class _Part:
    """The rows of one page and what lies on either side of them. One row more than is asked for tells the latter."""

    def __init__(self, source: "Keyset | _Listed", digest: str, limit: int) -> None:
        self.source = source
        self.digest = digest
        self.limit = limit

    def read(self, cursor: Cursor) -> None:
        """Fetch the rows after a place, or before it."""
        found = self.source.around(cursor, self.limit + 1)
        has_more = len(found) > self.limit
        if cursor.is_backward:
            self.rows = found[1:] if has_more else found
            self.offset = max(1, cursor.offset - len(self.rows)) if has_more else 0
            self.has_next, self.has_previous = True, has_more
        else:
            self.rows, self.offset = found[: self.limit], cursor.offset
            self.has_next, self.has_previous = has_more, cursor.offset > 0

    def page(self, key: str, write: Write, total: int | None) -> Page:
        """As any family may write it."""
        rows, end = self.rows, self.offset + len(self.rows)
        return Page(
            [write(row) for row in rows], key, self.limit, self.offset, self.has_next, self.has_previous,
            self._cursor(end, rows[-1]) if self.has_next and rows else None,
            self._cursor(self.offset, rows[0], is_backward=True) if self.has_previous and rows else None,
            total,
        )  # fmt: skip

    def _cursor(self, offset: int, row: Any, *, is_backward: bool = False) -> str:
        return cursors.sign(Cursor(offset, self.source.values_of(row), is_backward), self.digest)
