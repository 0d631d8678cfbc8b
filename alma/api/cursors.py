"""Cursors: signed, and good for the list alone that they came from."""

import hashlib
from dataclasses import dataclass
from typing import Any

from django.core.signing import BadSignature, Signer

from alma.errors import BadRequest

MAX_LENGTH = 2000
_SIGNER = "alma.api.cursors"


@dataclass(frozen=True)
class Cursor:
    """A place in a list: between two rows, to be read on from or back from."""

    offset: int
    """How many rows lay before the place when it was noted."""
    values: list[Any] | None = None
    """What the row beside the place is sorted by; None where only the offset is known."""
    is_backward: bool = False


def span(cursor: Cursor, count: int) -> slice:
    """At most `count` rows after the offset of a cursor, or before it."""
    if cursor.is_backward:
        return slice(max(0, cursor.offset - count), cursor.offset)
    return slice(cursor.offset, cursor.offset + count)


def list_digest(*parts: object) -> str:
    """What a cursor is bound to: everything that decides which rows a list has, and in which order."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


def sign(cursor: Cursor, digest: str) -> str:
    """The cursor as clients carry it."""
    return Signer(salt=_SIGNER).sign_object([digest, cursor.offset, cursor.values, cursor.is_backward])


def read(text: str, digest: str) -> Cursor:
    """The cursor again. Raises BadRequest for any that was not signed here for this very list."""
    invalid = BadRequest("This cursor is not one of this list; begin again without it.", code="INVALID_CURSOR")
    if len(text) > MAX_LENGTH:
        raise invalid
    try:
        bound_to, offset, values, is_backward = Signer(salt=_SIGNER).unsign_object(text)
    except BadSignature as error:
        raise invalid from error
    if bound_to != digest:
        raise invalid
    return Cursor(offset, values, is_backward)
