"""How each family asks for a part of a list and writes it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, RootModel, create_model

MAX_LIMIT = 200


@dataclass(frozen=True)
class Page:
    """A part of a list with all that any family says about it. `total` is counted only where a family says it."""

    rows: list[Any]
    key: str
    limit: int
    offset: int
    has_next: bool = False
    has_previous: bool = False
    next_cursor: str | None = None
    previous_cursor: str | None = None
    total: int | None = None

    @property
    def number(self) -> int:
        """Which page this is, from 1."""
        return self.offset // self.limit + 1

    @property
    def pages(self) -> int:
        """How many there are."""
        return -(-(self.total or 0) // self.limit)


class Pagination(BaseModel):
    """Where in a list this page lies; a cursor is an alternative to an offset."""

    total: int
    limit: int
    offset: int
    pages: int
    current_page: int
    has_next: bool
    has_previous: bool
    next_cursor: str | None
    previous_cursor: str | None


@dataclass(frozen=True)
class PageStyle:
    """The parameters of a family, and how it writes a page."""

    position: Literal["skip", "offset", "page"]
    default_limit: int
    body: Callable[[Page], Any]
    model: Callable[[type[BaseModel], str], Any]
    """From the model of a row and the key of the list to what describes a page: a model, or a schema."""
    has_cursors: bool = False
    has_total: bool = False


def _bare(page: Page) -> list[Any]:
    return page.rows


def _bare_model(row: type[BaseModel], key: str) -> type[BaseModel]:
    return create_model(f"{row.__name__}Array", __base__=RootModel[list[row]])  # type: ignore[valid-type]


def _beside_items(page: Page) -> dict[str, Any]:
    return {
        "items": page.rows, "page": page.number, "limit": page.limit,
        "nextCursor": page.next_cursor, "hasMore": page.has_next,
    }  # fmt: skip


def _beside_items_model(row: type[BaseModel], key: str) -> type[BaseModel]:
    fields: dict[str, Any] = {
        "items": (list[row], ...), "page": (int, ...), "limit": (int, ...),  # type: ignore[valid-type]
        "nextCursor": (str | None, ...), "hasMore": (bool, ...),
    }  # fmt: skip
    return create_model(f"{row.__name__}Page", **fields)


def _in_pagination(page: Page) -> dict[str, Any]:
    figures = {
        "total": page.total, "limit": page.limit, "offset": page.offset, "pages": page.pages,
        "current_page": page.number, "has_next": page.has_next, "has_previous": page.has_previous,
        "next_cursor": page.next_cursor, "previous_cursor": page.previous_cursor,
    }  # fmt: skip
    return {page.key: page.rows, "pagination": figures}


def _in_pagination_model(row: type[BaseModel], key: str) -> type[BaseModel]:
    fields: dict[str, Any] = {key: (list[row], ...), "pagination": (Pagination, ...)}  # type: ignore[valid-type]
    return create_model(f"{row.__name__}List", **fields)


SKIP = PageStyle("skip", 100, _bare, _bare_model)
WHOLE = PageStyle("skip", MAX_LIMIT, _bare, _bare_model)
NUMBERED = PageStyle("page", 50, _beside_items, _beside_items_model, has_cursors=True)
COUNTED = PageStyle("offset", 50, _in_pagination, _in_pagination_model, has_cursors=True, has_total=True)
