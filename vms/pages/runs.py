"""What was begun with several machines at once, as the session of who began it remembers it, and how far it is."""

import secrets
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from alma.accounts.actors import Actor
from alma.jobs.models import Job
from vms.operations.many import Outcome
from vms.operations.verbs import VERBS, Verb
from vms.pages.work import Work, work_of

KEY = "machine_runs"
KEPT = 5
Session = MutableMapping[str, Any]


@dataclass(frozen=True)
class Line:
    """A machine of a run: the job about it, or why there is none. A job that is forgotten has no work any more."""

    guest: int
    name: str
    reason: str
    work: Work | None


@dataclass(frozen=True)
class Run:
    """What was begun together."""

    verb: Verb
    lines: tuple[Line, ...]

    @property
    def begun(self) -> list[Line]:
        """Machines with a job."""
        return [line for line in self.lines if not line.reason]

    @property
    def refused(self) -> list[Line]:
        """Machines that were left as they are."""
        return [line for line in self.lines if line.reason]

    @property
    def ended(self) -> int:
        """Jobs that have ended, one way or another."""
        return sum(line.work is None or not line.work.job.is_open for line in self.begun)

    @property
    def failed(self) -> int:
        """Jobs that have not done what was asked."""
        bad = (Job.State.FAILED, Job.State.CANCELLED)
        return sum(line.work is not None and line.work.job.state in bad for line in self.begun)


def new_name() -> str:
    """The name of a run to be. A form carries it, so that one that is sent twice begins nothing twice."""
    return secrets.token_hex(8)


def is_known(session: Mapping[str, Any], name: str) -> bool:
    """Whether the session remembers a run of that name."""
    return name in session.get(KEY, {})


def remember(session: Session, name: str, verb: Verb, outcomes: Sequence[Outcome]) -> None:
    """Keep what became of each machine; the oldest run is forgotten."""
    rows = [
        [
            one.guest.pk,
            one.guest.name or str(one.guest.vmid),
            one.job.public_id if one.job else "",
            "" if one.job else one.reason,
        ]
        for one in outcomes
    ]
    kept = list(session.get(KEY, {}).items())[-(KEPT - 1) :]
    session[KEY] = {**dict(kept), name: {"verb": verb.name, "rows": rows}}


def find(session: Mapping[str, Any], name: str, actor: Actor) -> Run | None:
    """A run and how far its jobs are; None when the session does not remember it."""
    kept = session.get(KEY, {}).get(name)
    if kept is None:
        return None
    wanted = [row[2] for row in kept["rows"] if row[2]]
    jobs = Job.objects.visible_to(actor).filter(public_id__in=wanted)
    known = {work.job.public_id: work for work in work_of(jobs)}
    lines = (Line(pk, label, reason, known.get(job)) for pk, label, job, reason in kept["rows"])
    return Run(VERBS[kept["verb"]], tuple(lines))
