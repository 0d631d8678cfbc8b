"""Which machines may be acted on now, for many at once: pages say why not before anybody asks. It says what
`rights.held_claim` says, which every operation asks again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Q

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.errors import DomainError, WrongState
from alma.jobs.models import Job
from vms.inventory import BEING_MADE
from vms.lanes import check_lane
from vms.models import Guest, GuestClaim
from vms.operations.rights import busy, check_answers, key_of, not_ours

Place = tuple[int, int]
"""A cluster and a VMID."""


@dataclass(frozen=True)
class Footing:
    """How an actor stands to a machine: what keeps them from acting on it, the job that works on it, the environment in which
    people have to agree first, and whether it is yet to be made and waits for them."""

    refusal: DomainError | None = None
    job: Job | None = None
    gate: Environment | None = None
    is_proposed: bool = False

    @property
    def reason(self) -> str:
        """Why nothing can be done now, for people; empty where something can."""
        return self.refusal.message if self.refusal else ""


@dataclass(frozen=True)
class _Known:
    claims: Mapping[Place, GuestClaim] = field(default_factory=dict)
    environments: Mapping[int, Environment] = field(default_factory=dict)
    jobs: Mapping[str, Job] = field(default_factory=dict)

    def claim(self, guest: Guest) -> GuestClaim | None:
        return self.claims.get((guest.cluster_id, guest.vmid))

    def job(self, claim: GuestClaim | None) -> Job | None:
        """By the machine that it is about, or by its id where it is the run that took the claim last."""
        return (self.jobs.get(key_of(claim)) or self.jobs.get(claim.job)) if claim else None

    def gate(self, claim: GuestClaim | None) -> Environment | None:
        """As `rights.gated_by` says of one."""
        environment = self.environments.get(claim.environment_id or 0) if claim else None
        is_theirs = (
            claim is not None and environment is not None and environment.organization_id == claim.organization_id
        )
        return environment if is_theirs and environment is not None and environment.is_protected else None


def footings(guests: Iterable[Guest], *, by: Actor) -> dict[int, Footing]:
    """By the number of each machine; three queries, whatever there are. Their clusters come with them."""
    rows = list(guests)
    known = _known(rows)
    return {guest.pk: _footing(guest, known, by) for guest in rows}


def _known(guests: list[Guest]) -> _Known:
    numbers = {guest.vmid for guest in guests}
    found = GuestClaim.objects.active().filter(cluster__in={guest.cluster_id for guest in guests}, vmid__in=numbers)
    claims = {(claim.cluster_id, claim.vmid): claim for claim in found}
    if not claims:
        return _Known()
    keys, runs = {key_of(claim) for claim in claims.values()}, {claim.job for claim in claims.values()}
    jobs: dict[str, Job] = {}
    for job in Job.objects.active().filter(Q(exclusive_key__in=keys) | Q(public_id__in=runs)):
        jobs |= {key: job for key in (job.exclusive_key, job.public_id) if key}
    places = {claim.environment_id for claim in claims.values()} - {None}
    return _Known(claims, Environment.objects.in_bulk(places), jobs)


def _footing(guest: Guest, known: _Known, by: Actor) -> Footing:
    claim = known.claim(guest)
    job = known.job(claim)
    is_proposed = job is None and claim is not None and _is_to_be(guest, claim)
    try:
        _check(guest, claim, by)
    except DomainError as error:
        return Footing(error, job, is_proposed=is_proposed)
    if is_proposed:
        return Footing(_not_made(guest), is_proposed=True)
    return Footing(busy(claim, job) if claim and job else None, job, known.gate(claim))


def _is_to_be(guest: Guest, claim: GuestClaim) -> bool:
    """Whether a machine has a number and no more. Where no job is about to make it, people have to agree first."""
    return claim.state == GuestClaim.State.RESERVED and guest.status == BEING_MADE


def _not_made(guest: Guest) -> WrongState:
    """What is said before anybody asks; the operation itself would name the job that waits."""
    return WrongState(f"{guest.name or guest.vmid} is not made yet: people have to agree first.", code="NOT_MADE_YET")


def _check(guest: Guest, claim: GuestClaim | None, by: Actor) -> None:
    """Raises Refused, Unavailable, in the order of `held_claim`."""
    by.require("vm:write")
    check_lane(guest.cluster, by=by)
    check_answers(guest.cluster)
    if claim is None:
        raise not_ours(guest)
