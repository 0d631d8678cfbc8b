"""What the planner read of a request, as far as a model's answer is held against it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from blueprints.drafts import draft_of
from blueprints.generation import GeneratedBlueprint
from blueprints.generation.constraints import read_constraints
from blueprints.generation.lexicon import software_facts
from blueprints.generation.normalising import readable, without_orders
from blueprints.generation.planner import understand
from blueprints.generation.tagging import tag
from blueprints.pasted import holds_blueprint
from blueprints.pricing import PriceList

_NO_REACH = 60
"""So many letters after a "no" it may still be about what follows in the sentence."""
_STOPS = re.compile(r"[.!?;\n]")
_NOUNS = {"words": "the request says", "rule": "it follows from the request:"}


@dataclass(frozen=True)
class Reading:
    """The planner's blueprint, and what the text rules out."""

    document: GeneratedBlueprint
    text: str
    prices: PriceList
    excluded: frozenset[str] = frozenset()
    is_complete: bool = False
    """Whether the text says how many machines there are in all."""
    negations: tuple[int, ...] = ()
    is_given: bool = False
    """Whether the request held a whole blueprint, of which every value was given."""

    @property
    def is_open(self) -> bool:
        """Whether there is something that a model could say."""
        return not self.why_closed

    @property
    def why_closed(self) -> str:
        """Why a model is not asked; empty when it is."""
        if self.is_given:
            return "The request holds a blueprint, and is taken as it stands."
        if self.document["metadata"]["questions"] or not self.document["resources"]:
            return "The request leaves something open that only you can say."
        return ""

    @cached_property
    def labels(self) -> list[str]:
        """The parts, by name."""
        return [label for label in self._causes if label != "request" and self.rows(label)]

    def rows(self, label: str) -> list[dict[str, Any]]:
        """The resources of a part."""
        pattern = re.compile(rf"{re.escape(label)}(-\d+)?")
        exact = [row for row in self.document["resources"] if row["name"] == label]
        return exact or [row for row in self.document["resources"] if pattern.fullmatch(row["name"])]

    def label_of(self, name: str) -> str:
        """The part of a resource."""
        return next((label for label in self.labels if any(row["name"] == name for row in self.rows(label))), name)

    def count(self, label: str) -> int:
        """How many machines a part has."""
        return sum(row["specs"].get("count", 1) for row in self.rows(label))

    def why_settled(self, label: str, name: str) -> str:
        """Why a value stays as it is, in words; empty when the text leaves it open. How many there are is never open: what
        the text does not count, it names once."""
        cause = self._causes.get(label, {}).get(name)
        if isinstance(cause, Mapping):
            for kind, said in _NOUNS.items():
                if kind in cause:
                    quoted = f"“{cause[kind]}”" if kind == "words" else cause[kind]
                    return f"{said} {quoted}"
        return "the request names one" if name == "count" else ""

    def settled(self, label: str) -> list[str]:
        """The values of a part that stay."""
        return [n for n in ("count", "role", "cpu", "memory", "disk", "os", "software") if self.why_settled(label, n)]

    def excludes(self, software: str, role: str = "") -> bool:
        """Whether the text does not want this, or what it is a kind of."""
        kind = str(software_facts(software).get("role", "")) if software else ""
        return bool(self.excluded & {name for name in (software, role, kind) if name})

    def place_of(self, quote: str) -> tuple[int, int] | None:
        """Where words of the request stand that the planner read nothing from and that no "no" is about."""
        words = quote.strip()
        found = re.search(rf"(?<!\w){re.escape(words)}(?!\w)", self.text, re.IGNORECASE) if len(words) > 2 else None
        if found is None:
            return None
        begin, end = found.span()
        is_read = any(begin < last and first < end for first, last in self._spans)
        return None if is_read or self._is_negated(begin) else (begin, end)

    def _is_negated(self, begin: int) -> bool:
        reach = [at for at in self.negations if 0 <= begin - at <= _NO_REACH]
        return any(not _STOPS.search(self.text[at:begin]) for at in reach)

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        causes = [cause for part in self._causes.values() for cause in part.values()]
        return [tuple(cause["span"]) for cause in causes if isinstance(cause, Mapping) and "span" in cause]

    @property
    def _causes(self) -> Mapping[str, Any]:
        causes: Mapping[str, Any] = self.document["metadata"]["causes"]
        return causes


def read(description: object, constraints: object, prices: PriceList) -> Reading:
    """The planner's reading. Raises BadRequest for what asks for something else."""
    document = draft_of(description, constraints, prices=prices)
    text = str(description).encode("utf-8", "replace").decode()
    if holds_blueprint(text):
        return Reading(document, text, prices, is_given=True)
    request = understand(text, read_constraints(constraints))
    cleaned = without_orders(text)[0]
    no = tuple(token.start for token in tag(readable(cleaned))[0] if token.kind in ("without", "existing"))
    is_complete = request.total_machines is not None or any(group.is_exact for group in request.groups)
    return Reading(document, cleaned, prices, frozenset(request.excluded), is_complete, no)
