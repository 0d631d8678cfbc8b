"""Doing something with many machines: each for itself, so that one that refuses keeps no other from it."""

from collections.abc import Iterable
from dataclasses import dataclass

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.errors import DomainError
from alma.jobs.models import Job
from vms.models import Guest
from vms.operations.eligibility import Footing, footings
from vms.operations.verbs import Options, Verb


@dataclass(frozen=True)
class Candidate:
    """A machine that was chosen, and why it is left as it is; empty where something is done, at once or when people have agreed:
    then `gate` is the environment that asks for it. `is_proposed` says that it is yet to be made and waits for people."""

    guest: Guest
    reason: str = ""
    gate: Environment | None = None
    is_proposed: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a machine: a job, or the reason why there is none, with the refusal where it was asked for."""

    guest: Guest
    job: Job | None = None
    reason: str = ""
    refusal: DomainError | None = None


def candidates(verb: Verb, guests: Iterable[Guest], *, by: Actor) -> list[Candidate]:
    """Each with what keeps it from this now: three queries."""
    rows = list(guests)
    known = footings(rows, by=by)
    return [_candidate(verb, guest, known[guest.pk]) for guest in rows]


def _candidate(verb: Verb, guest: Guest, footing: Footing) -> Candidate:
    """A template is nobody's machine: to copy one, nothing is done to it."""
    if guest.is_template:
        return Candidate(guest, "" if verb.takes_templates else "It is a template.")
    return Candidate(guest, footing.reason or verb.obstacle(guest), footing.gate, footing.is_proposed)


def begin_all(verb: Verb, guests: Iterable[Guest], options: Options, *, by: Actor) -> list[Outcome]:
    """Begin a job for each machine that may have one; the others say why not."""
    return [_begin(verb, candidate, options, by) for candidate in candidates(verb, guests, by=by)]


def _begin(verb: Verb, candidate: Candidate, options: Options, by: Actor) -> Outcome:
    if candidate.reason:
        return Outcome(candidate.guest, reason=candidate.reason)
    try:
        return Outcome(candidate.guest, verb.begin(candidate.guest, options, by))
    except DomainError as error:
        return Outcome(candidate.guest, reason=error.message, refusal=error)
