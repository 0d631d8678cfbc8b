"""The search box of the queue: `status:pending env:production owner:me cache`."""

from dataclasses import replace

from django.db.models import Q

from alma import searching
from alma.accounts.actors import Actor
from alma.searching import Search, Term
from iprs.identity import identity_of
from iprs.models import IPR
from iprs.models.ipr import IPRQuerySet

KEYS = ("status", "env", "owner", "blueprint")
_ALIASES = {"environment": "env", "author": "owner", "is": "status", "state": "status"}


def parse(text: str) -> Search:
    """Words and filters. A status that there is not is a problem, and no filter."""
    search = searching.parse(text, KEYS, _ALIASES)
    wrong = [term for term in search.terms if term.key == "status" and _status(term.value) is None]
    said = [f"There is no status {term.value}; there are {', '.join(IPR.Status.values)}." for term in wrong]
    terms = tuple(term for term in search.terms if term not in wrong)
    return replace(search, terms=terms, problems=(*search.problems, *said))


def _status(value: str) -> str | None:
    name = value.lower().replace("-", "_").replace(" ", "_")
    return name if name in IPR.Status.values else None


def apply(rows: IPRQuerySet, search: Search, actor: Actor) -> IPRQuerySet:
    """The rows that fit every filter and every word."""
    for term in search.terms:
        found = _condition(term, actor)
        rows = rows.exclude(found) if term.is_not else rows.filter(found)
    return rows


def _condition(term: Term, actor: Actor) -> Q:
    key, value = term.key, term.value
    if not key:
        return _anywhere(value)
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
