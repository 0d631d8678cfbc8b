"""The search box of the queue: `status:pending env:production owner:me cache`."""

import shlex
from dataclasses import dataclass, field

from django.db.models import Q

from alma.accounts.actors import Actor
from iprs.identity import identity_of
from iprs.models import IPR
from iprs.models.ipr import IPRQuerySet

KEYS = ("status", "env", "owner", "blueprint")
_ALIASES = {"environment": "env", "author": "owner", "is": "status", "state": "status"}
LONGEST = 200


@dataclass(frozen=True)
class Term:
    """One filter, and the search without it."""

    key: str
    value: str
    rest: str


@dataclass(frozen=True)
class Search:
    """What was typed: filters and words, and what is wrong with it."""

    text: str
    filters: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    problems: tuple[str, ...] = field(default=())

    @property
    def terms(self) -> list[Term]:
        """The filters, each with the search that is left without it."""
        tokens = [f"{key}:{_quoted(value)}" for key, value in self.filters]
        words = list(map(_quoted, self.words))
        return [
            Term(key, value, " ".join([*tokens[:place], *tokens[place + 1 :], *words]))
            for place, (key, value) in enumerate(self.filters)
        ]


def parse(text: str) -> Search:
    """Words and `key:value` filters; quotes hold words together."""
    text = text.replace("\0", "")[:LONGEST].strip()
    filters, words, problems = [], [], []
    for token in _tokens(text):
        key, colon, value = token.partition(":")
        key = _ALIASES.get(key.lower(), key.lower())
        if not colon or not value or key not in KEYS:
            words.append(token)
        elif key == "status" and _status(value) is None:
            problems.append(f"There is no status {value}; there are {', '.join(IPR.Status.values)}.")
        else:
            filters.append((key, value))
    return Search(text, tuple(filters), tuple(words), tuple(problems))


def _tokens(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quote that is not closed yet
        return text.replace('"', " ").replace("'", " ").split()


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word


def _status(value: str) -> str | None:
    name = value.lower().replace("-", "_").replace(" ", "_")
    return name if name in IPR.Status.values else None


def apply(rows: IPRQuerySet, search: Search, actor: Actor) -> IPRQuerySet:
    """The rows that fit every filter and every word."""
    for key, value in search.filters:
        rows = rows.filter(_condition(key, value, actor))
    for word in search.words:
        rows = rows.filter(_anywhere(word))
    return rows


def _condition(key: str, value: str, actor: Actor) -> Q:
    if key == "status":
        return Q(status=_status(value))
    if key == "env":
        return Q(environment__slug__iexact=value) | Q(environment__name__iexact=value)
    if key == "blueprint":
        return Q(blueprint__name__icontains=value)
    is_me = value.lower() == "me"
    return Q(author_identity=identity_of(actor).name) if is_me else _authored(value)


def _anywhere(word: str) -> Q:
    number = word.lstrip("#")
    found = Q(title__icontains=word) | Q(blueprint__name__icontains=word) | _authored(word)
    return found | Q(pk=int(number)) if number.isascii() and number.isdigit() and len(number) < 18 else found


def _authored(name: str) -> Q:
    return Q(claimed_author__icontains=name) | Q(claimed_author="", created_by__icontains=name)
