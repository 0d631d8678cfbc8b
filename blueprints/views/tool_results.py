"""The result of a tool as parts that a page draws: figures, sentences, tables, a chart, a draft."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.timezone import localtime
from pydantic import BaseModel

from alma.errors import Invalid
from blueprints.schema import parse_document, to_yaml
from blueprints.tools import Result
from blueprints.tools.forecasting import Foreseen, Known

WIDTH, HEIGHT, EDGE = 720, 140, 4
MOST_ROWS, MOST_OPENED = 100, 3
_BROAD = 4
_NO_COLUMN = frozenset({"draft", "unit"})
_SHOWN_ELSEWHERE = frozenset({"summary", "assumptions", "draft", "history", "forecast", "currency", "unit"})
_MEASURED = frozenset({"used", "total", "current", "expected"})
_UNITS = {"_gb": "GB", "_tb": "TB", "_percent": "%", "_ms": "ms", "_seconds": "s", "_minutes": "min", "_hours": "h"}
_NAMES = {"vmid": "VMID", "id": "ID"}
_WORDS = {"noop": "unchanged", "": "the document"}
"""Of actions, and of resources."""
_ONE_SIDED = {"create": "after", "delete": "before"}
"""Of what comes only what will be is told, of what goes only what was."""
_CODED = frozenset({"action", "status", "type", "usage_pattern", "workload"})


@dataclass(frozen=True)
class Table:
    """Rows that are alike: each cell with the heading of its column."""

    columns: tuple[str, ...]
    rows: tuple[tuple[tuple[str, str], ...], ...]
    more: int = 0


@dataclass(frozen=True)
class Part:
    """A titled part: figures, sentences or a table."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    sentences: tuple[str, ...] = ()
    table: Table | None = None


@dataclass(frozen=True)
class Curve:
    """What was measured and what is foreseen, with its interval, in one picture."""

    past: str
    future: str
    band: str
    labels: tuple[str, str, str]
    ticks: tuple[str, ...]
    words: str
    now: str
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class Drawn:
    """A whole result."""

    summary: str
    facts: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    assumptions: tuple[str, ...]
    drafts: tuple[tuple[str, str], ...] = ()
    curve: Curve | None = None


def draw(result: Result) -> Drawn:
    """Everything that a result says, each thing once."""
    names = [name for name in type(result).model_fields if name not in _SHOWN_ELSEWHERE]
    facts, parts = _facts(result, names), tuple(_inner_parts(result, names))
    return Drawn(result.summary, facts, parts, tuple(result.assumptions), _drafts(result), _curve(result))


def _facts(model: BaseModel, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The plain values that are known, each with its label."""
    told = ((name, getattr(model, name)) for name in names)
    return tuple((_label(name), _value(model, name)) for name, value in told if _is_plain(value) and value is not None)


def _inner_parts(model: BaseModel, names: Iterable[str]) -> list[Part]:
    """The parts of what is not plain."""
    told = ((name, getattr(model, name)) for name in names)
    return [part for name, value in told if not _is_plain(value) for part in _parts(name, value)]


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool | datetime)


def _label(name: str) -> str:
    ending = _ending(name)
    words = (name.replace(ending, "", 1) if ending else name).replace("_", " ").replace("cpu", "CPU")
    return _NAMES.get(name, words[:1].upper() + words[1:])


def _ending(name: str) -> str:
    """The unit that a name bears: `disk_gb`, `disk_gb_per_machine`."""
    return next((one for one in _UNITS if name.endswith(one) or f"{one}_per_" in name), "")


def _value(model: BaseModel, name: str) -> str:
    """One field; what was measured in the unit that stands beside it."""
    value, unit = getattr(model, name), str(getattr(model, "unit", ""))
    side = _ONE_SIDED.get(str(getattr(model, "action", ""))) if name == "changes" else None
    if side is not None:
        return _one_sided(value, side)
    if not isinstance(value, int | float):
        return _words(value, name)
    if "cost" in name or name.endswith("_monthly"):
        return f"{value:,.2f} {getattr(model, 'currency', '')}".strip()
    return _measured(value, unit) if name in _MEASURED else _words(value, name)


def _one_sided(changes: Sequence[BaseModel], side: str) -> str:
    """Of each change only what was, or only what will be."""
    return "; ".join(f"{_titled(one)}: {_words(getattr(one, side))}" for one in changes) or "–"


def _measured(value: float, unit: str) -> str:
    """In its unit; bytes as one reads them."""
    if "bytes" in unit:
        return f"{value / 1024**3:,.2f} GB{' a second' if 'second' in unit else ''}"
    return f"{_number(value)} {unit}".strip()


def _words(value: Any, name: str = "") -> str:
    """Any value in a few words; a unit follows from the name of its field."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is not None and (name in _NAMES or name.endswith("_id")):
        return str(value)
    if isinstance(value, int | float):
        return f"{_number(value)} {_UNITS.get(_ending(name), '')}".strip()
    if isinstance(value, datetime):
        return f"{localtime(value):%Y-%m-%d %H:%M}"
    if isinstance(value, str):
        return _text(value, name)
    return "not known" if value is None else _joined(value)


def _text(value: str, name: str) -> str:
    """A code as words; any other text as it is."""
    coded = value.replace("_", " ") if name in _CODED else value
    return _WORDS.get(value, coded) if name in {"action", "resource"} else coded


def _joined(value: Any) -> str:
    """What has parts, its parts."""
    if isinstance(value, BaseModel):
        return _changed(value) if {"before", "after"} <= type(value).model_fields.keys() else _fields(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_words(inner)}" for key, inner in value.items())
    said = [_words(inner) for inner in value]
    are_sentences = all(isinstance(inner, str) and inner.endswith(".") for inner in value)
    return (" " if are_sentences else "; ").join(said) or "–"


def _changed(change: BaseModel) -> str:
    """What it was and what it becomes."""
    sides = (getattr(change, one) for one in ("before", "after"))
    before, after = ("nothing" if one is None else _words(one) for one in sides)
    return f"{_titled(change)}: {before} → {after}"


def _fields(model: BaseModel) -> str:
    """Each field that is known, with its name."""
    known = (one for one in type(model).model_fields if one != "unit" and getattr(model, one) is not None)
    return ", ".join(f"{_label(one).lower()} {_value(model, one)}" for one in known)


def _titled(change: BaseModel) -> str:
    return str(getattr(change, "field", "") or getattr(change, "path", ""))


def _number(value: float) -> str:
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.4g}"


