"""The vocabulary of the planner, read once from the data files beside this one."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

LONGEST_PHRASE = 5
_HERE = Path(__file__).parent
_FOLDS = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "’": "'"})
_SPLIT = re.compile(r"[^a-z0-9]+", re.ASCII)


class Sense(NamedTuple):
    """What a phrase stands for: ("role", "web"), ("software", "nginx"), ("label", "memory")."""

    kind: str
    value: str


def fold(text: str) -> str:
    """Lower case without accents."""
    decomposed = unicodedata.normalize("NFKD", text.lower().translate(_FOLDS))
    return "".join(character for character in decomposed if not unicodedata.combining(character))


@cache
def table(name: str) -> dict[str, Any]:
    """One data file."""
    return tomllib.loads((_HERE / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def senses() -> dict[tuple[str, ...], Sense]:
    """Every phrase that means something, as a tuple of folded words."""
    said = {tuple(_SPLIT.split(phrase)): sense for phrase, sense in _phrases()}
    return {**dict(_machines_of(said)), **dict(_contracted(said)), **said}


def _contracted(said: dict[tuple[str, ...], Sense]) -> Iterator[tuple[tuple[str, ...], Sense]]:
    """Who says "don't want" may write "dont want"."""
    for words, sense in said.items():
        place = words.index("t") if "t" in words else 0
        if place and words[place - 1].endswith("n"):
            yield (*words[: place - 1], f"{words[place - 1]}t", *words[place + 1 :]), sense


def _machines_of(said: dict[tuple[str, ...], Sense]) -> Iterator[tuple[tuple[str, ...], Sense]]:
    """Who says "storage server" may say "storage boxes" as well."""
    for words, sense in said.items():
        if sense.kind == "role" and words[-1] == "server" and len(words) == 2:
            for noun in ("server", "box", "host", "machine", "node"):
                yield (words[0], noun), sense
                yield (words[0], f"{noun}es" if noun == "box" else f"{noun}s"), sense


def _phrases() -> Iterator[tuple[str, Sense]]:
    for kind, values in table("words").items():
        for value, phrases in values.items():
            yield from ((phrase, Sense(kind, value)) for phrase in phrases)
    yield from ((phrase, Sense("spread", "spread")) for phrase in _apart())
    yield from ((phrase, Sense("schedule", "weekly")) for phrase in _weekdays())
    for name, entry in software().items():
        yield from ((phrase, Sense("software", name)) for phrase in (name, *entry.get("aliases", ())))
    for family, phrases in (*table("systems")["systems"].items(), *table("systems")["others"].items()):
        yield from ((phrase, Sense("os", family)) for phrase in phrases)
    yield from ((word, Sense("os", system)) for word, system in table("systems")["codenames"].items())


def _weekdays() -> Iterator[str]:
    """ "every Monday", "montags", "tous les lundis"; "on Monday" may be a single one."""
    for words in table("weekdays").values():
        yield from (f"{lead} {day}" for lead in words["every"] for day in words["days"])
        plurals = [f"{day}{words['plural']}" for day in words["days"]]
        yield from (f"{lead} {day}".strip() for lead in words["all"] for day in plurals)


def _apart() -> Iterator[str]:
    """ "different physical servers", "hosts físicos distintos"; servers that are not called physical may be virtual."""
    for words in table("apart").values():
        bodies = [f"{p} {noun}" for p in words["physical"] for noun in (*words["nouns"], *words["bodies"])]
        yield from (
            f"{adjective} {noun}" for adjective in words.get("first", ()) for noun in (*words["nouns"], *bodies)
        )
        after = [f"{noun} {p}" for p in words["physical"] for noun in (*words["nouns"], *words["bodies"])]
        yield from (f"{noun} {adjective}" for adjective in words.get("last", ()) for noun in (*words["nouns"], *after))


@cache
def number_words(language: str) -> dict[str, float]:
    """English is understood in every language, except where it would mislead."""
    own = table("numbers")[language]["words"]
    return {**table("numbers")["everywhere"]["words"], **table("numbers")["en"]["words"], **own}


@cache
def articles(language: str) -> frozenset[str]:
    """The English "a" is a preposition in the Romance languages."""
    english = table("numbers")["en"]["articles"] if language in ("en", "de") else []
    return frozenset(english + table("numbers")[language]["articles"])


@cache
def plain_words() -> frozenset[str]:
    """Words that are never read as a slip of another one."""
    plain = table("plain")
    return frozenset(plain["words"].split()) | frozenset(plain["everyday"].split()) | counted_words()


@cache
def everyday_words() -> frozenset[str]:
    """Words of everybody that are near a word of the trade, and no slips of it."""
    return plain_words() | frozenset(table("everyday")["words"].split())


@cache
def counted_words() -> frozenset[str]:
    """Nouns that take a number away from the machines: "30 people", "3 tiers"."""
    return frozenset(table("plain")["counted"].split())


@cache
def host_stems() -> frozenset[str]:
    """What names of machines begin with: "web" of web01."""
    return frozenset(table("plain")["hosts"].split())


@cache
def host_ends() -> frozenset[str]:
    """What tells names with one beginning apart: "main" of db-main."""
    return frozenset(table("plain")["host_ends"].split())


@cache
def ordinary_words() -> frozenset[str]:
    """Words that are written with a capital at the beginning of a sentence and are no names of software."""
    return frozenset(table("plain")["ordinary"].split()) | plain_words() | counted_words()


@cache
def head_words() -> frozenset[str]:
    """Nouns behind which a name is no machine: "firewall logs"."""
    return frozenset(table("plain")["heads"].split())


@cache
def granting_words() -> frozenset[str]:
    """Verbs that say what somebody gets: "the first gets 8 GB"."""
    return frozenset(table("plain")["granting"].split())


@cache
def deferring_words() -> frozenset[str]:
    """Words for what is not built now: "production will follow later"."""
    return frozenset(table("plain")["deferring"].split())


@cache
def having_words() -> frozenset[str]:
    """Verbs that say what is there: "we have three Proxmox hosts"."""
    return frozenset(table("plain")["having"].split())


@cache
def tier_words() -> frozenset[str]:
    """Nouns that a number only describes: "a three-tier application"."""
    return frozenset(table("plain")["tiers"].split())


@cache
def watching_words() -> frozenset[str]:
    """Verbs after which machines are looked after, not built: "it watches 120 hosts"."""
    return frozenset(table("plain")["watching"].split())


@cache
def copying_words() -> frozenset[str]:
    """Words that say that something is there once more: "a copy of production"."""
    return frozenset(table("plain")["copying"].split())


@cache
def ordinals() -> dict[str, int]:
    """Words for one of several in order, and its place from 0, or from the end."""
    return {word: int(place) for place, words in table("plain")["ordinals"].items() for word in words.split()}


@cache
def receiving_words() -> frozenset[str]:
    """Verbs between what runs and the machine that it runs on."""
    return frozenset(table("plain")["receiving"].split())


@cache
def losing_words() -> frozenset[str]:
    """Words after which a machine is one that may fail: "losing one host"."""
    return frozenset(table("plain")["losing"].split())


@cache
def words_of(name: str) -> frozenset[str]:
    """A list of plain words: "dying", "conditions"."""
    return frozenset(table("plain")[name].split())


@cache
def fractions() -> dict[str, int]:
    """Into how many parts something is divided: 2 for "half", "Hälfte"."""
    return {word: int(parts) for parts, words in table("plain")["fractions"].items() for word in words.split()}


@cache
def foreign_words(language: str) -> frozenset[str]:
    """Small words that mean something in another language only: the Italian "come" is no "as" in English."""
    own = set(table("plain")["only"].get(language, "").split())
    return (
        frozenset(w for other, words in table("plain")["only"].items() if other != language for w in words.split())
        - own
    )


def language_of(words: list[str]) -> str:
    """The language whose small words occur most; English when in doubt."""
    scores = {language: sum(word in entry["markers"] for word in words) for language, entry in table("numbers").items()}
    best = max(scores, key=lambda language: scores[language])
    return best if scores[best] > scores["en"] else "en"


def role_defaults(role: str) -> dict[str, Any]:
    """Sizes, label and needs of a role."""
    roles = table("roles")
    return {**roles["default"], **roles.get(role, {})}


def software_facts(name: str) -> dict[str, Any]:
    return dict(software().get(name, {}))


@cache
def software() -> dict[str, dict[str, Any]]:
    """Every program that has a name, those that are known well over those of which only the role is known."""
    return {**dict(_programs("programs", {})), **dict(_programs("addons", {"addon": True})), **table("software")}


def _programs(kind: str, facts: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for role, listed in table("programs")[kind].items():
        for entry in listed.split(","):
            name, _, others = entry.strip().partition(" = ")
            aliases = [alias.strip() for alias in others.lower().split("|") if alias]
            is_proper = name[0].isupper()
            yield name.lower(), {**facts, "role": role, "aliases": aliases, "proper": is_proper, "rare": True}


def defence_patterns() -> re.Pattern[str]:
    """Sentences that address the machine."""
    return _compiled("|".join(table("defence")["phrases"]))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
