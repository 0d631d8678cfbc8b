"""The home page: what waits, what runs, what fails, and whether the clusters can be believed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db.models import BigIntegerField, Count, Exists, F, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.overview.activity import latest
from alma.overview.feed import Entry
from alma.templatetags.ui import said_ago
from blueprints.models import Blueprint
from iprs.models import IPR, Deployment
from iprs.queues import waiting_for
from vms.models import Cluster, ClusterNode, Guest, GuestClaim

FRESH = timedelta(seconds=60)
"""A reading that is older is not shown as the present."""


@dataclass(frozen=True)
class Tile:
    """A number with a sentence and where it leads; words in place of the number when it cannot be known."""

    label: str
    icon: str
    value: str
    note: str
    url: str
    tone: str = ""


@dataclass(frozen=True)
class NodeBar:
    """The guests of a node, and its memory as the cluster was last read; 0 of a node that was not read."""

    name: str
    guests: int
    running: int
    memory_used: int
    memory_bytes: int

    @property
    def tone(self) -> str:
        """By how full its memory is."""
        share = self.memory_used / self.memory_bytes if self.memory_bytes else 0.0
        return "bad" if share > 0.95 else "warn" if share > 0.85 else ""


@dataclass(frozen=True)
class ClusterView:
    """A cluster with its nodes, and whether the figures are of now."""

    cluster: Cluster
    nodes: tuple[NodeBar, ...]
    trouble: str


@dataclass(frozen=True)
class Task:
    """One step of the first day; it ticks itself."""

    title: str
    note: str
    url: str
    is_done: bool


class Mission:
    """What the page shows, each part read when the template asks for it: a live part reads itself alone."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor

    @property
    def may_draft(self) -> bool:
        """Whether a description can become a blueprint here."""
        return self.actor.has("blueprint:write")

    # -- tiles ----------------------------------------------------------------------------------------
    @cached_property
    def tiles(self) -> list[Tile]:
        """The four of the first row."""
        return [self._waiting(), self._running(), self._failing(), self._drifted()]

    def _waiting(self) -> Tile:
        rows = waiting_for(IPR.objects.visible_to(self.actor), self.actor)
        found = rows.order_by().aggregate(number=Count("pk", distinct=True), oldest=Min("created_at"))
        number, url = found["number"], reverse("iprs:list")
        if not number:
            return Tile("Waiting for you", "inbox", "0", "Nothing needs you now", f"{url}?view=review")
        only_me = self._first_queue()
        note = f"The oldest was opened {_ago(found['oldest'])}"
        return Tile("Waiting for you", "inbox", str(number), note, f"{url}?view={only_me}", "warn")

    def _first_queue(self) -> str:
        return "review" if self.actor.has("ipr:review") else "mine"

    def _running(self) -> Tile:
        rows = Deployment.objects.visible_to(self.actor).running().select_related("ipr", "job").order_by("-pk")[:2]
        found, url = list(rows), reverse("iprs:deployments")
        if not found:
            return Tile("Running now", "deploy", "0", "No deployment is running", f"{url}?view=running")
        if len(found) == 1:
            return Tile("Running now", "deploy", "1", found[0].ipr.title, found[0].get_absolute_url(), "run")
        number = Deployment.objects.visible_to(self.actor).running().count()
        return Tile("Running now", "deploy", str(number), "Deployments at work", f"{url}?view=running", "run")

    def _failing(self) -> Tile:
        rows = IPR.objects.visible_to(self.actor).filter(status=IPR.Status.FAILED)
        found = rows.aggregate(number=Count("pk"), oldest=Min("updated_at"))
        number, url = found["number"], f"{reverse('iprs:list')}?q=status:failed"
        if not number:
            return Tile("Failing", "octagon-x", "0", "No deployment has stopped halfway", url)
        return Tile(
            "Failing", "octagon-x", str(number), f"Stopped halfway, the oldest {_ago(found['oldest'])}", url, "bad"
        )

    def _drifted(self) -> Tile:
        """Never calm while a source cannot be read."""
        silent = next((view for view in self.clusters if view.trouble), None)
        if silent is not None:
            note = f"{silent.cluster.name}: {silent.trouble}"
            return Tile("Cluster", "alert", "Not readable", note, reverse("vms:list"), "bad")
        if not self.clusters:
            admin = reverse("admin:vms_cluster_changelist")
            return Tile("Drifted", "cluster", "–", "No cluster is connected yet", admin)
        number = _lost(self.actor)
        note = f"{_count(number, 'guest')} gone that ALMA made" if number else "Every guest that ALMA made is there"
        return Tile("Drifted", "shield", str(number), note, reverse("vms:list"), "warn" if number else "")

    # -- the rest -------------------------------------------------------------------------------------
    @cached_property
    def feed(self) -> list[Entry]:
        """What happened lately."""
        return latest(self.actor)

    @cached_property
    def clusters(self) -> list[ClusterView]:
        """Each cluster with its nodes, from the last reading."""
        bars: dict[int, list[NodeBar]] = {}
        for row in _nodes(self.actor):
            bars.setdefault(row.pop("cluster"), []).append(NodeBar(row.pop("node"), **row))
        enabled = Cluster.objects.visible_to(self.actor).enabled()
        return [ClusterView(row, tuple(bars.get(row.pk, [])), _trouble(row)) for row in enabled]

    @cached_property
    def tasks(self) -> list[Task]:
        """The first day, or nothing once a plan was carried out."""
        done = Deployment.objects.visible_to(self.actor).filter(status=Deployment.Status.COMPLETED, is_dry_run=False)
        if done.exists():
            return []
        rows = IPR.objects.visible_to(self.actor)
        seen = rows.aggregate(all=Count("pk"), agreed=Count("pk", filter=Q(status__in=_AGREED)))
        has_blueprint = Blueprint.objects.visible_to(self.actor).exists()
        queue = reverse("iprs:list")
        return [
            Task(
                "Connect a cluster",
                "Proxmox, or the sandbox that comes along",
                reverse("admin:vms_cluster_changelist"),
                bool(self.clusters),
            ),
            Task("Describe what you need", "Words become a blueprint", reverse("blueprints:new"), has_blueprint),
            Task("Propose it", "An IPR with an exact plan", reverse("iprs:new"), bool(seen["all"])),
            Task("Agree on it", "Reviewers approve one plan", f"{queue}?view=review", bool(seen["agreed"])),
            Task("Carry it out", "And watch every step", f"{queue}?view=ready", is_done=False),
        ]


