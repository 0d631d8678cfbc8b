"""What an instance took over time, as pictures."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import cached_property

from django.utils import timezone

from alma.accounts.actors import Actor
from alma.templatetags.ui import size
from instances.measuring import STEP
from instances.models import Instance, Sample
from instances.pages.activity import Activity
from instances.pages.charts import Chart, Figure, Span, Values, draw

PERIODS: Mapping[str, tuple[timedelta, int]] = {"1h": (timedelta(hours=1), STEP), "24h": (timedelta(hours=24), 600)}
"""How far back, and seconds of a step."""
FIELDS = ("memory_bytes", "cpu_percent", "outstanding", "waiting")


class Metrics:
    """Of one instance. What is between two samples that are further apart than a step was not measured, and is a gap."""

    def __init__(self, instance: Instance, actor: Actor, params: Mapping[str, str]) -> None:
        self.instance = instance
        self.period = params.get("period", "") if params.get("period", "") in PERIODS else "1h"
        self.activity = Activity(actor, {"period": self.period}, instance=instance)
        self._samples = Sample.objects.visible_to(actor).filter(instance=instance)

    @property
    def periods(self) -> Iterable[str]:
        """How far back one may look."""
        return PERIODS

    @cached_property
    def charts(self) -> Sequence[Chart]:
        """The pictures of the period."""
        until = timezone.now()
        span = ((until - PERIODS[self.period][0]).timestamp(), until.timestamp())
        memory, cpu, outstanding, waiting = self._series(span)
        figures = (
            Figure("memory", "Memory", "memory", (("Used", memory),), size, least=2.0**20, unit=1024.0),
            Figure("cpu", "CPU", "cpu", (("Used", cpu),), lambda value: f"{value:.0f}\N{NO-BREAK SPACE}%", least=100.0),
            Figure("queue", "Requests", "hourglass", (("Answered", outstanding), ("Waiting", waiting)), _count),
        )
        return [*(draw(figure, span) for figure in figures), self.activity.speed]

    def _series(self, span: Span) -> list[Values]:
        """By field the mean of each step, None where there is no sample."""
        seconds = PERIODS[self.period][1]
        found: dict[int, list[tuple[float | None, ...]]] = {}
        since = timezone.now() - PERIODS[self.period][0]
        for at, *values in self._samples.filter(at__gte=since).values_list("at", *FIELDS):
            found.setdefault(int(at.timestamp()) // seconds, []).append(tuple(values))
        steps = range(int(span[0]) // seconds, int(span[1]) // seconds + 1)
        return [
            [(step * seconds, _mean([row[place] for row in found.get(step, ())])) for step in steps]
            for place in range(len(FIELDS))
        ]


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _count(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
