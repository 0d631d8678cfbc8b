"""Which IPRs wait for whom: the tabs of the queue, the badge of the navigation and the tiles of the home page."""

from collections.abc import Callable, Mapping

from django.db.models import Exists, OuterRef

from alma.accounts.actors import Actor
from iprs.identity import identity_of
from iprs.models import IPR, Review
from iprs.models.ipr import IPRQuerySet

Queue = Callable[[IPRQuerySet, Actor], IPRQuerySet]


def needs_review(rows: IPRQuerySet, actor: Actor) -> IPRQuerySet:
    """Pending proposals of others whose current plan the actor has not judged yet."""
    if not actor.has("ipr:review"):
        return rows.none()
    name = identity_of(actor).name
    said = Review.objects.filter(
        ipr=OuterRef("pk"), identity=name, plan=OuterRef("current_plan"), action__in=Review.VERDICTS
    )
    return rows.filter(status=IPR.Status.PENDING).exclude(author_identity=name).exclude(Exists(said))


def changes_requested(rows: IPRQuerySet, actor: Actor) -> IPRQuerySet:
    """Those that somebody wants to be different."""
    return rows.filter(status=IPR.Status.CHANGES_REQUESTED)


def ready_to_deploy(rows: IPRQuerySet, actor: Actor) -> IPRQuerySet:
    """Approved, and not begun."""
    return rows.filter(status=IPR.Status.APPROVED)


def mine(rows: IPRQuerySet, actor: Actor) -> IPRQuerySet:
    """Opened by the actor."""
    return rows.filter(author_identity=identity_of(actor).name)


def waiting_for(rows: IPRQuerySet, actor: Actor) -> IPRQuerySet:
    """What only moves when the actor does something: a review, a revision of their own, or a deployment."""
    own = mine(rows, actor).filter(status__in=[IPR.Status.CHANGES_REQUESTED])
    found = needs_review(rows, actor) | own
    return found | ready_to_deploy(rows, actor) if actor.has("ipr:deploy") else found


QUEUES: Mapping[str, tuple[str, Queue]] = {
    "review": ("Needs review", needs_review),
    "changes": ("Changes requested", changes_requested),
    "ready": ("Ready to deploy", ready_to_deploy),
    "mine": ("Mine", mine),
}
