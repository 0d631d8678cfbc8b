"""The list of machines: eight queries for any number of rows, and as quick at its end as at its beginning."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.jobs.models import Job
from alma.searching import Search, Term
from vms.machines import Standing, standing
from vms.models import Cluster, Guest, GuestQuerySet
from vms.operations.eligibility import Footing, footings
from vms.operations.verbs import FOR_MANY, Verb
from vms.pages.live import topics
from vms.pages.search import KEYS, Key, apply, parse

PER_PAGE = 50
COLUMNS = (
    ("name", "Name", ""), ("status", "Status", ""), ("environment", "Environment", ""), ("node", "Node", ""),
    ("cores", "CPU", "num"), ("memory", "Memory", "num"), ("disk", "Disk", "num"), ("", "Declared by", ""),
)  # fmt: skip
SORTS = {
    "name": "name", "vmid": "vmid", "status": "status", "environment": "environment__name", "node": "node", "cores": "cores",
    "memory": "memory_bytes", "disk": "disk_bytes",
}  # fmt: skip
_ORIGINS = {"declared": "ours", "foreign": "foreign"}


class Column(NamedTuple):
    """A heading; one without a key does not sort."""

    key: str
    title: str
    css: str
    direction: str
    next_order: str


@dataclass(frozen=True)
class Row:
    """A machine as the list shows it. `reason` is why nothing can be done with it now, for people, and `code` for the page;
    both are empty where something can. `gate` is the environment in which people have to agree first, and `is_proposed` says that
    they have not agreed yet to its being made."""

    guest: Guest
    standing: Standing
    job: Job | None = None
    reason: str = ""
    code: str = ""
    gate: Environment | None = None
    is_proposed: bool = False

    @property
    def status(self) -> str:
        """How it stands, or what a job makes of it."""
        if self.guest.missing_since:
            return "missing"
        if self.is_proposed:
            return "waiting_approval"
        return str(self.job.params.get("status") or self.standing.status) if self.job else self.standing.status


def rows_of(guests: list[Guest], *, by: Actor) -> list[Row]:
    """Each with what keeps this actor from it; what has gone is only shown."""
    known = footings(guests, by=by)
    return [_row(guest, known[guest.pk]) for guest in guests]


def _row(guest: Guest, footing: Footing) -> Row:
    stands = standing(guest, guest.cluster)
    if guest.missing_since is not None or guest.is_template:
        gone = "It is a template." if guest.is_template else "It is no longer there."
        return Row(guest, stands, reason=gone, code="NOT_THERE")
    code = footing.refusal.code if footing.refusal else ""
    return Row(guest, stands, footing.job, footing.reason, code, footing.gate, footing.is_proposed)


def whole(pks: list[int]) -> list[Guest]:
    """Machines with all that pages show of them, in the order of their numbers."""
    rows = Guest.objects.filter(pk__in=pks).select_related("cluster", "claim", "environment", "details").with_drift()
    found = {row.pk: row for row in rows.defer("cluster__ca_pem", "cluster__token_secret_sealed")}
    return [found[pk] for pk in pks if pk in found]


class MachineList:
    """What the page shows, each part read when the template asks for it. `values` are those of the filters."""

    verbs: Mapping[str, Verb] = FOR_MANY

    def __init__(self, actor: Actor, values: Mapping[str, str], number: str = "") -> None:
        self.actor = actor
        self.values = values
        self.number = number

    @cached_property
    def search(self) -> Search:
        """What was typed."""
        return parse(self.values["q"])

    @property
    def keys(self) -> Mapping[str, Key]:
        """What one may search by."""
        return KEYS

    @cached_property
    def visible(self) -> GuestQuerySet:
        """All that the person sees."""
        return Guest.objects.visible_to(self.actor)

    @cached_property
    def page(self) -> Page[Any]:
        """The machines of this page. Their numbers are found first, so that a page far into the list costs no more."""
        wanted = apply(self.visible, replace(self.search, terms=(*self.search.terms, *self._chosen())))
        page = Paginator(self._sorted(wanted).values_list("pk", flat=True), PER_PAGE).get_page(self.number)
        page.object_list = rows_of(whole(list(page.object_list)), by=self.actor)
        return page

    def _chosen(self) -> list[Term]:
        """The filters beside the search box as conditions."""
        origin = _ORIGINS.get(self.values["origin"], "")
        chosen = {name: self.values[name] for name in ("status", "kind", "cluster")} | {"is": origin}
        return [Term(key, value) for key, value in chosen.items() if value]

    def _sorted(self, rows: GuestQuerySet) -> GuestQuerySet:
        """By name unless asked otherwise; ties by id, so that pages do not overlap."""
        sign = "-" if self.values["order"] == "desc" else ""
        return rows.order_by(f"{sign}{SORTS[self.values['sort'] or 'name']}", f"{sign}pk")

    @property
    def columns(self) -> list[Column]:
        """The headings."""
        return [self._column(*column) for column in COLUMNS]

    def _column(self, key: str, title: str, css: str) -> Column:
        is_here = bool(key) and key == (self.values["sort"] or "name")
        is_down = self.values["order"] == "desc"
        direction = ("descending" if is_down else "ascending") if is_here else ""
        return Column(key, title, css, direction, "desc" if is_here and not is_down else "asc")

    @property
    def may_act(self) -> bool:
        """Whether there is anything that the person may do to machines."""
        return self.actor.has("vm:write")

    @cached_property
    def clusters(self) -> list[Cluster]:
        """Those that are read."""
        return list(Cluster.objects.visible_to(self.actor).enabled().defer("ca_pem", "token_secret_sealed"))

    @property
    def live(self) -> str:
        """The streams whose events change the list."""
        return topics(*self.clusters)

    @cached_property
    def figures(self) -> dict[str, int]:
        """How many there are, how many run, and how many are declared here."""
        figures: dict[str, int] = self.visible.machines().aggregate(
            all=Count("pk"),
            running=Count("pk", filter=Q(status="running")),
            declared=Count("pk", filter=~Q(claim=None)),
        )
        return figures
