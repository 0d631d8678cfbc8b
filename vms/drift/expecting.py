"""How the last runs left our guests, learned from their journals once they have ended."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from alma.jobs.models import Job, Step
from vms.drift.comparing import place_of
from vms.models import Drift, Expectation, GuestClaim
from vms.proxmox.values import parse_tags
from vms.steps.payloads import tags

Facts = dict[str, Any]
_READ_BACK = {
    "cores": "cores", "memory_bytes": "memory", "disk_bytes": "disk", "status": "power", "name": "name"
}  # fmt: skip


def learn(claims: Iterable[GuestClaim], jobs: Mapping[str, Job]) -> dict[UUID, Facts]:
    """What is expected of each guest. Runs that ended since the last look are read; `jobs` are those that have ended."""
    rows = {row.claim_id: row for row in Expectation.objects.filter(claim__in=[claim.pk for claim in claims])}
    stale = [claim for claim in claims if claim.job in jobs and not _is_of(rows.get(claim.pk), jobs[claim.job])]
    steps = _steps(jobs[claim.job].pk for claim in stale)
    for claim in stale:
        job, was = jobs[claim.job], rows.get(claim.pk)
        facts = left_by(steps[job.pk, claim.key], claim, was.facts if was else {})
        rows[claim.pk] = Expectation(claim=claim, facts=facts, job=job.public_id, job_ended_at=job.finished_at)
    Expectation.objects.bulk_create(
        [rows[claim.pk] for claim in stale], batch_size=200, update_conflicts=True, unique_fields=["claim"],
        update_fields=["facts", "job", "job_ended_at"],
    )  # fmt: skip
    return {pk: row.facts for pk, row in rows.items()}


def _is_of(row: Expectation | None, job: Job) -> bool:
    return row is not None and (row.job, row.job_ended_at) == (job.public_id, job.finished_at)


def _steps(jobs: Iterable[int]) -> dict[tuple[int, str], list[Step]]:
    found: dict[tuple[int, str], list[Step]] = defaultdict(list)
    for step in Step.objects.filter(job__in=set(jobs), kind__startswith="guest.", state__in=Step.DONE).order_by(
        "ordinal"
    ):
        found[step.job_id, step.key].append(step)
    return found


def left_by(steps: Iterable[Step], claim: GuestClaim, before: Facts) -> Facts:
    """What is known of a guest after a run: the last that it read back, and what it set of network, disks and tags."""
    facts = {**before}
    for step in steps:
        if step.evidence.get("claim") != str(claim.pk):
            continue
        facts |= {ours: step.evidence[theirs] for theirs, ours in _READ_BACK.items() if theirs in step.evidence}
        if step.kind == "guest.configure":
            facts |= _set(step.params, facts)
        elif step.kind == "guest.restore":
            facts = _forget(facts, step.params["options"])
    return facts


def _set(params: Mapping[str, Any], before: Facts) -> Facts:
    cards = {card["slot"]: place_of(card["bridge"], card["vlan"]) for card in params.get("cards") or ()}
    if params.get("bridge"):
        cards = {"net0": place_of(params["bridge"], params.get("vlan"))} | cards
    disks = {volume["slot"]: volume["size_bytes"] for volume in params.get("volumes") or ()}
    said = {"tags": sorted(parse_tags(tags(params)))} if "tags" in params else {}
    return said | {
        "cards": before.get("cards", {}) | cards,
        "disks": before.get("disks", {}) | disks,
    }  # fmt: skip


def _forget(facts: Facts, options: Iterable[str]) -> Facts:
    """A rollback wrote these options back; what they say now was never read in our terms."""
    names = set(options)
    kept = {field: value for field, value in facts.items() if field not in names}
    return kept | {
        field: {slot: value for slot, value in facts.get(field, {}).items() if slot not in names}
        for field in ("cards", "disks")
    }


def accept_facts(claim: GuestClaim, *, disk_at_least: int, **facts: Any) -> None:
    """From now on this is expected of a guest: a run found it so, and its plan was approved.

    Its disk is what it has grown to, once the blueprint says at least as much."""
    row = Expectation.objects.filter(claim=claim).first()
    if row is None:
        return
    grown = [
        change["after"]
        for drift in Drift.objects.open().filter(claim=claim)
        for change in drift.changes
        if change["field"] == "disk" and change["after"] <= disk_at_least
    ]
    row.facts = row.facts | facts | ({"disk": grown[0]} if grown else {})
    row.save(update_fields=["facts"])
