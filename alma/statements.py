"""Reads that run thousands of times a second: the ORM writes the SQL once, each run only fills in the values.

Building and compiling a query costs several times what a small read costs the database. The one definition stays the
queryset: it is built with marks where the values go, and what it compiles to is kept per database.

Python's SQLite driver gives up the interpreter lock at each row. With many threads on several cores every row of a page
then waits its turn, and the page takes three times as long; so SQLite gathers many rows into one JSON text first.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import orjson
from django.db import connections, router
from django.db.models import QuerySet

_FIRST = 8_000_000_000_000_000_001
Build = Callable[..., QuerySet[Any, Any]]


class Statement:
    """`Statement(lambda skip, limit: Row.objects.all()[skip:skip + limit])(skip=20, limit=10)` is a list of rows.

    The shape of the query must not depend on the values. A value of a condition becomes a parameter, text or number;
    a limit or an offset is a number, which we write into the text as the ORM does. Rows come as the database gives
    them, so that what is neither text nor number has to be cast.
    """

    def __init__(self, build: Build, *names: str, many: bool = False) -> None:
        self._build = build
        self._many = many
        self._marks = {name: _FIRST + number * 1000 for number, name in enumerate(names)}
        self._written = cache(self._write)

    def __call__(self, **values: int | str) -> list[Sequence[Any]]:
        """Run it. The values are named as the arguments of the function that builds the query."""
        alias, sql, params = self._written()
        given: dict[int | str, int | str] = {}
        for name, mark in self._marks.items():
            given[mark] = given[str(mark)] = value = values[name]
            if isinstance(value, int):
                sql = sql.replace(str(mark), str(int(value)))
        with connections[alias].cursor() as cursor:
            cursor.execute(sql, [given.get(param, param) for param in params])
            rows: list[Any] = cursor.fetchall()
        return orjson.loads(rows[0][0]) if self._is_gathered(alias) else rows

    def _write(self) -> tuple[str, str, tuple[Any, ...]]:
        queryset = self._build(**self._marks)
        alias = queryset.db or router.db_for_read(queryset.model)
        compiler = queryset.query.get_compiler(alias)
        sql, params = compiler.as_sql()
        if self._is_gathered(alias):
            sql = _gathered(sql, len(compiler.select))
        return alias, sql, params

    def _is_gathered(self, alias: str) -> bool:
        return self._many and connections[alias].vendor == "sqlite"


def _gathered(sql: str, width: int) -> str:
    """The rows as one JSON array. SQLite keeps the order of a subquery under every aggregate but count, min and max."""
    columns = ", ".join(f"c{number}" for number in range(width))
    return f"WITH found({columns}) AS ({sql}) SELECT json_group_array(json_array({columns})) FROM found"
