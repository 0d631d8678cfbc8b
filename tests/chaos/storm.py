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
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos import world

CALM = 240.0
CHANCE = 0.002


@dataclass
class Score:
    """What is counted."""

    deployments: int
    guests: int
    faults: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    retries: int = 0
    seconds: float = 0.0
    resumed: list[float] = field(default_factory=list)
    found: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.broken and not any(self.found.values())

    def p95(self) -> float:
        """Seconds from the death of a worker until its job is worked on again."""
        return statistics.quantiles(self.resumed, n=20)[-1] if len(self.resumed) > 1 else 0.0


class Resumption:
    """How long jobs lie when their worker has died."""

    def __init__(self) -> None:
        self.waiting: dict[int, tuple[int, float]] = {}
        self.seconds: list[float] = []

    def note_death(self) -> None:
        """Now: which jobs are leased."""
        from alma.jobs.models import Job

        now = time.monotonic()
        for pk, token in Job.objects.active().exclude(lease_until=None).values_list("pk", "lease_token"):
            self.waiting.setdefault(pk, (token, now))

    def look(self) -> None:
        """Which of them are leased anew, or have ended."""
        from alma.jobs.models import Job

        for pk, token, state in Job.objects.filter(pk__in=self.waiting).values_list("pk", "lease_token", "state"):
            before, at = self.waiting[pk]
            if token > before or state not in Job.ACTIVE:
                self.seconds.append(time.monotonic() - at)
                del self.waiting[pk]


def blow(folder: Path, score: Score, options: argparse.Namespace) -> None:
    """Deploy while it storms, wait until it is calm, and take up again what failed for good."""
    from django.db import OperationalError, close_old_connections

    from tests.chaos.faults import Storm

    resumption = Resumption()
    storm = Storm(str(folder), random.Random(options.seed), resumption.note_death)
    waiting = [f"storm-{number}" for number in range(options.deployments)]
    share = options.faults / options.deployments
    owed = 0.0
    while waiting or sum(storm.done.values()) < options.faults:
        try:
            if waiting:
                world.begin(waiting[0], options.guests)
                waiting.pop(0)
            owed = owed + share if waiting else 1
            while owed >= 1:
                owed -= 1
                storm.strike()
                time.sleep(storm.dice.uniform(0, 2 * options.pause))
            resumption.look()
        except OperationalError:
            close_old_connections()
    storm.end()
    settle(score, resumption)
    score.faults, score.kinds, score.resumed = sum(storm.done.values()), dict(storm.done), resumption.seconds


def settle(score: Score, resumption: Resumption) -> None:
    """Until nothing runs any more. A deployment that failed for good is retried, as often as a person would."""
    from alma.jobs.models import Job
    from iprs import services
    from iprs.models import Deployment
    from tests.chaos.world import actor

    deadline = time.monotonic() + CALM
    while time.monotonic() < deadline:
        resumption.look()
        if Job.objects.active().filter(kind="deployment").exists():
            time.sleep(0.2)
            continue
        failed = list(Deployment.objects.filter(status=Deployment.Status.FAILED))
        if not failed:
            return
        for deployment in failed:
            services.retry_deployment(deployment, by=actor())
            score.retries += 1


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
        f"{database}: {score.deployments} deployments x {score.guests} guests, {score.faults} faults, "
        f"{score.seconds:.0f} s, {score.retries} retried after a task that failed"
    )
    yield f"  {zeros}  resumed p95 {score.p95():.1f} s of {len(score.resumed)} (lease {world.LEASE} s + 10 s)"
    yield "  " + ", ".join(f"{name} {number}" for name, number in sorted(score.kinds.items()))
    yield from (f"  {line}" for line in score.broken)


def main() -> int:
    """Run it; 1 when anything is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deployments", type=int, default=100)
    parser.add_argument("--guests", type=int, default=3)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--pause", type=float, default=0.3, help="seconds between two faults, on the average")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", default="", help="URL of an empty PostgreSQL database; SQLite without")
    options = parser.parse_args()
    score = Score(options.deployments, options.guests)
    with tempfile.TemporaryDirectory(prefix="storm-") as name:
        folder = Path(name)
        world.prepare(folder, options.database, ALMA_FAILPOINTS=f"*=kill:{CHANCE}")
        began = time.monotonic()
        with world.up(folder):
            blow(folder, score, options)
            count(score)
        score.seconds = time.monotonic() - began
    for line in report(score, "PostgreSQL" if options.database else "SQLite"):
        sys.stdout.write(f"{line}\n")
    return 0 if score.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
