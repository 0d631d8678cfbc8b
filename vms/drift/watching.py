"""The chore that compares every cluster with the ledger. One that cannot be read is skipped whole."""

import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from alma.errors import Unavailable
from alma.events.services import Told, emit_all
from alma.jobs.models import Job
from vms.drift import strays
from vms.drift.comparing import is_suspect, judge
from vms.drift.expecting import learn
from vms.drift.looking import Answer, Question, Subject, look
from vms.models import Cluster, Drift, Guest, GuestClaim

logger = logging.getLogger(__name__)

MAX_PARALLEL = 8
WHOLE = timedelta(seconds=60)
"""All guests of a cluster are looked at this often; those that the inventory shows otherwise at once."""
FRESH = timedelta(seconds=60)
"""An inventory that is older says nothing."""
MAX_EVENTS = 50


def watch_all() -> None:
    """One round: ask what the rows make doubtful, read it all at the same time, and write what follows."""
    questions = [_question(cluster) for cluster in Cluster.objects.enabled() if _is_known(cluster)]
    asked = [question for question in questions if question.is_whole or question.subjects or question.suspects]
    if not asked:
        return
    with ThreadPoolExecutor(min(MAX_PARALLEL, len(asked)), thread_name_prefix="drift") as pool:
        for question, answer in zip(asked, pool.map(look, asked), strict=True):
            if isinstance(answer, Unavailable):
                logger.info("a cluster was not compared", extra={"cluster": question.cluster.slug, "why": str(answer)})
            else:
                _store(question, answer)


def _is_known(cluster: Cluster) -> bool:
    """Whether its inventory is of now."""
    read_at = cluster.last_read_at
    return not cluster.last_error and read_at is not None and timezone.now() - read_at < FRESH


def _is_whole(cluster: Cluster) -> bool:
    return cluster.compared_at is None or timezone.now() - cluster.compared_at >= WHOLE


def _question(cluster: Cluster) -> Question:
    rows = {row.vmid: row for row in Guest.objects.present().filter(cluster=cluster)}
    is_whole = _is_whole(cluster)
    doubted = set(Drift.objects.open().filter(cluster=cluster).values_list("claim_id", flat=True))
    claims, jobs = _idle(cluster)
    facts = learn(claims, jobs)
    subjects = []
    for claim in claims:
        row, expected, job = rows.get(claim.vmid), facts.get(claim.pk, {}), jobs.get(claim.job)
        doubtful = claim.pk in doubted or is_suspect(expected, row)
        if is_whole or doubtful:
            subjects.append(Subject(claim, row, expected, doubtful, job.finished_at if job else None))
    return Question(cluster, is_whole, tuple(subjects), tuple(strays.suspects(cluster, rows, is_whole=is_whole)))


def _idle(cluster: Cluster) -> tuple[list[GuestClaim], dict[str, Job]]:
    """Living rows of the ledger that no run works on, and the runs that had them last."""
    live = GuestClaim.objects.filter(cluster=cluster, state=GuestClaim.State.LIVE)
    jobs = {job.public_id: job for job in Job.objects.filter(public_id__in=live.values("job"))}
    claims = [claim for claim in live if claim.job not in jobs or not jobs[claim.job].is_active]
    return claims, {public_id: job for public_id, job in jobs.items() if not job.is_active}


@transaction.atomic
def _store(question: Question, answer: Answer) -> None:
    """Write what follows from an answer, of those guests whose rows have not moved while it was read."""
    cluster = Cluster.objects.select_for_update().get(pk=question.cluster.pk)
    now = timezone.now()
    claims, jobs = _idle(cluster)
    ends = {claim.pk: (claim.job, jobs[claim.job].finished_at if claim.job in jobs else None) for claim in claims}
    known = {drift.claim_id: drift for drift in Drift.objects.open().filter(cluster=cluster)}
    told = _let_go(known.values())
    for subject in question.subjects:
        if ends.get(subject.claim.pk) == (subject.claim.job, subject.job_ended_at):
            told += _settle(subject, answer, known.get(subject.claim.pk), now)
    told += strays.store(cluster, question.suspects, answer.markers, now)
    if question.is_whole:
        Cluster.objects.filter(pk=cluster.pk).update(compared_at=now)
    _tell(cluster, told)


def _tell(cluster: Cluster, told: list[Told]) -> None:
    """An event per guest, or one for all when there are very many."""
    if len(told) > MAX_EVENTS:
        counts: dict[str, int] = {}
        for kind, _ in told:
            counts[kind] = counts.get(kind, 0) + 1
        told = [("cluster.drifted", {"counts": counts})]
    if told:
        named = [(kind, data | {"cluster": cluster.slug}) for kind, data in told]
        emit_all(cluster.stream, named, organization_id=cluster.organization_id)


def _let_go(known: Iterable[Drift]) -> list[Told]:
    """Drifts of guests that the ledger has given up since."""
    rows = Drift.objects.filter(pk__in=[drift.pk for drift in known]).exclude(claim__state=GuestClaim.State.LIVE)
    return [_end(drift, drift.claim, "a run has given the guest up") for drift in rows.select_related("claim")]


def _settle(subject: Subject, answer: Answer, drift: Drift | None, now: datetime) -> list[Told]:
    """Open, go on with, or end the drift of one guest; of one that Proxmox works on, nothing is concluded."""
    reading = answer.readings[subject.claim.pk]
    if reading is not None and reading.lock:
        return []
    verdict = judge(subject.claim, subject.facts, reading)
    told: list[Told] = []
    if drift is not None and (verdict is None or drift.kind != verdict[0]):
        told.append(
            _end(drift, subject.claim, "it is as it was left" if verdict is None else f"it is {verdict[0]} now")
        )
        drift = None
    if verdict is None:
        return told
    kind, changes = verdict
    if drift is not None:
        is_news = drift.changes != changes
        Drift.objects.filter(pk=drift.pk).update(changes=changes, seen_at=now)
    else:
        is_news = True
        drift = Drift.objects.create(
            organization_id=subject.claim.organization_id, cluster_id=subject.claim.cluster_id, claim=subject.claim,
            kind=kind, changes=changes, found_at=now, seen_at=now,
        )  # fmt: skip
    return [*told, ("vm.drifted", _facts(subject.claim, kind, changes=changes))] if is_news else told


def _end(drift: Drift, claim: GuestClaim, why: str) -> Told:
    drift.move(Drift.State.SETTLED, why=why)
    return "vm.drift_settled", _facts(claim, drift.kind, why=why)


def _facts(claim: GuestClaim, kind: str, **more: Any) -> dict[str, Any]:
    return {"vmid": claim.vmid, "kind": claim.kind, "name": claim.key, "node": claim.node, "drift": kind, **more}
