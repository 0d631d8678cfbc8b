"""A model picks a tool where rules are unsure, from the names that there are, and reads figures that rules do not. Figures that
are not in the question are not taken, and it names no blueprint, no machine and no job."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field
from text_to_num import alpha2digit

from blueprints.generation.lexicon import language_of
from blueprints.tools.register import NAMES, tools
from blueprints.understanding.asking import Question, ask_here, schema_of
from blueprints.understanding.outcomes import Badge
from blueprints.understanding.proposals import Closed
from blueprints.understanding.sources import Source

_NUMBER = re.compile(r"(\d[\d,.]*)\s?([km]?)\b", re.IGNORECASE)
_FACTORS = {"": 1, "k": 1_000, "m": 1_000_000}
_LONGEST = 2_000


class Pick(Closed):
    """Which tool, and what the question says for it."""

    tool: Literal[NAMES]  # type: ignore[valid-type]
    peak_users: Annotated[int, Field(ge=1, le=100_000_000)] | None
    requests_per_second: Annotated[int, Field(ge=1, le=10_000_000)] | None
    days: Annotated[int, Field(ge=1, le=365)] | None
    usage_pattern: Literal["low_traffic", "moderate_traffic", "high_traffic"] | None
    metric: Literal["cpu", "memory", "storage", "network"] | None
    framework: Literal["cis", "soc2"] | None


ARGUMENTS = frozenset(Pick.model_fields) - {"tool"}
_FIGURES = frozenset({"peak_users", "requests_per_second", "days"})
TASK = """Pick the tool that answers `question`, and give the figures that the question itself says; everything else is null. \
`tools` says what each does."""


def pick(query: str, source: Source) -> tuple[Pick | None, Badge]:
    """What the model picks, and what became of asking it."""
    about = {one.name: one.description for one in tools()}
    question = Question("tool", TASK, {"question": query, "tools": about}, Pick, schema_of(Pick))
    outcome = ask_here(source, question)
    return outcome.value, outcome.badge


def arguments_of(picked: Pick, query: str) -> Mapping[str, Any]:
    """What it says beside the tool, without figures that nobody said."""
    said = figures_in(query)
    given = picked.model_dump(exclude={"tool"}, exclude_none=True)
    return {name: value for name, value in given.items() if name not in _FIGURES or value in said}


def figures_in(query: str) -> set[int]:
    """The whole numbers of a text, in digits and in words."""
    text = query[:_LONGEST]
    language = language_of(re.findall(r"\w+", text.lower()))
    found = _NUMBER.findall(f"{text} {alpha2digit(text, language)}")
    return {int(float(plain) * _FACTORS[unit.lower()]) for number, unit in found if (plain := _plain(number))}


def _plain(number: str) -> str:
    """1,000 and 1.5 as they are read; nothing for what is no number, or too long for one."""
    text = re.sub(r",(?=\d{3}\b)", "", number.rstrip(".,"))
    return text if re.fullmatch(r"\d{1,12}(\.\d{1,6})?", text) else ""
