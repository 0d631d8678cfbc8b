"""Answers that say more than data: a message, or something about the exchange."""

from collections.abc import Mapping
from typing import Any

from rest_framework.response import Response


class Answer(Response):
    """A Response whose envelope also carries `message`, or more `meta` where the family has it."""

    def __init__(
        self,
        data: Any = None,
        status: int = 200,
        *,
        message: str | None = None,
        meta: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(data, status=status, headers=dict(headers or {}))
        self.message = message
        self.meta = dict(meta or {})
