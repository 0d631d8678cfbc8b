"""Kinds of jobs and steps that are small enough to see through."""

from collections.abc import Callable
from typing import Any

from alma.jobs.context import StepContext
from alma.jobs.kinds import JobKind, StepFailed, StepKind, Unknown, Wait
from alma.jobs.models import Job

EFFECTS: list[str] = []
"""What steps did to the outside world, in order."""
ENDINGS: list[str] = []
"""What was said to the job's kind."""
HOOKS: dict[str, Callable[[StepContext], None]] = {}
"""What `Hooked` does, by the key of the step."""


class RunKind(JobKind):
    """Remembers what happened to its jobs."""

    prefix = "run"

    def started(self, job: Job) -> None:
        ENDINGS.append("started")

    def completed(self, job: Job) -> dict[str, object]:
        ENDINGS.append("completed")
        return {"sum": job.steps.count()}

    def failed(self, job: Job) -> dict[str, object]:
        ENDINGS.append("failed")
        return {}

    def cancelled(self, job: Job) -> dict[str, object]:
        ENDINGS.append("cancelled")
        return {}


class Note(StepKind):
    """Intent, effect, proof."""

    def run(self, context: StepContext) -> None:
        context.record(meant=True)
        context.renew()
        EFFECTS.append(context.step.key)
        context.succeed(seen=True)


class Slow(StepKind):
    """As `Note`, with the proof only in the turn after the effect."""

    def run(self, context: StepContext) -> None:
        if context.journal.get("done"):
            context.succeed()
            return
        EFFECTS.append(context.step.key)
        context.record(done=True)
        raise Wait


class Failing(StepKind):
    """Cannot succeed."""

    def run(self, context: StepContext) -> None:
        context.record(meant=True)
        raise StepFailed("BROKEN", "It does not work.")


class Silent(StepKind):
    """Hears nothing from the world, and gives up after a tenth of a second."""

    patience = 0.1

    def run(self, context: StepContext) -> None:
        raise Unknown("no answer")


class Hooked(StepKind):
    """Does what the test says."""

    def run(self, context: StepContext) -> None:
        HOOKS[context.step.key](context)


SETTINGS: dict[str, Any] = {
    "ALMA_JOB_KINDS": {"run": "tests.jobs.kinds.RunKind"},
    "ALMA_STEP_KINDS": {
        name.lower(): f"tests.jobs.kinds.{name}" for name in ("Note", "Slow", "Failing", "Silent", "Hooked")
    },
}
