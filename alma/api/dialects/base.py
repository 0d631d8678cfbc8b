"""What a dialect consists of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from alma.api.dialects.ids import Ids
from alma.api.dialects.pages import Page, PageStyle
from alma.errors import Details, DomainError
from alma.http import status_of

RATE_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


def timestamp() -> str:
    """Now, as the documents write it: UTC, seconds, Z."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class ProtocolError(DomainError):
    """What HTTP itself refuses, before or beside the domain; it knows its status, which is the same in every family."""

    def __init__(self, message: str, code: str, status: int, *, retry_after: int | None = None) -> None:
        super().__init__(message, code=code)
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True)
class Fault:
    """An error as one family says it, before it has a shape. `native` is the code that the domain gave it."""

    status: int
    code: str
    native: str
    message: str
    details: Details
    request_id: str


@dataclass(frozen=True)
class Exchange:
    """What an envelope may tell of the exchange beside the data."""

    request_id: str = ""
    milliseconds: int | None = None
    message: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Dialect:
    """How one family of routes speaks. Views name it and know nothing else of it."""

    name: str
    error_model: type[BaseModel]
    fault_body: Callable[[Fault], dict[str, Any]]
    envelope: Callable[[Any, Exchange], Any]
    envelope_schema: Callable[[dict[str, Any] | None], dict[str, Any]] | None
    """From the schema of the data, None for a message alone, to that of the body; None where bodies are bare."""
    page_style: PageStyle
    ids: Ids
    has_unix_times: bool = False
    requires_length: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    rate_header_names: tuple[str, ...] = RATE_HEADERS
    statuses: Mapping[type[DomainError], int] = field(default_factory=dict)
    """Where the document has another status for a kind of error than is usual."""
    codes: Mapping[int, str] = field(default_factory=dict)
    """The document's error codes by status; a status without one keeps the domain's own code."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Codes of the domain that the document knows under a name which does not follow from the status."""

    def status(self, error: DomainError) -> int:
        """The documented status of an error in this family."""
        if isinstance(error, ProtocolError):
            return error.status
        return next((self.statuses[kind] for kind in type(error).__mro__ if kind in self.statuses), status_of(error))

    def code(self, error: DomainError) -> str:
        """The documented code of an error in this family."""
        return self.names.get(error.code) or self.codes.get(self.status(error), error.code)

    def error_body(self, error: DomainError, request_id: str = "") -> dict[str, Any]:
        """The documented error body."""
        return self.fault_body(
            Fault(self.status(error), self.code(error), error.code, error.message, error.details, request_id)
        )

    def error_headers(self, error: DomainError) -> dict[str, str]:
        """What goes beside the body: how to authenticate, and when to try again."""
        headers = dict(self.headers)
        if self.status(error) == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if error.retry_after is not None:
            headers["Retry-After"] = str(error.retry_after)
        return headers

    def success_body(self, data: Any, exchange: Exchange) -> Any:
        """Data in the documented envelope; a Page is written as this family writes lists."""
        return self.envelope(self.page_style.body(data) if isinstance(data, Page) else data, exchange)

    def rate_headers(self, *, limit: int, remaining: int, reset: int, window: int) -> dict[str, str]:
        """The headers in which this family tells how much of an allowance is left."""
        values = (limit, remaining, reset, window)
        return {name: str(value) for name, value in zip(self.rate_header_names, values, strict=False)}
