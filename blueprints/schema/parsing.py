"""From any JSON value to a document, or to a list of what is wrong with it, field by field."""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from alma.errors import Invalid
from blueprints.schema import spec_keys
from blueprints.schema.bounds import MAX_INTEGER, Fault, Path, faults_of
from blueprints.schema.consistency import inconsistencies_of
from blueprints.schema.document import BlueprintDocument, Resource
from blueprints.schema.specs import BackupPolicy, Gpu, Nic, Specs, Strict, Volume

MAX_DETAILS = 50
_PLAIN_MESSAGES = {
    "missing": "is required",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "is_instance_of": "has the wrong type",
}
_NESTED: dict[str, type[Strict]] = {
    "network": Nic,
    "networks": Nic,
    "disks": Volume,
    "backup": BackupPolicy,
    "gpu": Gpu,
}
Detail = dict[str, Any]


def parse_document(data: object) -> BlueprintDocument:
    """The document, or Invalid whose details name each resource and field."""
    _refuse(data, faults_of(data))
    try:
        document = BlueprintDocument.model_validate(data)
    except ValidationError as error:
        raise invalid([_detail_of_error(data, problem) for problem in error.errors(include_url=False)]) from error
    _refuse(data, inconsistencies_of(document))
    return document


def invalid(details: list[Detail]) -> Invalid:
    """Invalid with a sentence about the first problem and all of them in its details."""
    first, more = details[0], len(details) - 1
    message = sentence(first) + (f" ({more} more problem{'s' if more > 1 else ''}.)" if more else "")
    return Invalid(message, details=details[:MAX_DETAILS])


def sentence(detail: Detail) -> str:
    """Resource "web", field specs.memory: 8 has no unit."""
    where = [f'resource "{detail["resource"]}"'] if detail["resource"] else []
    where += [f"field {detail['field']}"] if detail["field"] else []
    place = ", ".join(where) or "blueprint"
    end = "" if detail["message"].endswith("?") else "."
    return f"{place[0].upper()}{place[1:]}: {detail['message']}{end}"


def _refuse(data: object, faults: Iterable[Fault]) -> None:
    details = [_detail(data, fault.path, fault.message) for fault in faults]
    if details:
        raise invalid(details)


def _detail_of_error(data: object, error: Any) -> Detail:
    path: Path = tuple(error["loc"])
    return _detail(data, _as_written(data, path), _message(data, path, error))


def _detail(data: object, path: Path, message: str) -> Detail:
    resource, field = _place(data, path)
    place = [_printable(part) if isinstance(part, str) else part for part in path]
    return {"resource": resource, "field": field, "message": message, "value": _excerpt(_at(data, path)), "path": place}


def _place(data: object, path: Path) -> tuple[str | None, str]:
    if len(path) >= 2 and path[0] == "resources" and isinstance(path[1], int):
        name = _at(data, (*path[:2], "name"))
        label = _printable(name)[:63] if isinstance(name, str) and name else f"#{path[1] + 1}"
        return label, _dotted(path[2:])
    return None, _dotted(path)


def _dotted(path: Path) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{_printable(part)[:64]}" for part in path)
    return text.removeprefix(".")


def _at(data: object, path: Path) -> object:
    for part in path:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def _as_written(data: object, path: Path) -> Path:
    """Pydantic names the canonical key of specs; people look for the one they wrote."""
    given = _at(data, path[:3])
    if len(path) < 4 or path[2] != "specs" or not isinstance(given, dict):
        return path
    own = next((key for key, value in given.items() if spec_keys.canonical_key(key, value) == path[3]), path[3])
    return (*path[:3], own, *path[4:])


def _message(data: object, path: Path, error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return _unknown_key(path)
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if error["type"] == "string_pattern_mismatch":
        return _pattern_message(path)
    text = error["msg"].removeprefix("Input ")
    return _PLAIN_MESSAGES.get(error["type"]) or text[0].lower() + text[1:]


def _unknown_key(path: Path) -> str:
    key = str(path[-1])
    if path[0] != "resources" or len(path) == 1:
        return _suggestion(key, set(BlueprintDocument.model_fields))
    if len(path) == 3:
        return _suggestion(key, set(Resource.model_fields) | {"depends_on"})
    if len(path) == 4:
        return spec_keys.unknown_key_message(key, Specs.known_keys())
    model = _NESTED.get(str(path[3]))
    return _suggestion(key, set(model.model_fields) if model else set())


def _suggestion(key: str, known: set[str]) -> str:
    if key == "depends_on":
        return "is given beside dependencies; give one of them"
    near = spec_keys.nearest(key, known)
    return "is not a known field" + (f'; did you mean "{near}"?' if near else f"; known are {', '.join(sorted(known))}")


def _pattern_message(path: Path) -> str:
    if path == ("version",):
        return 'must be a version such as "1.0"'
    return "has characters that are not allowed there"


def _excerpt(value: object) -> object:
    """Enough of the value to recognise it, never a copy of something large."""
    if isinstance(value, str):
        return _printable(value[:200])
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, int | float) and not abs(value) <= MAX_INTEGER:
        return "a number out of range"
    return value if value is None or isinstance(value, int | float) else "something else"


def _printable(text: str) -> str:
    """Text that any database and any JSON reader takes."""
    return text.replace("\0", "\\0").encode("utf-8", "replace").decode()
