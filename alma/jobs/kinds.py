"""What apps plug into the engine: kinds of jobs and kinds of steps, named in the settings and loaded when needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.module_loading import import_string

from alma.jobs.models import Job, new_public_id

if TYPE_CHECKING:
    from alma.accounts.actors import Actor
    from alma.jobs.context import StepContext


class Wait(Exception):
    """Nothing to do for this step now; look again in a moment."""


class Full(Wait):
    """There is no room for this step, nor for any other of its kind that has not begun."""


class Unknown(Exception):
    """The outside world did not say what is; nothing may be concluded from that."""


class StepFailed(Exception):
    """The step cannot succeed. `code` is for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class StepKind:
    """One way of bringing about a piece of reality.

    `run` is called again and again until it has called `context.succeed` or raised StepFailed. It must observe before it
    acts, write what it means with `context.record` before the effect, and hold no transaction over a network call.
    """

    patience = 600.0
    """Seconds during which the outside world may stay Unknown before the step fails."""

    def run(self, context: "StepContext") -> None:
        """One short turn. Raises Wait, Unknown, StepFailed."""
        raise NotImplementedError

    def leave(self) -> None:
        """The thread in which turns were taken ends: close what it keeps open."""


@dataclass(frozen=True)
class Place:
    """A page about something that a job works on: what it is called, its address, and its icon."""

    label: str
    url: str
    icon: str


class JobKind:
    """What an app does when a job of its kind changes; called inside the fenced transaction of the change."""

    prefix = "job"
    """What the public ids of its jobs begin with."""
    told_as: Mapping[str, str] = {}
    """How its events are called where that is not `<kind of job>.<what>`; see `event`."""
    is_cancellable = True
    """Whether people may stop one of its jobs."""
    stopping = "What is in flight is finished, nothing new begins, and what was done until then stays as it is."
    """What stopping one of its jobs means, as a sentence."""
    stopping_needs: tuple[str, ...] = ("job:write",)
    """The rights without which `stop` refuses; faces say so beforehand."""

    def public_id(self, params: Mapping[str, Any]) -> str:
        """What clients call a new job; never what another was called."""
        return new_public_id(self.prefix)

    def places(self, job: Job) -> Sequence[Place]:
        """Where that is which a job is about, the nearest first. Called for each row of a list: it asks no database."""
        return ()

    def stop(self, job: Job, *, by: "Actor") -> bool:
        """Ask a job to stop where more than the job is involved. False: it is done as for all jobs. Raises Refused, WrongState."""
        return False

    def event(self, job: Job, what: str) -> str:
        """What an event of its jobs is called: `deployment.started`."""
        return self.told_as.get(what, f"{job.kind}.{what}")

    def started(self, job: Job) -> None:
        """The first lease was taken."""

    def completed(self, job: Job) -> dict[str, object]:
        """All steps are done. Returns what the closing event says."""
        return {}

    def failed(self, job: Job) -> dict[str, object]:
        """A step failed and nothing is in flight any more. Returns what the closing event says."""
        return {}

    def cancelled(self, job: Job) -> dict[str, object]:
        """A cancel was asked for and nothing is in flight any more. Returns what the closing event says."""
        return {}


@cache
def step_kind(name: str) -> StepKind:
    """The step kind of a name in ALMA_STEP_KINDS."""
    kind: StepKind = import_string(settings.ALMA_STEP_KINDS[name])()
    return kind


def topics() -> str:
    """What a live part watches that shows jobs, of whatever kind."""
    return " ".join(f"{name}:*" for name in sorted(settings.ALMA_JOB_KINDS))


@cache
def job_kind(name: str) -> JobKind:
    """The job kind of a name in ALMA_JOB_KINDS."""
    kind: JobKind = import_string(settings.ALMA_JOB_KINDS[name])()
    return kind
