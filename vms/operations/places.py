"""What networks and storages have in common: whose they are, whether they may be changed now, and how jobs about them end."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse

from alma.accounts.actors import Actor
from alma.errors import Refused, Unavailable, WrongState
from alma.events.services import emit
from alma.jobs.kinds import JobKind, Place
from alma.jobs.models import Job, Step
from alma.jobs.services import StepSpec, create_job
from vms.lanes import check_lane, cluster_for
from vms.models import Cluster, ClusterNetwork, ClusterStorage, Guest, PlaceClaim
from vms.operations.rights import check_answers
from vms.refusing import invalid

Row = ClusterNetwork | ClusterStorage
JOBS = {"create": "creation", "update": "update", "delete": "deletion", "rule": "rule", "unrule": "rule"}
STATUSES = {
    "create": "creating", "update": "changing", "delete": "deleting", "rule": "changing", "unrule": "changing",
}  # fmt: skip
_TITLES = {
    "create": "Make {}", "update": "Change {}", "delete": "Remove {}", "rule": "Add a rule to {}",
    "unrule": "Remove a rule from {}",
}  # fmt: skip
STREAMS = " ".join(f"{noun}_{kind}:*" for noun in ("network", "storage") for kind in dict.fromkeys(JOBS.values()))
"""Streams of these jobs, whose events redraw pages."""
_TOLD = {"create": "created", "delete": "deleted"}
_NAMED = 5


def public_id(row: Row) -> str:
    """Its id for clients: `net-012`, `storage-012`."""
    return f"{'net' if isinstance(row, ClusterNetwork) else 'storage'}-{row.pk:03d}"


def chosen_cluster(slug: str, *, by: Actor) -> Cluster:
    """The cluster that was named, or the usual one, held against others who make something there; inside a transaction.

    Raises Invalid, Refused, Unavailable."""
    return Cluster.objects.select_for_update().get(pk=named_cluster(slug, by=by).pk)


def named_cluster(slug: str, *, by: Actor) -> Cluster:
    """The cluster that was named, or the usual one, if it is known to answer. Raises Invalid, Refused, Unavailable."""
    if slug:
        cluster = Cluster.objects.visible_to(by).filter(slug=slug).first()
        if cluster is None:
            words = "there is no such cluster"
            raise invalid("cluster", words, slug, reason="no_such_cluster")
        check_lane(cluster, by=by)
    else:
        assert by.organization_id is not None
        cluster = cluster_for(by.organization_id, by=by)
    if cluster is None:
        raise Unavailable("No cluster is registered; an operator registers one under Clusters.", code="NO_CLUSTER")
    check_answers(cluster)
    return cluster


def held(row: Row, scope: str, *, by: Actor) -> PlaceClaim:
    """The ledger row of what this actor may change now. Raises Refused for what ALMA did not make, WrongState while a job
    works on it, Unavailable."""
    by.require(scope)
    check_lane(row.cluster, by=by)
    check_answers(row.cluster)
    Cluster.objects.select_for_update().get(pk=row.cluster_id)
    claim = claim_of(row)
    refuse_busy(Job.objects.filter(public_id=claim.job), claim.name)
    return claim


def claim_of(row: Row) -> PlaceClaim:
    """The ledger row of what ALMA made. Raises Refused."""
    claim = row.claim
    if claim is None or claim.state not in PlaceClaim.ACTIVE:
        raise Refused(
            f"{row.name} was not made by ALMA, so ALMA does not touch it. Change it in Proxmox.", code="PLACE_NOT_OURS"
        )
    return claim


def refuse_busy(jobs: Any, name: str) -> None:
    """Raises WrongState that names a job which has not ended."""
    at_work = jobs.active().first()
    if at_work is not None:
        raise WrongState(
            f"{name}: {at_work.public_id} is at work; wait for its end, or cancel it.",
            code="PLACE_BUSY",
            details={"job_id": at_work.public_id, "type": at_work.kind},
        )


def refuse_used(cluster: Cluster, parts: str, match: Mapping[str, str], *, node: str) -> None:
    """Raises WrongState while machines have disks or cards there, or while that is not known of all of them."""
    machines = Guest.objects.machines().filter(cluster=cluster, **({"node": node} if node else {}))
    used, unread = [], 0
    for vmid, name, found in machines.values_list("vmid", "name", f"details__{parts}").iterator():
        unread += found is None
        if any(match.items() <= part.items() for part in found or ()):
            used.append(name or str(vmid))
    if used:
        more = f" and {len(used) - _NAMED} more" if len(used) > _NAMED else ""
        raise WrongState(
            f"It is used by {', '.join(used[:_NAMED])}{more}.", code="IN_USE", details={"machines": used[:50]}
        )
    if unread:
        words = f"Of {unread} machines there it is not known yet whether they use it; try again in a few minutes."
        raise WrongState(words, code="USE_UNKNOWN")


def claimed(cluster: Cluster, **values: Any) -> PlaceClaim:
    """A new row of the ledger, under the lock of its cluster."""
    return PlaceClaim.objects.create(cluster=cluster, organization_id=cluster.organization_id, **values)


def begin(
    noun: str, verb: str, claim: PlaceClaim, steps: Sequence[StepSpec], *, where: str, by: Actor, **params: Any
) -> Job:  # fmt: skip
    """Write the job of an operation. `where` is what only one job at a time may change. Raises WrongState."""
    key = f"place:{claim.cluster_id}:{where}"
    refuse_busy(Job.objects.filter(exclusive_key=key), claim.name)
    job = create_job(
        f"{noun}_{JOBS[verb]}", steps, organization_id=claim.organization_id, exclusive_key=key, by=by.label,
        title=_TITLES[verb].format(f"{noun} {claim.name}"),
        params={"noun": noun, "verb": verb, "claim": str(claim.pk), "status": STATUSES[verb], **params},
    )  # fmt: skip
    PlaceClaim.objects.filter(pk=claim.pk).update(job=job.public_id)
    claim.job = job.public_id
    return job


def at_work(claims: Sequence[PlaceClaim]) -> dict[str, Job]:
    """The jobs that work on places now, by their ids."""
    rows = Job.objects.active().filter(public_id__in=[claim.job for claim in claims if claim.job])
    return {job.public_id: job for job in rows}


def status_of(claim: PlaceClaim | None, jobs: Mapping[str, Job], *, is_active: bool) -> str:
    """How something stands, in a word: what a job does with it, `unfinished` when one could not end well, or whether it
    works."""
    job = jobs.get(claim.job) if claim else None
    if job is not None:
        return str(job.params["status"])
    if claim is not None and claim.state == PlaceClaim.State.RESERVED:
        return "unfinished"
    return "active" if is_active else "inactive"


class PlaceKind(JobKind):
    """A job about a network or storage. At its end the row of what was made is as the ledger says."""

    def public_id(self, params: Mapping[str, Any]) -> str:
        """`job_create_network_007_4f6c1b0a`"""
        noun = params["noun"]
        return f"job_{params['verb']}_{noun}_{params[noun]:03d}_{secrets.token_hex(4)}"

    def places(self, job: Job) -> Sequence[Place]:
        """The network, or the line of the storage, while there is one."""
        noun = job.params.get("noun", "")
        number = job.params.get(noun)
        if number is None or (job.params.get("verb") == "delete" and job.state == Job.State.COMPLETED):
            return ()
        if noun == "network":
            return [Place("Network", reverse("vms:network", args=[number]), "network")]
        return [Place("Storage", f"{reverse('vms:storages')}#storage-{number}", "disk")]

    def completed(self, job: Job) -> dict[str, object]:
        """What there is now."""
        return self.show(job, is_done=True)

    def failed(self, job: Job) -> dict[str, object]:
        """What is left of it."""
        return self.show(job, is_done=False)

    def cancelled(self, job: Job) -> dict[str, object]:
        """The same."""
        return self.failed(job)

    def row(self, job: Job) -> Row | None:
        """The row that lists show."""
        raise NotImplementedError

    def take(self, row: Row, claim: PlaceClaim, job: Job) -> None:
        """Bring the row to what was made or changed."""
        raise NotImplementedError

    def forget(self, row: Row) -> None:
        """Take away what lists show of something that is gone."""
        row.delete()

    def show(self, job: Job, *, is_done: bool) -> dict[str, object]:
        """Bring ledger and row to what has become, and tell it on the cluster's stream."""
        claim = PlaceClaim.objects.select_for_update().get(pk=job.params["claim"])
        row = self.row(job)
        if claim.state == PlaceClaim.State.RESERVED and not _has_begun(job):
            claim.move(PlaceClaim.State.RELEASED)
        facts = {"id": public_id(row) if row else None, "name": claim.name, "cluster": claim.cluster.slug}
        if row is not None and claim.state == PlaceClaim.State.RELEASED:
            self.forget(row)
        elif row is not None and is_done:
            self.take(row, claim, job)
        noun = job.params["noun"]
        told = _TOLD.get(job.params["verb"], "changed") if is_done else "changed"
        emit(
            claim.cluster.stream, f"{noun}.{told}", organization_id=claim.organization_id, actor=job.created_by,
            job=job.public_id, **facts,
        )  # fmt: skip
        return {noun: facts}


def _has_begun(job: Job) -> bool:
    """Whether anything was meant to be done outside."""
    return any(journal.get("meant") for journal in Step.objects.filter(job=job).values_list("journal", flat=True))
