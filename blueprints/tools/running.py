"""Carrying out a tool: which one, whether its arguments are any, and with whose rights. Nothing is changed by it."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from alma.accounts.actors import Actor
from alma.errors import BadRequest, NotFound, Refused
from blueprints.models import Assistant
from blueprints.tools.register import NAMES, REGISTER, Arguments, Result, Tool
from blueprints.tools.rounding import round_all

READ = "tool:read"
_MOST_ERRORS = 20


def find(name: object) -> Tool:
    """The tool of a name. Raises NotFound, BadRequest for what is no name."""
    if not isinstance(name, str):
        raise BadRequest("Field tool: give the name of a tool.", code="VALIDATION_ERROR")
    found = REGISTER.get(name)
    if found is None:
        raise NotFound(
            f"There is no tool “{name[:60]}”; there are {', '.join(NAMES)}.", code="TOOL_NOT_FOUND",
            details={"tools": list(NAMES)},
        )  # fmt: skip
    return found


def execute(name: object, given: object, *, by: Actor, assistant: Assistant | None = None) -> Result:
    """What a tool finds, with the caller's rights; an assistant uses those that it names. Raises NotFound, BadRequest, Refused,
    and what the tool raises."""
    by.require(READ)
    found = find(name)
    if assistant is not None and found.name not in assistant.tools:
        raise Refused(f"The agent {assistant.name} may not use {found.name}.", code="TOOL_NOT_ALLOWED")
    return run(found, given, by=by)


def run(found: Tool, given: object, *, by: Actor) -> Result:
    """What it finds. Raises BadRequest, Refused, and what the tool raises."""
    for right in found.rights:
        by.require(right)
    result = found.run(read_arguments(found, given), by)
    round_all(result)
    return result


def read_arguments(found: Tool, given: object) -> Arguments:
    """The arguments of a call. Raises BadRequest with a row for each field: the document knows no other refusal here."""
    if not isinstance(given, Mapping):
        raise BadRequest("Field arguments: must be an object.", code="VALIDATION_ERROR")
    try:
        return found.arguments.model_validate(dict(given))
    except ValidationError as error:
        rows = [_row(row) for row in error.errors(include_url=False)[:_MOST_ERRORS]]
        first = rows[0]
        where = f"Field {first['field']}: " if first["field"] else ""
        raise BadRequest(f"{where}{first['message']}.", code="VALIDATION_ERROR", details=rows) from error


def _row(error: Any) -> dict[str, Any]:
    known = {"missing": "is required", "extra_forbidden": "is not a known field"}
    message = known.get(error["type"]) or error["msg"].removeprefix("Value error, ").replace("Input should ", "must ")
    return {"resource": None, "field": ".".join(str(part)[:60] for part in error["loc"]), "message": message}
