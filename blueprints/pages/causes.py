"""Why each value of a draft is what it is: the words that were said and where they stand, a rule, a default, or a model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blueprints.models import Message
from blueprints.revising.matching import stem
from blueprints.schema import Resource

_SENTENCES = {
    "words": "From “{}”",
    "rule": "By a rule: {}",
    "parameter": "By the template's choice {}",
    "template": "By the template {}",
    "default": "Not said, so {}",
    "model": "Proposed by the model {}",
}
_UNITS = {"cpu": "{} CPU", "memory": "{} memory", "disk": "{} disk", "os": "{}", "software": "{}", "role": "{}"}
_ALSO = {
    "retention_days": "backup_days",
    "disks": "further_disks",
    "anti_affinity": "is_spread",
    "name": "network",
    "schedule": "backup_schedule",
}
"""Causes of the planner that go by another name than the key in the document."""
_UNSAID = frozenset({"tags"})
_MOST_LETTERS = 200


@dataclass(frozen=True)
class Place:
    """Where something was said: the number of a message, and from which to which letter of it."""

    message: int
    start: int
    end: int


@dataclass(frozen=True)
class Cause:
    """One reason, as a sentence, and where its words stand if they were said here."""

    kind: str
    text: str
    place: Place | None = None

    @property
    def sentence(self) -> str:
        """For a person who asks why."""
        return _SENTENCES.get(self.kind, "{}").format(self.text)


@dataclass(frozen=True)
class Value:
    """One value of a resource, in words, with its reason if that is known."""

    key: str
    text: str
    cause: Cause | None


@dataclass(frozen=True)
class Piece:
    """A stretch of what was said, between places where quotations begin or end."""

    text: str
    start: int
    end: int
    is_quoted: bool


def causes_of(metadata: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What is noted of a resource, under its name or under that of all its siblings. Metadata is free-form."""
    causes = metadata.get("causes")
    if not isinstance(causes, Mapping):
        return {}
    found = [causes.get(stem(name)), causes.get(name)]  # what is noted of the one resource counts more
    return {key: cause for rows in found if isinstance(rows, Mapping) for key, cause in rows.items()}


def values_of(
    resource: Resource, noted: Mapping[str, Any], said: Sequence[Message] = (), *, count: int = 1
) -> list[Value]:
    """The values of a resource, and after them whatever else was noted, such as why there are so many of it."""
    shown = [row for row in _flat(resource.specs.given()) if row[0] not in _UNSAID]
    values = [Value(key, text, read_cause(noted[of], said) if of else None) for key, text, of in _matched(shown, noted)]
    used = {of for _, _, of in _matched(shown, noted)}
    rest = [key for key in noted if key not in used]
    words = {key: key.replace("_", " ") for key in rest} | {"count": f"{count} of them" if count > 1 else "one"}
    return values + [Value(key, words[key], read_cause(noted[key], said)) for key in rest]


def _flat(specs: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Key, parent and text of each value; what stands in an object is a value of its own."""
    for key, value in specs.items():
        if isinstance(value, Mapping):
            yield from ((str(inner), key, f"{key} {_words(inner, part)}") for inner, part in value.items())
        else:
            plain = _plain(value).replace("_", " ") if key == "role" else _plain(value)
            yield key, "", _UNITS[key].format(plain) if key in _UNITS else _words(key, value)


def _words(key: Any, value: Any) -> str:
    return f"{str(key).replace('_', ' ')} {_plain(value)}"[:_MOST_LETTERS]


def _plain(value: Any) -> str:
    parts = value if isinstance(value, list) else [value]
    return ", ".join(str(part) for part in parts)[:_MOST_LETTERS]


def _matched(rows: Sequence[tuple[str, str, str]], noted: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Key, text, and the name under which its reason is noted, if it is."""
    for key, parent, text in rows:
        names = (f"{parent}_{key}" if parent else key, key, _ALSO.get(key, ""), parent)
        yield key, text, next((name for name in names if name and name in noted), "")


def read_cause(noted: Any, said: Sequence[Message]) -> Cause:
    """A reason as it was noted: by kind, or as a sentence in which quotation marks stand for what was said."""
    if isinstance(noted, Mapping):
        kind = next((kind for kind in _SENTENCES if kind in noted), "")
        text = str(noted.get(kind, ""))[:_MOST_LETTERS]
        quoted = text if kind == "words" else ""
        return Cause(kind, text, _place(quoted, noted.get("span"), _turn_first(noted.get("turn"), said)))
    text = str(noted)[:_MOST_LETTERS]
    if len(text) > 2 and text[0] == text[-1] == '"':
        return Cause("words", text[1:-1], _place(text[1:-1], None, said))
    return Cause("", text)


def _turn_first(turn: Any, said: Sequence[Message]) -> list[Message]:
    """The message that is named before the others."""
    return sorted(said, key=lambda message: message.number != turn)


def _place(words: str, span: Any, said: Sequence[Message]) -> Place | None:
    """Where the words stand; what was said last is meant first. A span counts where it holds these very words."""
    if not words:
        return None
    for message in said:
        start = _start(words, span, message.content)
        if start >= 0:
            return Place(message.number, start, start + len(words))
    return None


def _start(words: str, span: Any, content: str) -> int:
    start = span[0] if isinstance(span, list) and span else None
    if isinstance(start, int) and start >= 0 and content.startswith(words, start):
        return start
    return content.casefold().find(words.casefold()) if len(content.casefold()) == len(content) else content.find(words)


def pieces(content: str, places: Sequence[Place]) -> list[Piece]:
    """What was said, cut wherever a quotation begins or ends, so that each can be marked by its pieces."""
    cuts = sorted({0, len(content), *(place.start for place in places), *(place.end for place in places)})
    return [
        Piece(content[start:end], start, end, any(place.start <= start and end <= place.end for place in places))
        for start, end in zip(cuts, cuts[1:], strict=False)
        if start < end <= len(content)
    ]
