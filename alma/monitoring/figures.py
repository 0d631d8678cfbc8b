"""Figures of the kernel, read when somebody asks: jobs, steps, queue, roles, sockets, and how far readers lag behind.

An app above has a function of the same kind; ALMA_FIGURES names them all. Labels hold states, kinds and numbers, never
names: a figure is seen by people of every organization.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Count
from django.utils import timezone
from django_q.models import OrmQ

from alma.api.limits.classes import CLASSES
from alma.api.limits.limiter import ALLOWED, REFUSED, tally_of
from alma.api.limits.limiter import tallies as limit_tallies
from alma.events import gauges
from alma.jobs import beats
from alma.jobs.models import Job, Step
from alma.monitoring import probes
from alma.monitoring.tallies import tallies

Labels = tuple[str, ...]


@dataclass(frozen=True)
class Figure:
    """A number, or one per combination of labels."""

    name: str
    meaning: str
    rows: Mapping[Labels, float]
    labels: Labels = field(default=())
    is_counter: bool = False

    @classmethod
    def plain(cls, name: str, meaning: str, value: float, *, is_counter: bool = False) -> "Figure":
        """One without labels."""
        return cls(name, meaning, {(): value}, is_counter=is_counter)


def filled(known: Iterable[Labels], found: Mapping[Labels, float]) -> dict[Labels, float]:
    """What was found, and zero for what is known and was not: a series that comes and goes is hard to read."""
    return dict.fromkeys(known, 0) | dict(found)


def work() -> list[Figure]:
    """Jobs, the steps of those that have not ended, the tasks that wait for a worker, and whether somebody works."""
    jobs = Job.objects.order_by().values_list("kind", "state").annotate(Count("pk"))
    steps = Step.objects.filter(job__state__in=Job.ACTIVE).order_by().values_list("state").annotate(Count("pk"))
    known = [(kind, state) for kind in settings.ALMA_JOB_KINDS for state in Job.State.values]
    return [
        Figure("alma_jobs", "Jobs by kind and state.", filled(known, _counted(jobs)), ("kind", "state")),
        Figure(
            "alma_steps", "Steps of jobs that have not ended, by state.",
            filled([(state,) for state in Step.State.values], _counted(steps)), ("state",),
        ),
        Figure("alma_queue_tasks", "Tasks that wait for a worker, and that one has taken.", _queue(), ("state",)),
        Figure("alma_role_silence_seconds", "Since a role last showed that it works.", _roles(), ("role",)),
    ]  # fmt: skip


def _counted(rows: Iterable[tuple[str | int, ...]]) -> dict[Labels, float]:
    return {tuple(map(str, labels)): float(number) for *labels, number in rows}


def _queue() -> dict[Labels, float]:
    now = timezone.now()
    locks = OrmQ.objects.values_list("lock", flat=True)
    states = Counter("waiting" if lock is None or lock < now else "taken" for lock in locks)
    return {(state,): states[state] for state in ("waiting", "taken")}


def _roles() -> dict[Labels, float]:
    ages = beats.ages()
    return {(name,): ages[name] for name in (beats.WORKER, beats.RECONCILER) if name in ages}


def limits() -> list[Figure]:
    """Requests that had to respect a limit, over all web processes."""
    found = tallies.totals(*limit_tallies())
    rows: dict[Labels, float] = {
        (one.name, outcome): float(found[tally_of(one, outcome)]) for one in CLASSES for outcome in (ALLOWED, REFUSED)
    }
    name, meaning = "alma_rate_limited_requests", "Requests by the class of their limit, allowed and refused."
    return [Figure(name, meaning, rows, ("class", "outcome"), is_counter=True)]


def live() -> list[Figure]:
    """Of this web process: its sockets and what they have not been told yet."""
    lag = gauges.lag()
    return [
        Figure("alma_info", "Which version runs.", {(settings.ALMA_VERSION,): 1}, ("version",)),
        Figure.plain("alma_uptime_seconds", "Since this process began.", probes.uptime_seconds()),
        Figure.plain("alma_websockets_open", "Sockets that this process serves.", gauges.open_sockets()),
        Figure.plain("alma_event_lag", "Events written and not yet read for the sockets of this process.", lag.events),
        Figure.plain("alma_event_lag_seconds", "Age of the oldest of them, at least.", lag.seconds),
    ]
