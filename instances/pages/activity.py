"""Requests to models: which, what became of them, and how many and how fast over time."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Avg, Case, Count, Q, QuerySet, Sum, When
from django.db.models.functions import TruncHour, TruncMinute
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.templatetags.statuses import words_of
from instances.models import RequestRecord
from instances.pages.charts import Chart, Figure, Values, draw
from instances.pages.listing import asked

PER_PAGE, MOST_CHOICES = 50, 200
LATELY = timedelta(days=7)
State = RequestRecord.State
PERIODS: Mapping[str, tuple[timedelta, int, Callable[..., Any]]] = {
    "1h": (timedelta(hours=1), 60, TruncMinute),
    "24h": (timedelta(hours=24), 1800, TruncMinute),
    "7d": (timedelta(days=7), 14_400, TruncHour),
}
"""How far back, seconds of a step of the pictures, and how the database parts time for it."""
FILTERS = ("q", "state", "model", "key")
SHORTEST = 0.01
"""Seconds of an answer below which its speed says nothing."""
_SUMS = ("n", "bad", "written", "read", "seconds", "seconds_n", "first", "first_n")
BADGES = {"in_flight": "running", "done": "completed", "refused": "rejected"}
"""As the design names what became of a request."""


@dataclass(frozen=True)
class Entry:
    """A request as pages show it."""

    record: RequestRecord

    @property
    def status(self) -> str:
        """As the design names it."""
        return BADGES.get(self.record.state, self.record.state)

    @property
    def speed(self) -> float | None:
        """Tokens a second; None of an answer that came too quickly for a clock to tell."""
        record = self.record
        begun = record.first_token_seconds if record.is_streamed else record.queue_seconds
        is_measurable = (record.duration_seconds or 0.0) - (begun or 0.0) >= SHORTEST
        return record.tokens_per_second if is_measurable else None


class Activity:
    """What a page shows of requests, each part read when the template asks for it. `narrowed` are conditions of the page."""

    def __init__(self, actor: Actor, params: Mapping[str, str], **narrowed: Any) -> None:
        self.actor = actor
        self.asked = asked(params, FILTERS)
        self.number = params.get("page", "")
        self.period = params.get("period", "") if params.get("period", "") in PERIODS else "1h"
        self.visible = RequestRecord.objects.visible_to(actor).filter(**narrowed)

    @cached_property
    def page(self) -> Page[Any]:
        """Those under way, then the newest."""
        is_open = Case(When(state=State.IN_FLIGHT, then=0), default=1)
        rows = self._narrowed().select_related("instance").order_by(is_open, "-began_at", "-pk")
        page: Page[Any] = Paginator(rows, PER_PAGE).get_page(self.number)
        page.object_list = [Entry(row) for row in page.object_list]
        return page

    def _narrowed(self) -> QuerySet[RequestRecord]:
        rows = self.visible
        if self.asked["state"] in State.values:
            rows = rows.filter(state=self.asked["state"])
        if self.asked["model"]:
            rows = rows.filter(Q(model=self.asked["model"]) | Q(instance__name=self.asked["model"]))
        if self.asked["key"]:
            rows = rows.filter(label=self.asked["key"])
        for word in self.asked["q"].split():
            found = Q(model__icontains=word) | Q(label__icontains=word) | Q(path__icontains=word)
            rows = rows.filter(found | Q(error__icontains=word) | Q(request_id__startswith=word))
        return rows

    @property
    def chips(self) -> list[tuple[str, str]]:
        """The filters that are set, each with its name and in words."""
        said = {"q": f"“{self.asked['q']}”", "state": words_of(self.asked["state"])}
        return [(name, said.get(name, f"{name} {value}")) for name, value in self.asked.items() if value]

    @property
    def states(self) -> list[tuple[str, str]]:
        """What one may filter by."""
        return [(value, words_of(value)) for value in State.values]

    @cached_property
    def models(self) -> list[str]:
        """Those that were asked for lately, to filter by; the one that is chosen is among them."""
        return self._lately("model")

    @cached_property
    def keys(self) -> list[str]:
        """Who asked lately."""
        return self._lately("label", chosen="key")

    def _lately(self, field: str, chosen: str = "") -> list[str]:
        rows = self.visible.filter(began_at__gte=timezone.now() - LATELY).exclude(**{field: ""}).order_by(field)
        found = set(rows.values_list(field, flat=True).distinct()[:MOST_CHOICES])
        return sorted(found | set(filter(None, [self.asked[chosen or field]])))

    @property
    def periods(self) -> Iterable[str]:
        """How far back one may look."""
        return PERIODS

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From when until when."""
        until = timezone.now()
        return until - PERIODS[self.period][0], until

    @cached_property
    def totals(self) -> dict[str, Any]:
        """Of the period."""
        return self._narrowed().filter(began_at__gte=self.span[0]).aggregate(
            requests=Count("pk"), failed=Count("pk", filter=Q(state=State.FAILED)),
            prompt=Sum("prompt_tokens", default=0), completion=Sum("completion_tokens", default=0),
            first=Avg("first_token_seconds"),
        )  # fmt: skip

    @cached_property
    def charts(self) -> list[Chart]:
        """The pictures of the period."""
        since, until = self.span
        span, steps = (since.timestamp(), until.timestamp()), self._steps()
        figures = (
            Figure("requests", "Requests", "activity", (("All", _each(steps, "n")), ("Failed", _each(steps, "bad"))), _count),
            Figure(
                "tokens", "Tokens", "chat",
                (("Written", _each(steps, "written")), ("Read", _each(steps, "read"))), _count,
            ),
            Figure(
                "latency", "Latency", "clock",
                (("To the end", _mean(steps, "seconds")), ("To the first token", _mean(steps, "first"))), _seconds,
            ),
        )  # fmt: skip
        return [draw(figure, span) for figure in figures]

    @cached_property
    def speed(self) -> Chart:
        """How fast tokens came for a request."""
        since, until = self.span
        values = [(at, _rate(step)) for at, step in self._steps()]
        figure = Figure("speed", "Tokens a second", "bolt", (("Of a request", values),), _count)
        return draw(figure, (since.timestamp(), until.timestamp()))

    def _steps(self) -> list[tuple[float, dict[str, float]]]:
        """By step: sums, and of what is a mean its sum with how many it is of."""
        _, seconds, trunc = PERIODS[self.period]
        since, until = (moment.timestamp() for moment in self.span)
        found: dict[int, dict[str, float]] = {}
        rows = (
            self._narrowed().filter(began_at__gte=self.span[0]).order_by().annotate(at=trunc("began_at")).values("at")
        )
        for row in rows.annotate(
            n=Count("pk"), bad=Count("pk", filter=Q(state=State.FAILED)), written=Sum("completion_tokens"),
            read=Sum("prompt_tokens"), seconds=Sum("duration_seconds"), seconds_n=Count("duration_seconds"),
            first=Sum("first_token_seconds"), first_n=Count("first_token_seconds"),
        ):  # fmt: skip
            step = found.setdefault(int(row["at"].timestamp()) // seconds, dict.fromkeys(_SUMS, 0.0))
            for name in _SUMS:
                step[name] += row[name] or 0  # type: ignore[literal-required]
        first, last = int(since) // seconds, int(until) // seconds
        return [(number * seconds, found.get(number, {})) for number in range(first, last + 1)]


def _rate(step: Mapping[str, float]) -> float | None:
    seconds = step.get("seconds", 0.0) - step.get("first", 0.0)
    return step["written"] / seconds if seconds > 0 and step["written"] else None


def _each(steps: list[tuple[float, dict[str, float]]], name: str) -> Values:
    return [(at, step.get(name, 0.0)) for at, step in steps]


def _mean(steps: list[tuple[float, dict[str, float]]], name: str) -> Values:
    return [(at, step[name] / step[f"{name}_n"] if step.get(f"{name}_n") else None) for at, step in steps]


def _count(value: float) -> str:
    return f"{value:,.0f}".replace(",", "\N{NO-BREAK SPACE}") if value >= 10 or value == int(value) else f"{value:.1f}"


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f}\N{NO-BREAK SPACE}ms" if value < 1 else f"{value:.1f}\N{NO-BREAK SPACE}s"
