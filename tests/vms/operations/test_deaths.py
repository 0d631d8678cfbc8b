"""A worker that dies in the middle of an operation, at each place between two effects: it is carried out, and once."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from alma import failpoints
from alma.accounts.actors import Actor
from alma.jobs import engine
from alma.jobs.models import Job
from alma.jobs.services import StepSpec
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.conftest import Runner
from tests.vms.steps.conftest import ours
from vms.models import Guest, GuestClaim
from vms.operations import snapshots
from vms.operations.cloning import Copy, clone
from vms.operations.jobs import ref_of
from vms.operations.moving import Move, migrate

POINTS = (
    "lease.taken", "work.intended", "work.renewed", "work.called", "work.task_ended", "step.succeeding", "job.ending"
)  # fmt: skip
OPERATIONS = {"move": "qmigrate", "copy": "qmclone", "snapshot": "qmsnapshot", "restart": "qmreboot"}
"""Each with the kind of task that Proxmox may run once for it."""


class Died(BaseException):
    """What no code catches: all that the process knew is lost, and its lease stays."""


def die() -> None:
    raise Died


def begin(name: str, machine: Guest, by: Actor, runner: Runner) -> Job:
    claim = GuestClaim.objects.get(vmid=machine.vmid)
    operations: dict[str, Callable[[], Job]] = {
        "move": lambda: migrate(machine, Move(node="pve2", takes_disks=True), by=by),
        "copy": lambda: clone(machine, Copy(name="copy"), by=by)[1],
        "snapshot": lambda: snapshots.take(machine, "s1", by=by)[1],
        "restart": lambda: runner.make(
            [StepSpec("guest.reboot", claim.key, "Restart web", 0, 1, ref_of(machine, claim).params())]
        ),
    }
    return operations[name]()


def dies_at(point: str, job: Job, settings: Settings) -> bool:
    """Work until the process dies there, and let its lease run out."""
    settings.ALMA_FAILPOINTS = f"{point}=kill"
    for _ in range(20):
        Job.objects.active().filter(pk=job.pk).update(lease_until=None, due_at=None)
        if not Job.objects.active().filter(pk=job.pk).exists():
            return False
        try:
            engine.advance(job.pk)
        except Died:
            Job.objects.filter(pk=job.pk).update(lease_until=None)
            return True
    return False


@pytest.fixture
def mortal(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Failpoints that end this process as far as the engine can tell."""
    settings.ALMA_DATA_DIR = tmp_path
    monkeypatch.setitem(failpoints.MODES, "kill", die)
    return settings


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_it_is_carried_out_once(
    name: str, point: str, machine: Guest, by: Actor, runner: Runner, mortal: Settings, fresh_sandbox: RunningSandbox
) -> None:
    was, guests = tasks_of(fresh_sandbox, OPERATIONS[name]), set(ours(fresh_sandbox))
    job = begin(name, machine, by, runner)
    assert dies_at(point, job, mortal)
    mortal.ALMA_FAILPOINTS = ""
    runner.finish(job)
    assert (job.state, job.error) == ("completed", None)
    assert tasks_of(fresh_sandbox, OPERATIONS[name]) == was + 1
    assert len(set(ours(fresh_sandbox)) - guests) == (1 if name == "copy" else 0)


def tasks_of(sandbox: RunningSandbox, kind: str) -> int:
    """How many tasks of a kind the cluster has run, without asking our own code."""
    return sum(task.type == kind for task in sandbox.core.state.tasks)
