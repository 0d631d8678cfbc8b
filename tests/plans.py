"""How the database carries out what the code asks of it."""

from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext


def plan_of(work: Callable[[], object]) -> str:
    """The plan of the last query of a piece of work. PostgreSQL counts its rows first, as it does by itself in time."""
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        if not is_sqlite:
            cursor.execute("ANALYZE")
        with CaptureQueriesContext(connection) as asked:
            work()
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if is_sqlite else ''}{asked.captured_queries[-1]['sql']}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())
