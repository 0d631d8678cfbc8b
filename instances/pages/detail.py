"""The page of one instance."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.urls import reverse

from alma.accounts.actors import Actor
from alma.errors import Unavailable
from instances import services
from instances.models import Instance, Waiter
from instances.pages.activity import Activity
from instances.pages.listing import Row, asked, rows_of, with_traffic
from instances.pages.logs import LogPage
from instances.pages.metrics import Metrics
from instances.queueing import Place, line_before, places
from instances.remote import logs

TABS: Mapping[str, str] = {
    "": "Activity",
    "queue": "Queue",
    "logs": "Logs",
    "config": "Config",
    "metrics": "Metrics",
    "access": "Access",
}
LAST_WORDS = 20
FIRST_WAITING, PER_PAGE = 10, 50


def row_named(name: str, actor: Actor) -> Row:
    """The instance of a name with its traffic. Raises NotFound."""
    pk = services.find(name, by=actor).pk
    return rows_of(with_traffic(Instance.objects.filter(pk=pk)))[0]


def address_of(instance: Instance) -> str:
    """Where its page is."""
    return reverse("instances:page", args=[instance.name])


class InstancePage:
    """What the page shows, each part read when the template asks for it."""

    def __init__(self, row: Row, actor: Actor, params: Mapping[str, str]) -> None:
        self.row = row
        self.instance = row.instance
        self.actor = actor
        self.params = params
        self.view = params.get("view", "") if params.get("view", "") in TABS else ""

    @property
    def url(self) -> str:
        """Its address."""
        return address_of(self.instance)

    @property
    def topics(self) -> str:
        """Whose events change it."""
        return self.instance.stream

    @property
    def tabs(self) -> list[tuple[str, str, str]]:
        """The parts of the page, each with its address."""
        return [(name, label, self._address(name)) for name, label in TABS.items()]

    def _address(self, view: str) -> str:
        if view == "config":
            return reverse("instances:config", args=[self.instance.name])
        return f"{self.url}?view={view}" if view else self.url

    @property
    def may_write(self) -> bool:
        """Whether the person may do anything to it."""
        return self.actor.has("instance:write")

    @property
    def reason(self) -> str:
        """The first line of why it is not as it should be."""
        return self.instance.reason.partition("\n")[0]

    @cached_property
    def last_words(self) -> str:
        """The last lines of its log, for one that failed or starts again."""
        try:
            words = logs.last_words(self.instance, LAST_WORDS)
        except Unavailable:  # its machine is away; the reason has some of them
            words = ""
        return words or self.instance.reason.partition("\n")[2]

    @cached_property
    def line(self) -> list[Place]:
        """Who waits for it: the first of them."""
        return places(line_before(self.instance)[:FIRST_WAITING])

    @property
    def words(self) -> str:
        """What is searched for in the line."""
        return asked(self.params, ("q",))["q"]

    @cached_property
    def queue(self) -> Page[Any]:
        """Who waits for it and fits the search."""
        found: Page[Any] = Paginator(line_before(self.instance, self.words), PER_PAGE).get_page(self.params.get("page"))
        found.object_list = places(found.object_list)
        return found

    @cached_property
    def waiting(self) -> int:
        """How many do."""
        return Waiter.objects.filter(instance=self.instance).count()

    @cached_property
    def activity(self) -> Activity:
        """Its requests."""
        return Activity(self.actor, self.params, instance=self.instance)

    @cached_property
    def metrics(self) -> Metrics:
        """What it took."""
        return Metrics(self.instance, self.actor, self.params)

    @cached_property
    def log(self) -> LogPage:
        """What it printed."""
        return LogPage(self.instance, self.params)
