"""Deployments in a storm: processes are killed and paused, the database hangs up, the cluster fails in every way.

    python -m tests.chaos.storm [--deployments 100] [--guests 3] [--faults 200] [--database postgres://…] [--seed 1]

Real `manage.py up`, and at each failpoint a chance to die besides. Whatever fails for good is retried once the storm is
over, as a person would; then every guest must be there, once, and everything must hold.
"""

import argparse
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos import world
from tests.chaos.faults import LATE, Storm
from tests.chaos.scoreboard import Row, keep

CHANCE = 0.002


@dataclass
class Score:
    """What is counted."""

    deployments: int
    guests: int
    asked: int
    faults: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    retries: int = 0
    seconds: float = 0.0
    resumed: list[float] = field(default_factory=list)
    resumed_from_first: list[float] = field(default_factory=list)
    found: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong, and all faults fell."""
        return not self.broken and not any(self.found.values()) and self.faults == self.asked


@dataclass
class Waiting:
    """A job whose worker was killed."""

    token: int
    since: float
    """The last time that workers were killed: of a group that is killed again before it has begun nothing can be asked."""
    first: float


class Resumption:
    """How long jobs lie when the process that works on them has been killed, until another one does."""

    def __init__(self) -> None:
        self.waiting: dict[int, Waiting] = {}
        self.seconds: list[float] = []
        self.from_first: list[float] = []

    def note_death(self, pids: set[int]) -> None:
        """Now: which jobs are held by those processes, and which wait for others already."""
        from alma.jobs.models import Job

        if not pids:
            return
        now = time.monotonic()
        for waiting in list(self.waiting.values()):
            waiting.since = now
        held = Job.objects.active().exclude(lease_until=None).values_list("pk", "lease_token", "lease_owner")
        for pk, token, owner in held:
            if int(owner.split("|")[2]) in pids:
                self.waiting.setdefault(pk, Waiting(token, now, now))

    def look(self) -> None:
        """Which of them are leased anew, or have ended."""
        from alma.jobs.models import Job

        now = time.monotonic()
        for pk, token, state in Job.objects.filter(pk__in=list(self.waiting)).values_list("pk", "lease_token", "state"):
            if token > self.waiting[pk].token or state not in Job.ACTIVE:
                was = self.waiting.pop(pk)
                self.seconds.append(now - was.since)
                self.from_first.append(now - was.first)


class Looking:
    """Looks four times a second, whatever else is done meanwhile."""

    def __init__(self, resumption: Resumption) -> None:
        self.resumption = resumption
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Resumption:
        self.thread.start()
        return self.resumption

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.thread.join()

    def _run(self) -> None:
        from django.db import OperationalError, close_old_connections, connections

        while not self.stopping.wait(0.25):
            try:
                self.resumption.look()
            except OperationalError:
                close_old_connections()
        connections.close_all()


def p95(seconds: list[float]) -> float:
    """Of a few dozen figures."""
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else sum(seconds)


def blow(supervisor: int, score: Score, options: argparse.Namespace) -> None:
    """Deploy while it storms, wait until it is calm, and take up again what failed for good."""
    with Looking(Resumption()) as resumption:
        storm = Storm(supervisor, random.Random(options.seed), resumption.note_death, options.faults)
        strike(storm, score, options)
        storm.end()
        settle(score, options)
    score.faults, score.kinds = sum(storm.done.values()), dict(storm.done)
    score.resumed, score.resumed_from_first = resumption.seconds, resumption.from_first


@contextmanager
def patient() -> Iterator[None]:
    """What the database refuses is tried again in the next turn."""
    from django.db import OperationalError, close_old_connections

    try:
        yield
    except OperationalError:
        close_old_connections()


def strike(storm: Storm, score: Score, options: argparse.Namespace) -> None:
    """Propose and deploy, and let the faults fall evenly among it."""
    names = deque(f"storm-{number}" for number in range(options.deployments))
    deadline = time.monotonic() + options.patience
    while (names or storm.ahead) and time.monotonic() < deadline:
        with patient():
            if len(names) * options.faults > len(storm.ahead) * options.deployments:
                world.propose(names[0], options.guests)
                names.popleft()
            else:
                storm.strike()
                time.sleep(storm.dice.uniform(0, 2 * options.pause))
            follow(score)


def follow(score: Score) -> None:
    """What a person does: deploy what may be deployed, and ask again for what failed for good."""
    from alma.errors import WrongState
    from iprs import services
    from iprs.models import IPR, Deployment, Plan

    for ipr in IPR.objects.filter(status=IPR.Status.APPROVED):
        with suppress(WrongState):  # planned again meanwhile
            services.deploy(ipr, by=world.actor())
    for ipr in IPR.objects.filter(status=IPR.Status.PENDING, current_plan__status=Plan.Status.REFUSED):
        services.replan(ipr, by=world.actor())
        score.retries += 1
    for deployment in Deployment.objects.filter(status=Deployment.Status.FAILED):
        services.retry_deployment(deployment, by=world.actor())
        score.retries += 1


def settle(score: Score, options: argparse.Namespace) -> None:
    """Until nothing runs any more, and what came too late has been removed."""
    deadline = time.monotonic() + options.patience
    while time.monotonic() < deadline:
        with patient():
            follow(score)
            if is_settled(score.deployments):
                return
        time.sleep(0.2)


def is_settled(deployments: int) -> bool:
    """Whether all is done that somebody asked for, and all that nobody did is gone."""
    from alma.jobs.models import Job
    from iprs.models import Deployment

    completed = Deployment.objects.filter(status=Deployment.Status.COMPLETED).count()
    return completed == deployments and not Job.objects.active().exists() and not world.guests(f"storm-{LATE}")


def count(score: Score) -> None:
    """The guests as an independent client sees them, the deployments, and every invariant."""
    from iprs.models import Deployment

    made = world.guests("storm-")
    wanted = {f"storm-{row}-{number}" for row in range(score.deployments) for number in range(score.guests)}
    score.broken = world.breaches()
    score.found = {
        "orphans": len(set(made) - wanted)
        + sum(line.startswith(("ORPHAN", "MARKER_UNKNOWN")) for line in score.broken),
        "duplicates": sum(number - 1 for number in made.values()),
        "missing": len(wanted - set(made)),
        "event gaps": sum(line.startswith("EVENT_GAP") for line in score.broken),
        "unfinished": score.deployments - Deployment.objects.filter(status=Deployment.Status.COMPLETED).count(),
    }


def report(score: Score, database: str) -> Iterator[str]:
    """The row of the scoreboard, and what is behind it."""
    zeros = "  ".join(f"{name} {number}" for name, number in score.found.items())
    yield (
        f"{database}: {score.deployments} deployments x {score.guests} guests, {score.faults} of {score.asked} faults, "
        f"{score.seconds:.0f} s, {score.retries} taken up again by hand after a task that failed"
    )
    yield f"  {zeros}"
    yield (
        f"  {len(score.resumed)} jobs whose worker was killed went on after p95 {p95(score.resumed):.1f} s, at most "
        f"{max(score.resumed, default=0):.1f} s; counted from the first of several kills p95 {p95(score.resumed_from_first):.1f} s"
    )
    yield "  " + ", ".join(f"{name} {number}" for name, number in sorted(score.kinds.items()))
    yield from (f"  {line}" for line in score.broken)


def rows(score: Score, database: str) -> Iterator[Row]:
    """The figures for the scoreboard."""
    figure = (
        f"{database}: {score.deployments} deployments x {score.guests} guests, {score.faults} of {score.asked} faults"
    )
    zeros = ", ".join(f"{number} {name}" for name, number in score.found.items())
    yield Row(figure, "0 of each", f"{zeros}, {len(score.broken)} invariants broken", score.is_clean)
    floor = world.LEASE + 10
    seen = p95(score.resumed)
    figure = f"{database}: a killed worker's job goes on, p95 of {len(score.resumed)}"
    yield Row(figure, f"<= {floor} s (lease {world.LEASE} s + 10 s)", f"{seen:.1f} s", seen <= floor, is_timing=True)


def main() -> int:
    """Run it; 1 when anything is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deployments", type=int, default=100)
    parser.add_argument("--guests", type=int, default=3)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--pause", type=float, default=0.2, help="seconds between two faults, on the average")
    parser.add_argument(
        "--patience", type=float, default=600.0, help="seconds for the storm, and as many for the calm after it"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", default="", help="URL of an empty PostgreSQL database; SQLite without")
    parser.add_argument("--keep", default="", help="a file for the scoreboard")
    options = parser.parse_args()
    score = Score(options.deployments, options.guests, options.faults)
    with tempfile.TemporaryDirectory(prefix="storm-") as name:
        folder = Path(name)
        world.prepare(folder, options.database, ALMA_FAILPOINTS=f"*=kill:{CHANCE}")
        began = time.monotonic()
        with world.up(folder) as supervisor:
            blow(supervisor, score, options)
            count(score)
        score.seconds = time.monotonic() - began
    database = "PostgreSQL" if options.database else "SQLite"
    for line in report(score, database):
        sys.stdout.write(f"{line}\n")
    keep(list(rows(score, database)), options.keep)
    return 0 if score.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
