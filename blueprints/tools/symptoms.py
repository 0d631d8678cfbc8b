"""What can be seen to be wrong with a cluster, a machine or a job. Each check looks at rows and yields what it found."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from alma.errors import DomainError
from alma.jobs.models import Job, Step
from blueprints.tools.rounding import in_words
from blueprints.tools.saving import percentile
from blueprints.tools.subjects import plain
from vms.machines import is_silent
from vms.measured import of_guest
from vms.models import Cluster, ClusterNode, ClusterStorage, ClusterTask, Drift, Guest

GIB = 1024**3
FULL = 0.9
BUSY = 0.9
MOST = 10
TAIL = 5


@dataclass(frozen=True)
class Found:
    """One thing that is wrong."""

    topic: str
    severity: Literal["critical", "warning", "info"]
    finding: str
    evidence: list[str]
    advice: str


def of_silence(cluster: Cluster) -> Iterator[Found]:
    """A cluster that is not read."""
    if not cluster.is_enabled:
        yield Found("reach", "critical", "The cluster is switched off in ALMA.", [], "Switch it on under Clusters.")
    elif is_silent(cluster):
        since = f"since {cluster.unreachable_since:%Y-%m-%d %H:%M} UTC" if cluster.unreachable_since else ""
        yield Found(
            "reach", "critical", f"The cluster does not answer {since}.".replace(" .", "."), [plain(cluster.last_error)],
            "See whether its API answers from here: address, port, certificate and token are on its page.",
        )  # fmt: skip


def of_nodes(cluster: Cluster) -> Iterator[Found]:
    """Nodes that are away or full."""
    for node in ClusterNode.objects.filter(cluster=cluster):
        if not node.is_online:
            yield Found(
                "reach", "critical", f"Node {node.name} is offline.", [f"last seen {node.seen_at:%Y-%m-%d %H:%M} UTC"],
                "Look at the node's console, power and network; its guests run nowhere unless they are under HA.",
            )  # fmt: skip
        elif node.memory_bytes and node.memory_used / node.memory_bytes > FULL:
            yield Found(
                "load", "warning", f"Node {node.name} is short of memory.",
                [f"{node.memory_used / GIB:.1f} of {node.memory_bytes / GIB:.1f} GB in use"], "Migrate guests away, or add memory.",
            )  # fmt: skip


def of_storages(cluster: Cluster) -> Iterator[Found]:
    """Storages that are nearly full; a shared one is told once."""
    seen = set()
    for row in ClusterStorage.objects.filter(cluster=cluster, is_active=True):
        key = (row.name, "" if row.is_shared else row.node)
        if key in seen or not row.total_bytes or row.used_bytes / row.total_bytes <= FULL:
            continue
        seen.add(key)
        yield Found(
            "storage", "warning", f"Storage {row.name} is {100 * row.used_bytes / row.total_bytes:.0f} % full.",
            [f"{row.used_bytes / GIB:.0f} of {row.total_bytes / GIB:.0f} GB on {row.node}"],
            "Delete old backups, snapshots and unused disks, or add storage; a full thin pool stops its guests.",
        )  # fmt: skip


def of_state(guest: Guest) -> Iterator[Found]:
    """A machine that does not run, or is locked."""
    if guest.status != "running":
        seen = [f"status {plain(guest.status, 40)}, read {guest.seen_at:%Y-%m-%d %H:%M} UTC"]
        yield Found(
            "reach",
            "critical",
            f"It does not run: {plain(guest.status, 40)}.",
            seen,
            "Start it, and see in its tasks why it stopped.",
        )
    if guest.lock:
        advice = "Wait for the task that holds the lock; one that died leaves it behind, and an administrator of the node unlocks it."
        yield Found(
            "job", "warning", f"It is locked: {plain(guest.lock, 40)}.", [f"lock {plain(guest.lock, 40)}"], advice
        )


def of_drift(guest: Guest) -> Iterator[Found]:
    """What somebody changed beside ALMA."""
    if guest.claim_id is None:
        return
    for drift in Drift.objects.open().filter(claim_id=guest.claim_id):
        rows = [
            f"{plain(str(row.get('field')), 60)}: {plain(str(row.get('before')), 80)} → {plain(str(row.get('after')), 80)}"
            for row in drift.changes[:MOST]
        ]
        yield Found(
            "drift", "warning", f"It is not as ALMA left it ({drift.get_kind_display().lower()}).", rows,
            "Answer the drift on the cluster's page: take it over, or open an IPR that puts it back.",
        )  # fmt: skip


def of_load(guest: Guest) -> Iterator[Found]:
    """Cores or memory that were short for a twentieth of the last day."""
    for metric, words in (("cpu", "cores"), ("memory", "memory")):
        try:
            measured = of_guest(guest, metric, "24h")
        except DomainError:
            continue  # nothing is known while its cluster is silent, which another check says
        if not measured.points or not measured.total:
            continue
        high = percentile(measured)
        if high / measured.total >= BUSY:
            amount = (
                f"{high:.2f} of {in_words(measured.total)} cores"
                if metric == "cpu"
                else f"{high / GIB:.2f} of {measured.total / GIB:.2f} GB"
            )
            yield Found(
                "load", "warning", f"Its {words} are nearly used up." if metric == "cpu" else "Its memory is nearly used up.",
                [f"95th percentile of {len(measured.points)} values of a day: {amount}"], f"Give it more {words}, or find what takes them.",
            )  # fmt: skip


def of_file_systems(guest: Guest) -> Iterator[Found]:
    """File systems as the agent told them."""
    details = getattr(guest, "details", None)
    for row in (details.file_systems if details else None) or ():
        size, used = row.get("bytes") or 0, row.get("used_bytes") or 0
        if size and used / size > FULL:
            place = plain(str(row.get("mount_point")), 80)
            yield Found(
                "storage", "critical" if used / size > 0.98 else "warning", f"File system {place} is {100 * used / size:.0f} % full.",
                [f"{used / GIB:.1f} of {size / GIB:.1f} GB, as the guest agent told"], "Clean up in the guest, or let the disk grow.",
            )  # fmt: skip


def of_tasks(guest: Guest, since: datetime) -> Iterator[Found]:
    """Tasks of the cluster about it that failed."""
    rows = ClusterTask.objects.filter(
        cluster=guest.cluster_id, subject=str(guest.vmid), started_at__gte=since, ended_at__isnull=False
    )
    for task in rows.exclude(status="OK").exclude(status__startswith="WARNINGS")[:MOST]:
        log = [plain(line) for line in task.log.splitlines()[-TAIL:]]
        yield Found(
            "job", "warning", f"Task {plain(task.kind, 60)} failed at {task.started_at:%Y-%m-%d %H:%M} UTC.",
            [plain(task.status), *log], "The last lines of its log say why; the whole log is on the cluster's page.",
        )  # fmt: skip


def of_steps(guest: Guest, since: datetime) -> Iterator[Found]:
    """Steps of ALMA's own jobs about it that failed."""
    if guest.claim is None:
        return
    rows = Step.objects.filter(
        job__organization_id=guest.organization_id, state=Step.State.FAILED, key=guest.claim.key, finished_at__gte=since,
    ).select_related("job")  # fmt: skip
    for step in rows.order_by("-pk")[:MOST]:
        if step.params.get("owner") == guest.claim.owner:
            yield _failure(step.job, step)


