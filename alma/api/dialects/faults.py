"""What each family says when something goes wrong."""

from collections.abc import Mapping
from typing import Any, Literal

from django.conf import settings
from pydantic import BaseModel, JsonValue

from alma.api.dialects.base import Fault, timestamp
from alma.api.dialects.envelopes import meta
from alma.api.dialects.names import ANTHROPIC_TYPES, OPENAI_TYPES


class ErrorBody(BaseModel):
    """The error body of the alma dialect; `errors` lists each broken field."""

    detail: str
    error_code: str
    timestamp: str
    errors: list[JsonValue] = []


def detail(fault: Fault) -> dict[str, Any]:
    """`{detail, error_code, timestamp}` of alma-api.txt; details are added beside, never instead."""
    body: dict[str, Any] = {"detail": fault.message, "error_code": fault.code, "timestamp": timestamp()}
    if isinstance(fault.details, Mapping):
        return {**fault.details, **body}
    if fault.details:
        body["errors"] = list(fault.details)
    return body


class AlumiaError(BaseModel):
    """Which error, and in words."""

    code: str
    message: str
    details: JsonValue = None


class AlumiaErrorBody(BaseModel):
    """The error body of the alumia dialect."""

    success: Literal[False]
    error: AlumiaError


def error_object(fault: Fault) -> dict[str, Any]:
    """`{success, error: {code, message}}` of alumia-api.txt."""
    error: dict[str, Any] = {"code": fault.code, "message": fault.message}
    if fault.details:
        error["details"] = fault.details
    return {"success": False, "error": error}


class ProxmoxError(BaseModel):
    """Which error, in words, and what about."""

    code: str
    message: str
    details: dict[str, JsonValue]


class Meta(BaseModel):
    """About the exchange."""

    request_id: str
    timestamp: str


class ProxmoxErrorBody(BaseModel):
    """The error body of the proxmox dialect."""

    success: Literal[False]
    error: ProxmoxError
    meta: Meta


def error_object_meta(fault: Fault) -> dict[str, Any]:
    """`{success, error: {code, message, details}, meta}` of proxmox-ai-api.txt."""
    error = {"code": fault.code, "message": fault.message, "details": _about(fault)}
    return {"success": False, "error": error, "meta": meta(fault.request_id)}


def _about(fault: Fault) -> dict[str, Any]:
    """The details as an object: the first broken field by name, and why in a word, as the document shows it."""
    reason = {"reason": fault.native.lower()} if fault.native != fault.code else {}
    if isinstance(fault.details, Mapping):
        return {**reason, **fault.details}
    rows = list(fault.details or [])
    if rows and isinstance(rows[0], Mapping) and "field" in rows[0]:
        first = rows[0]
        return {
            "field": first["field"], "reason": first.get("reason") or "invalid_value", "provided_value": first.get("provided_value"), "errors": rows,
        }  # fmt: skip
    return {**reason, "errors": rows} if rows else reason


class LlamactlOldErrorBody(BaseModel):
    """The error body of the older llamactl dialect."""

    error: str
    code: str
    details: str


def error_code_details(fault: Fault) -> dict[str, Any]:
    """`{error, code, details}` of llamactl-old-api.txt, all of them text."""
    return {"error": fault.message, "code": fault.code, "details": _as_text(fault.details)}


def _as_text(details: Any) -> str:
    if isinstance(details, Mapping):
        return "; ".join(f"{name}: {value}" for name, value in details.items())
    return "; ".join(_row_as_text(row) for row in details or ())


def _row_as_text(row: Any) -> str:
    if isinstance(row, Mapping) and "message" in row:
        return f"{row['field']}: {row['message']}" if row.get("field") else str(row["message"])
    return str(row)


class LlamactlErrorBody(BaseModel):
    """The error body of the llamactl dialect."""

    error: str


def error_text(fault: Fault) -> dict[str, Any]:
    """`{error}` of llamactl-api.txt."""
    return {"error": fault.message}


class OpenAIError(BaseModel):
    """What OpenAI's clients read."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIErrorBody(BaseModel):
    """The error body of the OpenAI routes."""

    error: OpenAIError


def openai_error(fault: Fault) -> dict[str, Any]:
    """An object that OpenAI's clients read, or the text of llamactl-api.txt where ALMA_OPENAI_ERRORS asks for it."""
    if settings.ALMA_OPENAI_ERRORS == "string":
        return error_text(fault)
    usual = "server_error" if fault.status >= 500 else "invalid_request_error"
    kind = OPENAI_TYPES.get(fault.status, usual)
    error = {"message": fault.message, "type": kind, "param": _param(fault.details), "code": fault.code.lower()}
    return {"error": error}


class AnthropicError(BaseModel):
    """Of which kind, and in words."""

    type: str
    message: str


class AnthropicErrorBody(BaseModel):
    """The error body of Anthropic's routes."""

    type: Literal["error"]
    error: AnthropicError
    request_id: str


def anthropic_error(fault: Fault) -> dict[str, Any]:
    """`{type, error: {type, message}, request_id}`."""
    usual = "api_error" if fault.status >= 500 else "invalid_request_error"
    error = {"type": ANTHROPIC_TYPES.get(fault.status, usual), "message": fault.message}
    return {"type": "error", "error": error, "request_id": fault.request_id}


def _param(details: Any) -> str | None:
    """The field that was wrong, where one is named."""
    row = details if isinstance(details, Mapping) else next(iter(details or ()), None)
    field = row.get("field", row.get("param")) if isinstance(row, Mapping) else None
    return str(field) if field else None