def _parts(name: str, value: Any) -> list[Part]:
    """What is not plain: a model with its own facts first, a mapping as facts, a list as a table or sentences."""
    title = _label(name)
    if isinstance(value, BaseModel):
        own, inner = _facts(value, type(value).model_fields), _inner_parts(value, type(value).model_fields)
        return [Part(title, facts=own), *inner] if own else inner
    if not value:
        return []
    if isinstance(value, Mapping):
        return [Part(title, facts=tuple((_label(str(key)), _words(one)) for key, one in value.items()))]
    rows = list(value)
    if isinstance(rows[0], BaseModel):
        return [Part(title, table=_table(rows)), *_within(rows)]
    return [Part(title, sentences=tuple(_words(one) for one in rows))]


def _within(rows: list[BaseModel]) -> list[Part]:
    """What is a table itself, below the one that it stands in, where these are few."""
    if len(rows) > MOST_OPENED:
        return []
    found = [(row, name) for row in rows for name in type(row).model_fields if _are_rows(getattr(row, name))]
    return [Part(f"{_label(name)}: {_value(row, next(iter(type(row).model_fields)))}", table=_table(getattr(row, name)))
            for row, name in found]  # fmt: skip


def _are_rows(value: Any) -> bool:
    """Whether it is too broad for a cell."""
    is_list = isinstance(value, list) and bool(value) and isinstance(value[0], BaseModel)
    return is_list and len(type(value[0]).model_fields) > _BROAD


def _table(rows: list[BaseModel]) -> Table:
    names = [
        name
        for name in type(rows[0]).model_fields
        if name not in _NO_COLUMN and any(getattr(row, name) not in (None, [], "") for row in rows)
        and not (_are_rows(getattr(rows[0], name)) and len(rows) <= MOST_OPENED)
    ]  # fmt: skip
    cells = tuple(tuple((_label(name), _value(row, name)) for name in names) for row in rows[:MOST_ROWS])
    return Table(tuple(_label(name) for name in names), cells, max(0, len(rows) - MOST_ROWS))


def _drafts(result: Result) -> tuple[tuple[str, str], ...]:
    """Blueprints that are proposed, as YAML, each with its name."""
    found = [getattr(result, "draft", None), *(one.draft for one in getattr(result, "suggestions", ()))]
    return tuple(drafted for one in found if one and (drafted := _drafted(one)))


def _drafted(draft: dict[str, Any]) -> tuple[str, str] | None:
    try:
        return str(draft.get("name", "Draft")), to_yaml(parse_document(draft))
    except Invalid:
        return None  # one that cannot be saved as it stands is no proposal


# -- a chart --------------------------------------------------------------------------------------
def _curve(result: Result) -> Curve | None:
    past: list[Known] = getattr(result, "history", [])
    future: list[Foreseen] = getattr(result, "forecast", [])
    if not past or not future:
        return None
    top = max([point.value for point in past] + [point.upper for point in future]) or 1.0
    span = past[0].at.timestamp(), future[-1].at.timestamp()
    joint = [(past[-1].at, past[-1].value)]
    lower = joint + [(point.at, point.lower) for point in future]
    upper = joint + [(point.at, point.upper) for point in future]
    return Curve(
        _line([(point.at, point.value) for point in past], span, top),
        _line(joint + [(point.at, point.value) for point in future], span, top),
        f"{_line(upper, span, top)} {_line(lower[::-1], span, top)}",
        (_scale(top, result), _scale(top / 2, result), "0"),
        tuple(f"{at:%d %b}" for at in (past[0].at, past[0].at + (future[-1].at - past[0].at) / 2, future[-1].at)),
        result.summary, _line(joint, span, top).partition(",")[0],
    )  # fmt: skip


def _line(points: Sequence[tuple[datetime, float]], span: tuple[float, float], top: float) -> str:
    width = (span[1] - span[0]) or 1.0
    return " ".join(
        f"{WIDTH * (at.timestamp() - span[0]) / width:.1f},{EDGE + (HEIGHT - 2 * EDGE) * (1 - value / top):.1f}"
        for at, value in points
    )


def _scale(value: float, result: Result) -> str:
    is_bytes = "bytes" in str(getattr(result, "unit", ""))
    return f"{value / 1024**3:,.1f} GB" if is_bytes else f"{value:,.1f}"
