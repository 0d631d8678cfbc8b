"""Why a draft has the values that it has, and what they are."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from blueprints.assistants.talk import Answer, Document, Talk, cost_line, kinds_of, portrait_of
from blueprints.causes import in_words
from blueprints.portrait import KindView
from blueprints.revising.hearing import Heard, hear, mentions
from blueprints.revising.matching import meant, stem
from blueprints.schema import Resource, parse_document
from blueprints.schema.sizes import format_size, parse_size
from blueprints.sentences import ASSUMPTIONS, reason_in_words, retold

_SIZE = re.compile(r"(\d+(?:[.,]\d+)?) ?([kmgt])i?[bo]?\b", re.IGNORECASE)
_CORES = re.compile(r"(\d+) ?(?:v?cpus?|cores?|kerne?n?|coeurs?|nucleos?|core)\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.-])(\d+)(?![\w.-]*\w)")
_NOUNS = {
    "cpu": gettext_noop("cores"), "memory": gettext_noop("memory"), "disk": gettext_noop("disk"), "os": gettext_noop("system"),
    "software": gettext_noop("software"), "count": gettext_noop("number"), "role": gettext_noop("role"),
}  # fmt: skip
_LABELS = ("cpu", "memory", "disk")
_ANY_SYSTEM = gettext_noop("the system that the environment prefers")
_MOST = 40
_ALL_KNOWN = gettext_noop("Nothing was assumed: every value was given.")


def explained(words: str, draft: Document, talk: Talk) -> Answer:
    """The cause of the value that is asked about; of a part, those of its values; else what was assumed."""
    heard, about, document = hear(words), draft.get("metadata", {}), parse_document(draft)
    portrait = portrait_of(draft, talk.prices)
    found = {one.name for one in meant(heard, document.resources)}
    kinds = kinds_of(portrait, found)
    asked = {row.kind.name: _asked(heard, row) for row in kinds}
    if not found and not any(asked.values()):
        return _assumed(about, kinds)
    lines = [line for row in kinds if (keys := asked[row.kind.name]) or found for line in _lines(about, row, keys)]
    return Answer("\n".join([*_amiss(words, kinds, asked), *lines[:_MOST]]) or _(_ALL_KNOWN))


def described(words: str, draft: Document, talk: Talk) -> Answer | None:
    """What the draft has of what is asked about, or as a whole; None when nothing of it is named."""
    heard, portrait = hear(words), portrait_of(draft, talk.prices)
    found = {one.name for one in meant(heard, parse_document(draft).resources)}
    is_asked = any(heard.has("questions", name) for name in ("overview", "amount", "system"))
    if portrait is None or not (found or is_asked):
        return None
    lines = [f"- {row.kind.range}: {_words(row)}" for row in kinds_of(portrait, found)[:_MOST]]
    return Answer("\n".join([*lines, *([] if found else [cost_line(draft, talk.prices)])]))


def reasons(metadata: Document, name: str) -> dict[str, Any]:
    """Where the values of a resource come from, by key; causes stand under its name or under that of all its siblings."""
    causes = metadata.get("causes")
    found = (causes.get(name) or causes.get(stem(name))) if isinstance(causes, dict) else None
    return dict(found) if isinstance(found, dict) else {}


def _words(row: KindView) -> str:
    machine = row.view.machine
    if machine is None:
        return row.view.resource.type
    count = f"{len(row.view.machines)} × " if len(row.view.machines) > 1 else ""
    cores = machine.cores * machine.sockets
    parts = [
        ngettext("%(count)s core", "%(count)s cores", cores) % {"count": cores},
        _("%(size)s memory") % {"size": format_size(machine.memory_bytes)},
        _("%(size)s disk") % {"size": format_size(row.view.disk_bytes)},
        row.view.image or _(_ANY_SYSTEM), *(row.view.resource.specs.software or ()),
    ]  # fmt: skip
    return count + ", ".join(part for part in parts if part)


def _assumed(about: Document, kinds: Sequence[KindView]) -> Answer:
    """What was assumed, and what the words said."""
    lines = [f"- {retold(line, ASSUMPTIONS)}" for line in about.get("assumptions", []) if isinstance(line, str)]
    for row in kinds:
        said = [
            _("%(what)s from %(cause)s") % {"what": _noun(key), "cause": in_words(cause)}
            for key, cause in reasons(about, row.kind.key).items()
            if isinstance(cause, Mapping) and "words" in cause
        ]
        lines += [f"- {row.kind.name}: {', '.join(said[:6])}."] if said else []
    return Answer("\n".join(lines[:_MOST]) or _(_ALL_KNOWN))


def _noun(key: str) -> str:
    return _(_NOUNS[key]) if key in _NOUNS else key


def _lines(about: Document, row: KindView, keys: Sequence[str]) -> Iterator[str]:
    """A sentence for each value: "postgresql: memory 8GB, not said, so the usual for database."."""
    known, values = reasons(about, row.kind.key), values_of(row)
    for key in keys or [key for key in _NOUNS if key in known]:
        value = f" {values[key]}" if key in values else ""
        yield f"- {row.kind.name}: {_noun(key)}{value}, {_told(known.get(key))}."


def _told(cause: object) -> str:
    """Why a value is what it is, as the end of a sentence."""
    if isinstance(cause, Mapping) and "default" in cause:
        return _("not said, so %(reason)s") % {"reason": reason_in_words(str(cause["default"]))}
    if isinstance(cause, Mapping) and "rule" in cause:
        return _("because: %(reason)s") % {"reason": in_words(cause)}
    said = in_words(cause) if cause else ""
    return (
        _("from %(cause)s") % {"cause": said} if said else _("for which no reason is noted: it came with the blueprint")
    )


def values_of(row: KindView) -> dict[str, str]:
    """What is there of a kind, as one writes it."""
    resource, machine = row.view.resource, row.view.machine
    values = {
        "count": str(len(row.view.machines)),
        "software": ", ".join(resource.specs.software or ()),
        "os": row.view.image,
    }
    if machine is not None:
        values |= {"cpu": str(machine.cores * machine.sockets), "memory": format_size(machine.memory_bytes),
                   "disk": format_size(machine.disk_bytes)}  # fmt: skip
    return {key: value for key, value in values.items() if value}


def _asked(heard: Heard, row: KindView) -> list[str]:
    """The keys that the words ask about: by their name, by the value that they have, or by what runs there."""
    values = values_of(row)
    named = [key for key in _LABELS if mentions(heard, "label", key)]
    sizes = _sized(heard, values)
    cores = ["cpu"] if values.get("cpu") in _CORES.findall(heard.text) else []
    if named or sizes or cores:
        return list(dict.fromkeys([*([key for key in sizes if key in named] if named else sizes), *(cores or named)]))
    return _by_kind(heard, row.view.resource) + _counted(heard, values)


def _sized(heard: Heard, values: Mapping[str, str]) -> list[str]:
    """The sizes whose value is said."""
    return [key for key in ("memory", "disk") if key in values and parse_size(values[key]) in _sizes(heard.text)]


def _counted(heard: Heard, values: Mapping[str, str]) -> list[str]:
    """The number, where it is said and no part of a size."""
    numbers = _NUMBER.findall(_SIZE.sub(" ", _CORES.sub(" ", heard.text)))
    return ["count"] if {values["count"], *_spelled(heard)} & {*numbers} else []


def _by_kind(heard: Heard, resource: Resource) -> list[str]:
    is_os = any(mentions(heard, "os", resource.specs.os.split("-")[0]) for _once in (0,) if resource.specs.os)
    runs = [name for name in resource.specs.software or () if name in heard.software]
    return [*(["os"] if is_os else []), *(["software"] if runs else [])]


def _spelled(heard: Heard) -> list[str]:
    return [str(heard.number)] if heard.number else []


def _sizes(text: str) -> set[int]:
    return {parse_size(f"{number.replace(',', '.')}{unit.upper()}B") for number, unit in _SIZE.findall(text)}


def _amiss(words: str, kinds: Sequence[KindView], asked: dict[str, list[str]]) -> list[str]:
    """That there is no such value, before what there is instead."""
    said = [match[0].strip() for match in _SIZE.finditer(words)]
    return [_("Nothing of it has %(size)s.") % {"size": said[0]}] if said and kinds and not any(asked.values()) else []
