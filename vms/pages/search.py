"""The search box of machines: `status:running env:production memory:>=8GB -tag:web db`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from django.db.models import Q

from alma import searching
from alma.jobs.models import Job
from alma.searching import Search, Term
from vms.machines import ACTIVITIES, UNKNOWN, tagged
from vms.models import Guest, GuestQuerySet

STATUSES = ("running", "stopped", "paused", "unknown", "missing")
_KINDS = {"vm": "vm", "container": "lxc", "lxc": "lxc", "template": "template"}
_UNITS = {"": 30, "k": 10, "m": 20, "g": 30, "t": 40, "p": 50}
_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*([kmgtp]?)(?:i?b)?", re.IGNORECASE | re.ASCII)
_LOOKUPS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_KNOWN = Q(cluster__unreachable_since=None, cluster__is_enabled=True) & ~Q(status=UNKNOWN)
"""Machines of which it is known now how they stand."""


@dataclass(frozen=True)
class Key:
    """A filter: what it takes, one example, and the condition of one value. That raises ValueError with a sentence."""

    takes: str
    example: str
    condition: Callable[[Term], Q]


def parse(text: str) -> Search:
    """Words and filters. What cannot be understood is a problem, and then nothing is to be shown: a filter that is left
    out would show more than was asked for."""
    search = searching.parse(text, KEYS, ALIASES)
    said = tuple(problem for term in search.terms if (problem := _problem(term)))
    return replace(search, problems=search.problems + said)


def apply(rows: GuestQuerySet, search: Search) -> GuestQuerySet:
    """The rows that fit every filter and every word; none while there is a problem. Templates and what is missing are
    there for those alone who ask for them."""
    if search.problems:
        return rows.none()
    rows = rows if _asks(search, "missing", "status", "is") else rows.present()
    rows = rows if _asks(search, "template", "kind", "is") else rows.filter(is_template=False)
    for term in search.terms:
        found = condition(term)
        rows = rows.exclude(found) if term.is_not else rows.filter(found)
    return rows


def _asks(search: Search, value: str, *keys: str) -> bool:
    """Whether one of these filters has this value among those that it asks for."""
    asked = (term.value.lower().split(",") for term in search.terms if term.key in keys and not term.is_not)
    return any(value in map(str.strip, values) for values in asked)


def condition(term: Term) -> Q:
    """What a filter or a word means; commas separate values of which one must fit. Raises ValueError."""
    if not term.key:
        return _anywhere(term.value)
    found = Q()
    for value in filter(None, map(str.strip, term.value.split(","))):
        found |= KEYS[term.key].condition(replace(term, value=value))
    return found


def _problem(term: Term) -> str:
    try:
        condition(term)
    except ValueError as error:
        return str(error)
    return ""


def _anywhere(word: str) -> Q:
    found = Q(name__icontains=word) | Q(node__icontains=word) | Q(tags__icontains=word) | Q(claim__key__icontains=word)
    if re.fullmatch(r"\d{1,3}\.[\d.]+", word, re.ASCII):
        found |= Q(details__ip_address__startswith=word)
    return found | _numbered(word) if _number_of(word) is not None else found


def _number_of(text: str) -> int | None:
    digits = text.lower().removeprefix("vm-")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def _numbered(text: str) -> Q:
    """By its id where one is written, else by its VMID."""
    number = _number_of(text)
    return Q(pk=number) if text.lower().startswith("vm-") else Q(vmid=number)


# -- filters ------------------------------------------------------------------------------------------
def _status(term: Term) -> Q:
    value = _one_of(term, STATUSES)
    if value == "missing":
        return Q(missing_since__isnull=False)
    if value == UNKNOWN:
        return ~_KNOWN
    return Q(status=value) & _KNOWN & ~Q(lock__in=ACTIVITIES)


def _environment(term: Term) -> Q:
    if term.value.lower() == "none":
        return Q(environment=None)
    return Q(environment__slug__iexact=term.value) | Q(environment__name__iexact=term.value)


def _kind(term: Term) -> Q:
    value = _KINDS[_one_of(term, tuple(_KINDS))]
    return Q(is_template=True) if value == "template" else Q(kind=value)


def _id(term: Term) -> Q:
    if _number_of(term.value) is None:
        raise ValueError(f"id:{term.value[:30]} is no VMID, and no id like vm-012.")
    return _numbered(term.value)


def _cores(term: Term) -> Q:
    if not (term.value.isascii() and term.value.isdigit() and len(term.value) < 6):
        raise ValueError(f"cpu:{term.value[:30]} is no number of cores; write cpu:4 or cpu:>4.")
    return Q((f"cores__{_LOOKUPS.get(term.sign, 'exact')}", int(term.value)))


def _sized(field: str) -> Callable[[Term], Q]:
    def condition(term: Term) -> Q:
        match = _SIZE.fullmatch(term.value)
        if match is None:
            raise ValueError(f"{term.key}:{term.value[:30]} is no size; write {term.key}:8GB or {term.key}:>=512MB.")
        size = int(float(match[1]) * 2 ** _UNITS[match[2].lower()])
        if size >= 2**62:
            raise ValueError(f"{term.key}:{term.value[:30]} is more than any machine has.")
        if term.sign:
            return Q((f"{field}__{_LOOKUPS[term.sign]}", size))
        return Q((f"{field}__range", (size - size // 50, size + size // 50)))

    return condition


def _text(lookup: str) -> Callable[[Term], Q]:
    return lambda term: Q((lookup, term.value))


_STATES: Mapping[str, Callable[[], Q]] = {
    "ours": lambda: Q(claim__isnull=False),
    "foreign": lambda: Q(claim=None),
    "busy": lambda: Q(pk__in=_at_work()),
    "locked": lambda: ~Q(lock=""),
    "drifted": lambda: Q(pk__in=Guest.objects.filter(claim__drifts__state="open").values("pk")),
    "protected": lambda: Q(environment__is_protected=True),
    "template": lambda: Q(is_template=True),
    "missing": lambda: Q(missing_since__isnull=False),
}


def _is(term: Term) -> Q:
    return _STATES[_one_of(term, tuple(_STATES))]()


def _at_work() -> list[int]:
    """Machines that a job works on directly."""
    jobs = Job.objects.active().filter(exclusive_key__startswith="guest:")
    return [pk for pk in jobs.values_list("params__guest", flat=True) if isinstance(pk, int)]


def _one_of(term: Term, known: tuple[str, ...]) -> str:
    value = term.value.lower()
    if value not in known:
        raise ValueError(f"{term.key}:{term.value[:30]} is not known; there are {', '.join(known)}.")
    return value


KEYS: Mapping[str, Key] = {
    "status": Key("how it stands", "status:running", _status),
    "env": Key("its environment, or none", "env:production", _environment),
    "is": Key(", ".join(_STATES), "is:ours", _is),
    "name": Key("part of its name", "name:db", _text("name__icontains")),
    "tag": Key("one of its tags", "tag:web", lambda term: tagged(term.value)),
    "node": Key("its node", "node:pve1", _text("node__iexact")),
    "cluster": Key(
        "slug or name of its cluster", "cluster:rack-1",
        lambda term: Q(cluster__slug__iexact=term.value) | Q(cluster__name__iexact=term.value),
    ),
    "kind": Key("vm, container or template", "kind:container", _kind),
    "cpu": Key("cores", "cpu:>4", _cores),
    "memory": Key("its memory; GB unless said", "memory:>=8GB", _sized("memory_bytes")),
    "disk": Key("all its disks", "disk:<1TB", _sized("disk_bytes")),
    "ip": Key("how its address begins", "ip:10.0", _text("details__ip_address__startswith")),
    "os": Key("part of its system", "os:ubuntu", _text("details__os_type__icontains")),
    "id": Key("VMID, or an id like vm-012", "id:5001", _id),
}  # fmt: skip
ALIASES = {
    "environment": "env", "state": "status", "cores": "cpu", "mem": "memory", "ram": "memory", "storage": "disk",
    "tags": "tag", "vmid": "id", "address": "ip", "type": "kind",
}  # fmt: skip
