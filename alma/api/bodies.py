"""JSON bodies, most of them by a pydantic model: what has the wrong shape is a bad request, what has a wrong value is invalid."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails
from rest_framework import serializers
from rest_framework.request import Request

from alma.api.parsers import body_object
from alma.errors import BadRequest, DomainError, Invalid

_MOST_ERRORS = 20
_LONGEST_SHOWN = 100
_SECRETS = frozenset({"secret", "password", "token", "refresh_token", "encryption_key"})
_SHAPE = ("_type", "_parsing", "_from_float")


class CamelModel(BaseModel):
    """Written in camelCase, in requests and answers alike; a field that is not known is refused."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True)


class PatchModel(CamelModel):
    """What to change; what is left out stays, and nothing at all is refused."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    def changes(self) -> dict[str, Any]:
        """The fields that are given. Raises BadRequest when there are none."""
        given = self.model_dump(exclude_unset=True)
        if not given:
            raise BadRequest("Give at least one field to change.")
        return given


class RequestBody(serializers.Serializer):
    """A body in which every key means something: `dryrun` for `dry_run` is said, and not carried out for real."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse what is not known before anything else."""
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        if unknown:
            known = ", ".join(self.fields)
            message = f"is not a known field; known are {known}."
            raise serializers.ValidationError({name[:60]: [message] for name in unknown[:20]})
        return super().to_internal_value(data)


Body = TypeVar("Body", bound=BaseModel)


def read_body(model: type[Body], request: Request) -> Body:
    """The body of a request. Raises BadRequest for a missing field or a wrong type, Invalid for a value out of range."""
    return read(model, body_object(request.data))


def read(model: type[Body], data: Mapping[str, Any]) -> Body:
    """The same for values from elsewhere, such as a query string. Raises BadRequest, Invalid."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _refusal(error.errors(include_url=False)) from error


def read_query(model: type[Body], request: Request) -> Body:
    """What the query string of a request asks. Raises BadRequest, whatever is wrong with it: the parameters of a request are
    no values that anybody wants to keep."""
    try:
        return read(model, request.query_params.dict())
    except Invalid as error:
        raise BadRequest(error.message, code="INVALID_PARAMETER", details=error.details) from error


def _refusal(errors: list[ErrorDetails]) -> DomainError:
    rows = [_row(error) for error in errors[:_MOST_ERRORS]]
    first = rows[0]
    words = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    is_shape = any(_is_shape(row["type"]) for row in errors)
    return BadRequest(words, details=rows) if is_shape else Invalid(words, details=rows)


def _row(error: ErrorDetails) -> dict[str, Any]:
    field = _field(error)
    said = {"field": field, "message": _message(error), "reason": error["type"]}
    return {**said, "provided_value": _shown(error["input"])} if _is_plain(field, error["input"]) else said


def _is_plain(field: str, value: Any) -> bool:
    """Whether a value may be said back: what is short, and no secret."""
    is_secret = field.rpartition(".")[2].lower() in _SECRETS
    return not is_secret and (value is None or isinstance(value, int | float | str))


def _shown(value: Any) -> Any:
    return value[:_LONGEST_SHOWN] if isinstance(value, str) else value


def _is_shape(kind: str) -> bool:
    return kind in {"missing", "extra_forbidden"} or kind.endswith(_SHAPE)


def _field(row: ErrorDetails) -> str:
    return ".".join(str(part)[:60] for part in row["loc"])


def _message(row: ErrorDetails) -> str:
    words = {"missing": "is required", "extra_forbidden": "is not a known field"}
    return words.get(row["type"]) or row["msg"].removeprefix("Value error, ")
