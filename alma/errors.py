"""What can go wrong in the domain, in words for the person who asked. Nothing here knows of HTTP."""

from collections.abc import Mapping, Sequence
from typing import Any

Details = Mapping[str, Any] | Sequence[Any] | None


class DomainError(Exception):
    """A refusal with a sentence for the user, a stable code for programs and optional details."""

    code = "DOMAIN_ERROR"
    retry_after: int | None = None
    """Seconds after which it is worth trying again, where that is known."""

    def __init__(self, message: str, *, code: str | None = None, details: Details = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.details = details


class BadRequest(DomainError):
    """The request cannot be understood as it stands."""

    code = "BAD_REQUEST"


class Invalid(DomainError):
    """The request is understood, but its content breaks a rule; details list each field."""

    code = "VALIDATION_ERROR"


class NotAuthenticated(DomainError):
    """A credential is missing, unknown, expired or revoked."""

    code = "INVALID_API_KEY"


class PaymentRequired(DomainError):
    """A budget or an allowance does not reach for this."""

    code = "PAYMENT_REQUIRED"


class Refused(DomainError):
    """The actor is known and has no right to do this."""

    code = "FORBIDDEN"


class NotFound(DomainError):
    """There is no such thing, or the actor may not know that there is."""

    code = "NOT_FOUND"


class WrongState(DomainError):
    """The thing is in a state in which this cannot be done."""

    code = "WRONG_STATE"


class LengthRequired(DomainError):
    """The request has to say beforehand how long it is."""

    code = "LENGTH_REQUIRED"


class TooLarge(DomainError):
    """The request is larger than allowed."""

    code = "PAYLOAD_TOO_LARGE"


class RateLimited(DomainError):
    """The actor has asked too often in too short a time."""

    code = "RATE_LIMIT_EXCEEDED"

    def __init__(self, message: str, *, retry_after: int, code: str | None = None, details: Details = None) -> None:
        super().__init__(message, code=code, details=details)
        self.retry_after = retry_after


class Unavailable(DomainError):
    """A system that is needed does not answer; nothing was decided from its silence."""

    code = "UNAVAILABLE"
