"""Every failpoint in the code, once killed, once failing, once standing still longer than the lease.

    python -m tests.chaos.sweep [--database postgres://…] [--side-by-side 13]

Each case is a deployment of two guests of its own, worked on by two processes. It must complete, with each guest made once.
"""

import argparse
import os
import re
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos import world
from tests.chaos.scoreboard import Row, keep

MODES = ("kill", "raise", "pause")
WORKERS = 2
PATIENCE = 240.0
SLOT = 0.3
"""Seconds of a process's first slot: so short that each case also comes by what happens when a job is given back."""
_NAME = re.compile(r"^\s+failpoint\(\"([a-z_.]+)\"\)", re.MULTILINE)


def names() -> list[str]:
    """The failpoints that stand in the product's code."""
    folders = ("alma", "vms", "iprs", "blueprints", "instances")
    sources = (path.read_text() for folder in folders for path in (world.ROOT / folder).rglob("*.py"))
    return sorted({name for source in sources for name in _NAME.findall(source)})


@dataclass
class Case:
    """One failpoint in one mode."""

    point: str
    mode: str
    deployment: int = 0
    job: int = 0
    deaths: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Also what its guests are called."""
        return f"{self.point}-{self.mode}".replace(".", "-").replace("_", "-")


def work(case: Case, number: int) -> None:
    """What a worker process does, until the job has ended."""
    from django.conf import settings
    from django.db import OperationalError, close_old_connections

    from alma.failpoints import Injected
    from alma.jobs import services, tasks
    from alma.jobs.models import Job

    settings.ALMA_FAILPOINTS = f"{case.point}={case.mode}"
    usual, settings.ALMA_SLOT_SECONDS = settings.ALMA_SLOT_SECONDS, SLOT
    settings.ALMA_DATA_DIR = Path(settings.ALMA_DATA_DIR) / case.name
    while Job.objects.active().filter(pk=case.job).exists():
        try:
            outcome = tasks.advance(case.job)
            if outcome == "more to do":
                settings.ALMA_SLOT_SECONDS = usual
            if number == 0:
                services.kick_stalled()
        except (Injected, OperationalError):
            close_old_connections()
        time.sleep(0.1)


def fork(case: Case, number: int) -> int:
    """A worker process; its id."""
    from django.db import connections

    connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        work(case, number)
        status = 0
    except BaseException:  # noqa: BLE001 - told, and then this process ends
        traceback.print_exc()
    finally:
        os._exit(status)


class Run:
    """A case under way: its workers, each replaced when it dies."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.began = time.monotonic()
        self.workers = {fork(case, number): number for number in range(WORKERS)}

    def is_over(self) -> bool:
        """Replace the dead; whether both workers have nothing left to do, or too much time has passed."""
        for pid, number in list(self.workers.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self.workers[pid]
            if ended and status:
                self.case.deaths += 1
                self.workers[fork(self.case, number)] = number
        self.case.seconds = time.monotonic() - self.began
        if self.case.seconds > PATIENCE:
            self._give_up()
        return not self.workers

    def _give_up(self) -> None:
        for pid in self.workers:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.workers = {}
        self.case.problems.append(f"not done after {PATIENCE:.0f} s")


def run(cases: list[Case], side_by_side: int) -> None:
    """Some at a time. One thread forks them all: what is forked inherits no lock of another."""
    waiting, running = list(cases), list[Run]()
    while waiting or running:
        while waiting and len(running) < side_by_side:
            running.append(Run(waiting.pop(0)))
        running = [one for one in running if not one.is_over()]
        time.sleep(0.02)


def begin(case: Case, folder: Path) -> None:
    """The deployment that the case is about."""
    (folder / case.name).mkdir()
    deployment = world.begin(case.name, 2)
    case.deployment, case.job = deployment.pk, deployment.job_id


def judge(case: Case, folder: Path) -> None:
    """What is not as it must be."""
    from iprs.models import Deployment

    deployment = Deployment.objects.select_related("job").get(pk=case.deployment)
    if deployment.status != Deployment.Status.COMPLETED:
        case.problems.append(f"it is {deployment.status}: {deployment.job.error}")
    if not (folder / case.name / f"failpoint.{case.point}").exists():
        case.problems.append("nobody came by the failpoint")
    if case.mode == "kill" and not case.deaths:
        case.problems.append("nobody was killed")
    made = world.guests(case.name)
    if made != {f"{case.name}-0": 1, f"{case.name}-1": 1}:
        case.problems.append(f"guests: {dict(made)}")


def sweep(folder: Path, side_by_side: int, only: str) -> list[Case]:
    """All cases; the slow ones first."""
    from vms.proxmox.client import disconnect

    cases = [Case(point, mode) for mode in reversed(MODES) for point in names() if only in point]
    for case in cases:
        begin(case, folder)
    disconnect()  # a worker must not speak over our connection
    run(cases, side_by_side)
    for case in cases:
        judge(case, folder)
    return cases


def report(cases: list[Case], broken: list[str]) -> Iterator[str]:
    """A row per failpoint."""
    yield f"{'failpoint':22}" + "".join(f"{mode:>12}" for mode in MODES)
    for point in sorted({case.point for case in cases}):
        row = {case.mode: case for case in cases if case.point == point}
        yield f"{point:22}" + "".join(
            f"{'ok' if not row[mode].problems else 'FAILED':>6}{row[mode].seconds:5.1f}s" for mode in MODES
        )
    bad = [case for case in cases if case.problems]
    yield f"{len(cases)} cases, {len(bad)} failed, {len(broken)} invariants broken"
    for case in bad:
        yield f"  {case.point} {case.mode}: {'; '.join(case.problems)}"
    yield from (f"  {line}" for line in broken)


def main() -> int:
    """Run it; 1 when anything is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="", help="URL of an empty PostgreSQL database; SQLite without")
    parser.add_argument("--side-by-side", type=int, default=13)
    parser.add_argument("--keep", default="", help="a file for the scoreboard")
    parser.add_argument("--only", default="", help="failpoints whose name contains this")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        folder = Path(name)
        world.prepare(folder, options.database)
        from django.core.management import call_command

        from alma.bootstrap import run as bootstrap

        call_command("migrate", verbosity=0)
        bootstrap()
        with world.sandbox(folder):
            cases = sweep(folder, options.side_by_side, options.only)
            broken = world.breaches()
    for line in report(cases, broken):
        sys.stdout.write(f"{line}\n")
    bad = sum(bool(case.problems) for case in cases) + len(broken)
    figure = f"{len(names())} failpoints x {{{', '.join(MODES)}}}"
    keep([Row(figure, "0 violations", f"{len(cases)} cases, {bad} violations", bad == 0)], options.keep)
    return 1 if broken or any(case.problems for case in cases) else 0


if __name__ == "__main__":
    sys.exit(main())