_AGREED = (IPR.Status.APPROVED, IPR.Status.DEPLOYING, IPR.Status.DEPLOYED, IPR.Status.FAILED)


def _nodes(actor: Actor) -> list[dict[str, Any]]:
    rows = Guest.objects.visible_to(actor).present().filter(is_template=False).order_by("cluster_id", "node")
    is_running = Q(status="running")
    found = rows.values("cluster", "node").annotate(
        guests=Count("pk"),
        running=Count("pk", filter=is_running),
        memory_used=_of_node("memory_used"),
        memory_bytes=_of_node("memory_bytes"),
    )
    return [dict(row) for row in found]


def _of_node(field: str) -> Coalesce:
    node = ClusterNode.objects.filter(cluster=OuterRef("cluster"), name=OuterRef("node"))
    return Coalesce(Subquery(node.values(field)[:1]), 0, output_field=BigIntegerField())


def _trouble(cluster: Cluster) -> str:
    """Why the figures of a cluster are not of now, or nothing when they are."""
    if cluster.last_read_at is None:
        return cluster.last_error or "not read yet"
    if cluster.last_error:
        return f"not readable since {_ago(cluster.last_read_at)}"
    is_old = timezone.now() - cluster.last_read_at > FRESH
    return f"last read {_ago(cluster.last_read_at)}; is the reconciler running?" if is_old else ""


def _lost(actor: Actor) -> int:
    """Guests that ALMA made and that a reading after that no longer shows."""
    present = Guest.objects.present().filter(cluster=OuterRef("cluster"), vmid=OuterRef("vmid"))
    rows = GuestClaim.objects.visible_to(actor).filter(state=GuestClaim.State.LIVE, cluster__is_enabled=True)
    return rows.filter(updated_at__lt=F("cluster__last_read_at")).exclude(Exists(present)).count()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _ago(when: datetime) -> str:
    return said_ago((timezone.now() - when).total_seconds()) or when.strftime("%Y-%m-%d")
