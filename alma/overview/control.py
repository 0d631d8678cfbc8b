"""The mission control page: what runs, and the activity of the organization, narrowed as the query string says."""

from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from alma.accounts.actors import Actor
from alma.accounts.models import Project
from alma.api.dialects import Page
from alma.api.paging import read_on
from alma.events.models import MEMBERS
from alma.jobs import tray
from alma.jobs.kinds import topics
from alma.jobs.pages.listing import Row, rows_of
from alma.overview import figures
from alma.overview.activity import activity
from alma.overview.asking import NAMES, filters_of
from alma.overview.feed import KINDS, Entry, entry_of
from alma.overview.sparkline import Sparkline, sparkline
from alma.templatetags.statuses import words_of
from blueprints.models import Assistant
from vms.models import Guest
from vms.operations.showing import proposed

PER_PAGE = 50
MOST_RUNNING = 6
MOST_MACHINES = 100
SHOWN_MACHINES = 10
MOST_PROJECTS = 200
MOST_AGENTS = 200
AREAS = {
    "ipr": "IPRs", "deployment": "Deployments", "blueprint": "Blueprints", "project": "Projects", "agent": "Agents",
    "session": "Sessions", "vm": "Machines", "cluster": "Clusters", "key": "Keys", "member": "Members", "policy": "Rules", "webhook": "Webhooks",
}  # fmt: skip
STREAMS = "ipr:* deployment:* blueprint:* project:* agent:* session:* cluster:* organization:* webhook:*"
"""Where the feed's events are told."""


@dataclass(frozen=True)
class Chip:
    """A filter that is set: its parameter, and what it says."""

    name: str
    label: str


class Control:
    """What the page shows, each part read when the template asks for it: a live part reads itself alone."""

    streams = STREAMS
    areas = AREAS

    def __init__(self, actor: Actor, query: QueryDict) -> None:
        self.actor = actor
        self.asked = {name: str(query.get(name, "")) for name in NAMES}
        self.filters = filters_of(self.asked, actor)
        self.cursor = str(query.get("cursor", ""))

    # -- what runs ------------------------------------------------------------------------------------
    @property
    def topics(self) -> str:
        """Where jobs are told of."""
        return topics()

    @cached_property
    def running(self) -> list[Row]:
        """Jobs that have not ended, the newest first; one more than is shown when there are more."""
        rows = tray.active(self.actor).select_related("deployment__ipr__environment")
        return rows_of(rows.order_by("-pk")[: MOST_RUNNING + 1])

    @property
    def shown_running(self) -> list[Row]:
        """Those that the strip has room for."""
        return self.running[:MOST_RUNNING]

    # -- what happened --------------------------------------------------------------------------------
    @cached_property
    def page(self) -> Page:
        """The part of the feed that the cursor names."""
        place = ("mission-control page", self.actor.organization_id, sorted(self.asked.items()))
        return read_on(activity(self.actor, self.filters), self.cursor, PER_PAGE, *place)

    @cached_property
    def entries(self) -> list[Entry]:
        """That part in words."""
        return [entry_of(event, self.actor) for event in self.page.rows]

    @cached_property
    def spark(self) -> Sparkline:
        """How much of it happened in each hour of the last day."""
        return sparkline(activity(self.actor, self.filters))

    @cached_property
    def by_area(self) -> list[tuple[str, str, int]]:
        """Everything that was told in a day, per area: the filter, its name, and how much."""
        counted = figures.events(self.actor)["byArea"]
        return [
            (area, label, counted[area]) for area, label in AREAS.items() if counted.get(area) and self._tells(area)
        ]

    # -- filters --------------------------------------------------------------------------------------
    @property
    def kinds(self) -> list[tuple[str, str, list[tuple[str, str]]]]:
        """Per area the kinds of events that one may ask for."""
        found: dict[str, list[tuple[str, str]]] = {area: [] for area in AREAS}
        for kind in sorted({*KINDS, *([self.filters.kind] if "." in self.filters.kind else [])}):
            area, _, what = kind.partition(".")
            found.setdefault(area, []).append((kind, words_of(what)))
        return [
            (area, AREAS.get(area, words_of(area)), rows) for area, rows in found.items() if rows and self._tells(area)
        ]

    def _tells(self, area: str) -> bool:
        """Whether the feed tells the actor of this area."""
        return area != "member" or self.actor.has(MEMBERS)

    @cached_property
    def projects(self) -> list[Project]:
        """Those that one may narrow to."""
        return list(Project.objects.visible_to(self.actor).only("name", "public_id")[:MOST_PROJECTS])

    @cached_property
    def agents(self) -> list[Assistant]:
        """Those whose doings one may narrow to."""
        return list(Assistant.objects.visible_to(self.actor).only("name", "uid").order_by("name", "pk")[:MOST_AGENTS])

    @cached_property
    def machines(self) -> list[Guest]:
        """The machines of the last reading, narrowed by their filter."""
        return list(figures.machines_of(self.actor, self.filters.machine)[:MOST_MACHINES])

    @property
    def shown_machines(self) -> list[Guest]:
        """Those that the side has room for."""
        return self.machines[:SHOWN_MACHINES]

    @cached_property
    def proposed(self) -> set[int]:
        """The numbers of those that people have to agree to first."""
        return proposed(self.shown_machines)

    @property
    def chips(self) -> list[Chip]:
        """The filters that are set."""
        chosen = self.filters
        said = {
            "search": f"“{chosen.search}”" if chosen.search else "",
            "kind": _kind_in_words(chosen.kind),
            "projectId": chosen.project.name if chosen.project else "",
            "machine": f"machine {chosen.machine}" if chosen.machine else "",
            "agentId": self._agent_in_words(),
        }
        return [Chip(name, label) for name, label in said.items() if label]

    def _agent_in_words(self) -> str:
        wanted = self.filters.agent
        if wanted is None:
            return ""
        name = next((row.name for row in self.agents if row.uid == wanted), str(wanted)[:8])
        return f"agent {name}"

    @property
    def api(self) -> str:
        """The same over the API."""
        asked = urlencode({name: value for name, value in self.asked.items() if value})
        return f"{reverse('overview:api-mission-control')}?{asked}".rstrip("?")


def _kind_in_words(kind: str) -> str:
    area, _, what = kind.partition(".")
    label = AREAS.get(area, words_of(area))
    return f"{label}: {words_of(what).lower()}" if what else label
