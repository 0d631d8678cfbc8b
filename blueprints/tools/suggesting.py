"""suggest_architecture: patterns of a catalogue, ranked by what was asked for, each with its reasons, its price and its draft.

score = features that were asked for and it has - half of those that it lacks - a quarter of those that nobody asked for
        - 2 where it is meant for fewer people - 2 where it costs more than the budget
        - 2 where availability was asked for and it has none: the half above counts for wishes that something else makes up for
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field

from alma.accounts.actors import Actor
from blueprints.generation.lexicon import fold
from blueprints.pricing import PriceList, cost_of
from blueprints.pricing.book import price_list
from blueprints.schema import BlueprintDocument, expand, parse_document
from blueprints.tools.register import Arguments, Result, tool
from blueprints.tools.rounding import in_words

MOST = 3
_BINDING = "available"
"""The feature that nothing else makes up for."""
_WORD = re.compile(r"[a-z0-9]+", re.ASCII)
_COMPOUND = 6
"""So long a word is found at the end of a longer one: "Kundendatenbank"."""
_QUESTIONS = [
    "What is it for? For example a web shop, an API with a database, batch jobs from a queue, Kubernetes, a model with a GPU.",
    "How many people use it at the same time, may it fail, and what may it cost a month?",
]


class SuggestArguments(Arguments):
    """What it is for."""

    requirements: Annotated[str, Field(min_length=1, max_length=8000, description="What it is for, in words")]
    peak_users: Annotated[int, Field(ge=1, le=100_000_000, description="People at the same time")] | None = None
    max_cost: Annotated[float, Field(gt=0, le=10**9, description="Budget of a month")] | None = None
    high_availability: Annotated[bool, Field(description="Nothing may be missed when one machine fails")] = False


class Suggestion(BaseModel):
    """One pattern."""

    name: str
    title: str
    score: float
    reasons: list[str]
    drawbacks: list[str]
    machines: int
    estimated_cost_monthly: float
    draft: dict[str, Any] = Field(description="A blueprint; it is not saved")


class SuggestResult(Result):
    """The best patterns, the first first."""

    features: dict[str, str] = Field(description="What was understood, and the word that says it")
    suggestions: list[Suggestion] = Field(description="None where too little was understood")
    questions: list[str] = Field(default_factory=list, description="What has to be said first")
    currency: str


@cache
def _catalogue() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("catalogue.toml").read_text())


def drafts() -> list[dict[str, Any]]:
    """The patterns as blueprints."""
    return [_draft(pattern) for pattern in _catalogue()["patterns"]]


@tool(
    "suggest_architecture", "Suggest an architecture",
    "Architectures of a catalogue that suit what is asked for (features in the words, people, budget, availability), ranked by a "
    "stated score, each with reasons, drawbacks, monthly cost and a blueprint as a draft.",
    example={"requirements": "highly available web shop with a database", "peak_users": 5000, "max_cost": 800},
)  # fmt: skip
def suggest_architecture(arguments: SuggestArguments, by: Actor) -> SuggestResult:
    """Never refuses: where nothing is understood, it suggests nothing and asks."""
    prices, features = price_list(by.organization_id), _features(arguments)
    if not features and arguments.peak_users is None and arguments.max_cost is None:
        words = "That does not say what it is for, so there is nothing to suggest yet."
        return SuggestResult(summary=words, features={}, suggestions=[], questions=_QUESTIONS, currency=prices.currency)
    asked = _Asked(frozenset(features or {"simple"}), arguments.peak_users, arguments.max_cost)
    rows = [_suggestion(pattern, asked, prices) for pattern in _catalogue()["patterns"]]
    best = sorted(rows, key=lambda row: (-row.score, row.estimated_cost_monthly))[:MOST]
    notes = [] if features else ["No feature of the catalogue was named, so the simplest comes first."]
    understood = ", ".join(features) or "nothing in particular"
    return SuggestResult(
        summary=f"{best[0].title} suits best ({understood}): {best[0].estimated_cost_monthly:.2f} {prices.currency} a month.",
        assumptions=[*notes, "Score: features that it has, less half of those it lacks and a quarter of those nobody asked for; "
                     "less 2 where it is too small or too dear, or would fail with one machine though it may not.", prices.assumptions()[0]],
        features=features, suggestions=best, currency=prices.currency,
    )  # fmt: skip


@dataclass(frozen=True)
class _Asked:
    features: frozenset[str]
    people: int | None
    budget: float | None


def _features(arguments: SuggestArguments) -> dict[str, str]:
    """Features by the word that named them."""
    said = _WORD.findall(fold(arguments.requirements))
    found = {
        feature: word
        for feature, words in _catalogue()["words"].items()
        if (word := next((w for w in said if _is_one(w, words)), ""))
    }
    if arguments.high_availability:
        found["available"] = "high_availability"
    return found


def _is_one(word: str, words: list[str]) -> bool:
    return word in words or any(len(known) >= _COMPOUND and word.endswith(known) for known in words)


def _draft(pattern: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": "1.0", "name": pattern["name"], "description": pattern["title"], "resources": pattern["resources"],
        "metadata": {"generated_by": "suggest_architecture"},
    }  # fmt: skip


def _suggestion(pattern: dict[str, Any], asked: _Asked, prices: PriceList) -> Suggestion:
    document = parse_document(_draft(pattern))
    cost = float(cost_of(document, prices).total)
    has = frozenset(pattern["for"])
    lacks = asked.features - has
    score = len(asked.features & has) - len(lacks - {_BINDING}) / 2 - len(has - asked.features) / 4
    is_small = asked.people is not None and asked.people > pattern["people"]
    is_dear = asked.budget is not None and cost > asked.budget
    return Suggestion(
        name=pattern["name"], title=pattern["title"], score=score - 2 * is_small - 2 * is_dear - 2 * (_BINDING in lacks),
        reasons=_reasons(pattern, asked, has), drawbacks=_drawbacks(pattern, asked, has, cost), machines=_machines(document),
        estimated_cost_monthly=cost, draft=document.as_dict(),
    )  # fmt: skip


def _machines(document: BlueprintDocument) -> int:
    return len(expand(document).machines)


def _reasons(pattern: dict[str, Any], asked: _Asked, has: frozenset[str]) -> list[str]:
    met = sorted(asked.features & has)
    fits = asked.people is not None and asked.people <= pattern["people"]
    return [
        pattern["why"], *([f"It has what was asked for: {', '.join(met)}."] if met else []),
        *([f"It is meant for up to {pattern['people']} people at the same time."] if fits else []),
    ]  # fmt: skip


def _drawbacks(pattern: dict[str, Any], asked: _Asked, has: frozenset[str], cost: float) -> list[str]:
    rows = [pattern["cost"]]
    if lacking := sorted(asked.features - has):
        rows.append(f"It lacks {', '.join(lacking)}.")
    if asked.people is not None and asked.people > pattern["people"]:
        rows.append(f"It is meant for {pattern['people']} people, not for {asked.people}.")
    if asked.budget is not None and cost > asked.budget:
        rows.append(f"It costs {cost:.2f} a month; the budget is {in_words(asked.budget)}.")
    return rows
