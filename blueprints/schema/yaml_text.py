"""Blueprints as YAML text, for the editor: the plain part of YAML 1.2, and errors that point at a line.

Anchors, aliases, merge keys, tags and several documents in one text are refused: a reviewer must be able to read what is
there. `no` and `off` are words, as in YAML 1.2, and a version keeps its digits (1.10 is not 1.1).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from alma.errors import Invalid
from blueprints.schema.bounds import Path
from blueprints.schema.document import BlueprintDocument
from blueprints.schema.parsing import parse_document

MAX_BYTES = 128 * 1024
MAX_DEPTH = 32
_INTEGER = re.compile(r"[-+]?[0-9]{1,19}", re.ASCII)
_OCTAL = re.compile(r"0o[0-7]{1,20}", re.ASCII)
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]{1,15}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]{1,30}|[0-9]{1,30}(?:\.[0-9]{0,30})?)(?:[eE][-+]?[0-9]{1,3})?", re.ASCII)
_LONG = re.compile(r"[-+]?[0-9]{20,}", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII)
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_TEXT_PATHS = {("version",)}


def from_yaml(text: str) -> BlueprintDocument:
    """The document, or Invalid whose details carry line and column."""
    builder = _built(text)
    try:
        return parse_document(builder.result)
    except Invalid as error:
        raise _placed(error, builder.places) from error


def value_of(text: str) -> object:
    """What the text says, whether it is a blueprint or not. Raises Invalid with line and column."""
    return _built(text).result


def _built(text: str) -> "_Builder":
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise _invalid(f"is longer than {MAX_BYTES // 1024} KB", 1, 1)
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            builder.take(event)
    except yaml.YAMLError as error:
        raise _syntax_error(error) from error
    return builder


def to_yaml(document: BlueprintDocument) -> str:
    """YAML text that `from_yaml` reads back as the same document."""
    text: str = yaml.dump(
        document.as_dict(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=110
    )
    return text


def scalar(text: str) -> object:
    """What a plain scalar means in the core schema of YAML 1.2; ValueError for numbers that JSON has not."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEXADECIMAL.fullmatch(text):
        return int(text, 16)
    if _LONG.fullmatch(text):
        raise ValueError("a number of more than 19 digits must be quoted")
    if _FLOAT.fullmatch(text):
        return _finite(text)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a number that a blueprint can hold")
    return text


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{text[:30]} is too large a number")
    return value


@dataclass(slots=True)
class _Open:
    """A list or an object that is not closed yet."""

    value: dict[str, Any] | list[Any]
    path: Path
    key: str | None = None


@dataclass(slots=True)
class _Builder:
    """Builds JSON values from parser events, without recursion, and remembers where each began."""

    result: object = None
    places: dict[Path, tuple[int, int]] = field(default_factory=dict)
    stack: list[_Open] = field(default_factory=list)
    documents: int = 0

    def take(self, event: yaml.Event) -> None:
        """One event of the parser."""
        if isinstance(event, yaml.DocumentStartEvent):
            self._start(event)
        elif isinstance(event, yaml.AliasEvent):
            _refuse(event, "aliases (*name) are not allowed; write the value again")
        elif isinstance(event, yaml.NodeEvent):
            self._node(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self.stack.pop()

    def _start(self, event: yaml.Event) -> None:
        self.documents += 1
        if self.documents > 1:
            _refuse(event, "a second document begins here; a blueprint is one document")

    def _node(self, event: yaml.NodeEvent) -> None:
        if event.anchor:
            _refuse(event, "anchors (&name) are not allowed")
        if getattr(event, "tag", None):
            _refuse(event, "tags (!name) are not allowed")
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        else:
            self._collection(event)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if self.stack and isinstance(self.stack[-1].value, dict) and self.stack[-1].key is None:
            self._key(event, self.stack[-1])
            return
        path = self._path()
        try:
            value = scalar(event.value) if event.implicit[0] and path not in _TEXT_PATHS else event.value
        except ValueError as error:
            raise _invalid(str(error), *_place(event)) from error
        self._put(event, path, value)

    def _key(self, event: yaml.ScalarEvent, parent: _Open) -> None:
        if event.value == "<<" and event.implicit[0]:
            _refuse(event, "merge keys (<<) are not allowed")
        if event.value in parent.value:
            _refuse(event, f'the key "{event.value[:60]}" is given twice')
        parent.key = event.value

    def _collection(self, event: yaml.Event) -> None:
        if self.stack and isinstance(self.stack[-1].value, dict) and self.stack[-1].key is None:
            _refuse(event, "a key must be text")
        if len(self.stack) >= MAX_DEPTH:
            _refuse(event, f"nested more than {MAX_DEPTH} levels deep")
        value: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        path = self._path()
        self._put(event, path, value)
        self.stack.append(_Open(value, path))

    def _path(self) -> Path:
        if not self.stack:
            return ()
        parent = self.stack[-1]
        return (
            *parent.path,
            parent.key if isinstance(parent.value, dict) and parent.key is not None else len(parent.value),
        )

    def _put(self, event: yaml.Event, path: Path, value: object) -> None:
        self.places[path] = _place(event)
        if not self.stack:
            self.result = value
            return
        parent = self.stack[-1]
        if isinstance(parent.value, list):
            parent.value.append(value)
        else:
            parent.value[str(parent.key)] = value
            parent.key = None


class _Dumper(yaml.CSafeDumper):
    """Quotes what YAML 1.2 would read as something else, and never writes aliases."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _write_text(dumper: _Dumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if _would_change(text) else None)


def _would_change(text: str) -> bool:
    try:
        return not isinstance(scalar(text), str)
    except ValueError:
        return True


_Dumper.add_representer(str, _write_text)


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _refuse(event: yaml.Event, message: str) -> NoReturn:
    raise _invalid(message, *_place(event))


def _invalid(message: str, line: int, column: int) -> Invalid:
    detail: dict[str, Any] = {"resource": None, "field": "", "message": message, "value": None, "path": []}
    detail |= {"line": line, "column": column}
    return Invalid(f"Line {line}, column {column}: {message}.", details=[detail])


def _syntax_error(error: yaml.YAMLError) -> Invalid:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "this is not YAML"
    return _invalid(str(problem), *((mark.line + 1, mark.column + 1) if mark else (1, 1)))


def _placed(error: Invalid, places: dict[Path, tuple[int, int]]) -> Invalid:
    """The same refusal, with the line of each field."""
    details = [detail for detail in error.details or () if isinstance(detail, dict)]
    for detail in details:
        line, column = next(_nearest(detail, places))
        detail.update(line=line, column=column)
    line = details[0]["line"] if details else 1
    return Invalid(f"Line {line}: {error.message}", details=details)


def _nearest(detail: dict[str, Any], places: dict[Path, tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The place of the field, or of the nearest thing around it that exists."""
    path: Path = tuple(detail["path"])
    for length in range(len(path), -1, -1):
        if path[:length] in places:
            yield places[path[:length]]
    yield 1, 1
