"""The list of instances: which, how they stand, what they take, and who waits for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from alma.accounts.actors import Actor
from alma.templatetags.statuses import words_of
from instances import limits
from instances.models import Instance, Load, Node, RequestRecord, Router, Waiter
from instances.queueing import Place, line_of

PER_PAGE = 50
LONGEST = 100
MOST_WAITING = 20
TOPICS = "instance:* instances:*"
STATUSES = ("running", "starting", "restarting", "unhealthy", "stopping", "failed", "stopped")
_ALIVE, _ENDED = Instance.ALIVE, (Instance.Status.STOPPED, Instance.Status.FAILED)
_WANTED, _NOT = Q(wanted=Instance.Wish.RUNNING), ~Q(wanted=Instance.Wish.RUNNING)
_SHOWN: Mapping[str, Q] = {
    "running": _WANTED & Q(status=Instance.Status.RUNNING),
    "unhealthy": _WANTED & Q(status=Instance.Status.UNHEALTHY),
    "starting": _WANTED & Q(status__in=(Instance.Status.STARTING, Instance.Status.STOPPED)),
    "restarting": _WANTED & Q(status__in=(Instance.Status.RESTARTING, Instance.Status.STOPPING)),
    "failed": Q(status=Instance.Status.FAILED),
    "stopping": _NOT & Q(status__in=_ALIVE),
    "stopped": _NOT & Q(status__in=_ENDED),
}
"""Which rows a filter means, as near to what is shown as a database can tell."""


@dataclass(frozen=True)
class Row:
    """An instance as pages show it. `outstanding` requests are answered now, `waiting` ones stand in line."""

    instance: Instance
    is_lost: bool
    outstanding: int
    waiting: int
    tokens_per_second: float | None = None

    @property
    def status(self) -> str:
        """As it is shown; of a machine that is silent nothing is known."""
        instance = self.instance
        if self.is_lost and instance.status != Instance.Status.STOPPED:
            return "unknown"
        is_failure = instance.has_failed and instance.wanted == Instance.Wish.RUNNING
        return "failed" if is_failure else instance.shown_status

    @property
    def is_draining(self) -> bool:
        """Whether it ends as soon as the requests under way have."""
        return self.instance.draining_since is not None and self.instance.status in Instance.ALIVE

    @property
    def may_start(self) -> bool:
        """Whether a start would change anything."""
        return self.status in {"stopped", "failed", "stopping", "unknown"}

    @property
    def usual_seconds(self) -> float | None:
        """How long its starts have taken lately."""
        return median(self.instance.last_starts) if self.instance.last_starts else None

    @property
    def is_measured(self) -> bool:
        """Whether what is known of memory and processor is of now."""
        return self.instance.status in Instance.ALIVE and not self.is_lost


def with_traffic(rows: QuerySet[Instance]) -> QuerySet[Instance]:
    """Each with how many requests are under way and how many wait: one query."""
    loads = Load.objects.filter(instance=OuterRef("pk"), router__in=Router.objects.living())
    waiters = Waiter.objects.filter(instance=OuterRef("pk"))
    return rows.annotate(
        outstanding=_counted(loads.order_by().values("instance").annotate(n=Sum("outstanding"))),
        waiting=_counted(waiters.order_by().values("instance").annotate(n=Count("pk"))),
    )


def _counted(rows: QuerySet[Any]) -> Coalesce:
    return Coalesce(Subquery(rows.values("n"), output_field=IntegerField()), Value(0))


def rows_of(instances: Iterable[Any]) -> list[Row]:
    """Rows of `with_traffic` as pages show them."""
    found, lost = list(instances), set(Node.objects.lost().values_list("name", flat=True))
    fast = RequestRecord.objects.speeds(one.pk for one in found)
    return [Row(one, one.node in lost, one.outstanding, one.waiting, fast.get(one.pk)) for one in found]


class InstanceList:
    """What the page shows, each part read when the template asks for it."""

    topics = TOPICS

    def __init__(self, actor: Actor, params: Mapping[str, str]) -> None:
        self.actor = actor
        self.asked = asked(params, ("q", "status", "group", "node"))
        self.number = params.get("page", "")

    @cached_property
    def visible(self) -> QuerySet[Instance]:
        """All that the person sees."""
        return Instance.objects.visible_to(self.actor)

    @cached_property
    def page(self) -> Page[Any]:
        """The instances of this page: those that run or fail before those that rest."""
        rank = Case(When(_SHOWN["failed"] & _WANTED, then=0), When(_WANTED, then=1), default=2)
        rows = with_traffic(self._narrowed()).annotate(rank=rank).order_by("rank", "name", "pk")
        page: Page[Any] = Paginator(rows, PER_PAGE).get_page(self.number)
        page.object_list = rows_of(page.object_list)
        return page

    def _narrowed(self) -> QuerySet[Instance]:
        rows = self.visible
        if self.asked["status"] in _SHOWN:
            rows = rows.filter(_SHOWN[self.asked["status"]])
        for name in ("group", "node"):
            rows = rows.filter(**{name: self.asked[name]}) if self.asked[name] else rows
        for word in self.asked["q"].split():
            rows = rows.filter(_mentions(word))
        return rows

    @property
    def chips(self) -> list[tuple[str, str]]:
        """The filters that are set, each with its name and in words."""
        said = {"q": f"“{self.asked['q']}”", "status": words_of(self.asked["status"])}
        return [(name, said.get(name, f"{name} {value}")) for name, value in self.asked.items() if value]

    @property
    def statuses(self) -> list[tuple[str, str]]:
        """What one may filter by."""
        return [(name, words_of(name)) for name in STATUSES]

    @cached_property
    def groups(self) -> list[str]:
        """The groups that there are."""
        return list(
            self.visible.exclude(group="").order_by("group").values_list("group", flat=True).distinct()[:LONGEST]
        )

    @cached_property
    def nodes(self) -> list[str]:
        """The machines that have instances."""
        return list(self.visible.order_by("node").values_list("node", flat=True).distinct()[:LONGEST])

    @cached_property
    def usage(self) -> limits.Usage:
        """How many run of how many that may."""
        return limits.usage(self.actor)

    @cached_property
    def line(self) -> list[Place]:
        """Who waits: the first of each line before the others."""
        return line_of(self.actor, slice(0, MOST_WAITING))

    @cached_property
    def waiting(self) -> int:
        """How many wait in all."""
        return Waiter.objects.visible_to(self.actor).count()

    @property
    def may_write(self) -> bool:
        """Whether there is anything that the person may do to instances."""
        return self.actor.has("instance:write")


def asked(params: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """The filters of a query string, of a length that makes sense."""
    return {name: params.get(name, "").replace("\0", "")[:LONGEST].strip() for name in names}


def _mentions(word: str) -> Q:
    found = Q()
    for name in ("name", "model", "group", "aliases"):
        found |= Q((f"{name}__icontains", word))
    return found