def of_job(job: Job) -> Iterator[Found]:
    """Why a job ended, and its steps that failed."""
    steps = list(job.steps.filter(state=Step.State.FAILED).order_by("pk")[:MOST])
    yield from (_failure(job, step) for step in steps)
    if job.state == Job.State.FAILED and not steps:
        yield Found("job", "critical", f"{plain(job.title or job.kind, 120)} failed.", [_said(job.error)], _advice(job))
    if job.state == Job.State.WAITING:
        yield Found("job", "info", "It waits until people agree.", [], "Review the IPR that it names.")


def is_about(job: Job, guest: Guest) -> bool:
    """Whether a job names a machine."""
    values = {str(value) for value in job.params.values()}
    return f"vm-{guest.pk:03d}" in values or job.params.get("guest") == guest.pk


def _failure(job: Job, step: Step) -> Found:
    when = f" at {step.finished_at:%Y-%m-%d %H:%M} UTC" if step.finished_at else ""
    return Found(
        "job",
        "critical",
        f"“{plain(step.title, 120)}” of {job.public_id} failed{when}.",
        [_said(step.error)],
        _advice(job),
    )


def _said(error: dict[str, str] | None) -> str:
    """Code and message of what ended it."""
    return plain(
        ": ".join(str(part) for part in ((error or {}).get("code"), (error or {}).get("message")) if part)
        or "no reason is noted"
    )


def _advice(job: Job) -> str:
    return f"Mend what the message says, then retry it: {job.get_absolute_url()}"
