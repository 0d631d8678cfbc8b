"""The list of models, from memory: no instance is asked, so one that loads, sleeps or hangs is in it and delays nothing."""

from collections.abc import Iterator, Sequence
from typing import Any

from rapidfuzz import process

from alma.errors import NotFound
from instances.router.board import Target

SHOWN = 10
OWNER = "alma"


def models(targets: Sequence[Target]) -> dict[str, Any]:
    """The answer to `GET /v1/models`."""
    return {"object": "list", "data": list(_rows(target for target in targets if not target.is_unlisted))}


def model(targets: Sequence[Target], name: str) -> dict[str, Any]:
    """One of them by name or alias; unlisted ones too. Raises NotFound."""
    for row in _rows(iter(targets)):
        if row["id"] == name:
            return row
    raise NotFound(unknown(name, [one.name for one in targets]), code="MODEL_NOT_FOUND")


def unknown(name: str, known: Sequence[str]) -> str:
    """That there is no such model, and which there are, those with a similar name first."""
    if not known:
        return f"There is no model {name[:100]}; there are none yet."
    near = [found for found, _, _ in process.extract(name[:100], known, limit=SHOWN)]
    more = f" and {len(known) - len(near)} more" if len(known) > len(near) else ""
    return f"There is no model {name[:100]}. There are: {', '.join(near)}{more}."


def _rows(targets: Iterator[Target]) -> Iterator[dict[str, Any]]:
    """A row for each name; an alias that replicas share is one model."""
    seen = set()
    for target in targets:
        for name in (target.name, *target.aliases):
            if name not in seen:
                seen.add(name)
                yield _row(target, name)


def _row(target: Target, name: str) -> dict[str, Any]:
    return {
        "id": name, "object": "model", "created": int(target.created_at.timestamp()), "owned_by": OWNER,
        "root": target.name, "aliases": list(target.aliases), "status": target.shown_status,
    }  # fmt: skip
