"""How each family writes the id of a thing, and how it is read back. What cannot be an id is a thing that does not exist."""

import re
import uuid
from abc import ABC, abstractmethod
from typing import Any

from alma.errors import NotFound

MAX_DIGITS = 18
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?", re.ASCII)


def no_such(kind: str, text: str) -> NotFound:
    """The answer for an id that leads nowhere, the same whether it ever did."""
    return NotFound(f"{kind.replace('_', ' ').capitalize()} {text[:60]} not found", code=f"{kind.upper()}_NOT_FOUND")


class Ids(ABC):
    """One way of writing ids. `kind` is what the id belongs to: vm, blueprint, agent."""

    @abstractmethod
    def write(self, kind: str, value: Any) -> Any:
        """The id as clients see it."""

    @abstractmethod
    def read(self, kind: str, text: str) -> Any:
        """The value behind an id of a path or a body. Raises NotFound."""


class Integers(Ids):
    """12"""

    def write(self, kind: str, value: Any) -> int:
        return int(value)

    def read(self, kind: str, text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
            raise no_such(kind, text)
        return int(text)


class Prefixed(Ids):
    """vm-012: the kind, a dash and a number of at least three digits."""

    def write(self, kind: str, value: Any) -> str:
        return f"{kind}-{int(value):03d}"

    def read(self, kind: str, text: str) -> int:
        digits = text.removeprefix(f"{kind}-")
        if digits == text or not (digits.isascii() and digits.isdigit() and 3 <= len(digits) <= MAX_DIGITS):
            raise no_such(kind, text)
        return int(digits)


class Uuids(Ids):
    """A random UUID in its usual form."""

    def write(self, kind: str, value: Any) -> str:
        return str(value)

    def read(self, kind: str, text: str) -> uuid.UUID:
        try:
            value = uuid.UUID(text)
        except ValueError as error:
            raise no_such(kind, text) from error
        if str(value) != text.lower():
            raise no_such(kind, text)
        return value


class Names(Ids):
    """The name that the caller gave it."""

    def write(self, kind: str, value: Any) -> str:
        return str(value)

    def read(self, kind: str, text: str) -> str:
        if not _NAME.fullmatch(text):
            raise no_such(kind, text)
        return text
