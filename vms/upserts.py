"""Writing what was read over what was read before."""

from collections.abc import Iterable
from typing import Any

from django.db import models


def write_over(rows: Iterable[models.Model], unique: Iterable[str], written: Iterable[str]) -> None:
    """Insert rows of one model that have no number, and write these fields of those that have one.

    What is there already must not be looked for by trying to insert it: each try uses up a number, and numbers are what people
    call machines, networks and snapshots by."""
    known: dict[bool, list[Any]] = {True: [], False: []}
    for row in rows:
        known[row.pk is not None].append(row)
    for is_known, part in known.items():
        if part:
            type(part[0])._default_manager.bulk_create(
                part, batch_size=200, update_conflicts=True, unique_fields=["id"] if is_known else list(unique),
                update_fields=list(written),
            )  # fmt: skip
