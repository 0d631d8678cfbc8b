"""The page of one machine, each part read when the template asks for it: a live part reads itself alone."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import urlencode

from django.urls import reverse

from alma.accounts.actors import Actor
from alma.jobs.models import Job
from vms.machines import public_id
from vms.models import Drift, Guest, GuestDetails
from vms.operations import snapshots
from vms.operations.verbs import VERBS, Verb
from vms.pages.done import Done
from vms.pages.history import History
from vms.pages.judged import Judgement
from vms.pages.listing import Row, rows_of
from vms.pages.live import topics
from vms.pages.tree import Branch, tree
from vms.pages.work import Work, work_of

VIEWS = (("", "Overview"), ("snapshots", "Snapshots"), ("backups", "Backups"), ("history", "History"))
_POWER = ("start", "stop", "restart")


@dataclass(frozen=True)
class Action:
    """A button, or the reason why there is none."""

    verb: Verb
    url: str
    reason: str


class MachinePage:
    """What the page shows of one machine. `view` is one of VIEWS, `number` the page of its jobs, `cursor` that of its events."""

    def __init__(self, guest: Guest, actor: Actor, *, view: str = "", number: str = "", cursor: str = "") -> None:
        self.guest = guest
        self.actor = actor
        self.view = view if view in dict(VIEWS) else ""
        self.history = History(guest, actor, cursor)
        self.done = Done(guest, actor, number)
        self.security = Judgement(guest, actor)

    # -- head -----------------------------------------------------------------------------------------
    @property
    def public_id(self) -> str:
        """As the API calls it."""
        return public_id(self.guest)

    @property
    def live(self) -> str:
        """The streams whose events change the page."""
        return topics(self.guest.cluster)

    @cached_property
    def row(self) -> Row:
        """How it stands, and what keeps the person from it."""
        return rows_of([self.guest], by=self.actor)[0]

    @property
    def tabs(self) -> list[tuple[str, str]]:
        """The parts of the page that there are."""
        return [(name, label) for name, label in VIEWS if name != "backups" or self.backups_url]

    @cached_property
    def actions(self) -> list[Action]:
        """What can be done, each with the reason when it cannot."""
        return [self._action(verb) for verb in VERBS.values()] if self.may_act else []

    @property
    def primary(self) -> list[Action]:
        """What has a button of its own: what changes its power now."""
        return [action for action in self.actions if action.verb.name in _POWER and not action.reason]

    @property
    def secondary(self) -> list[Action]:
        """What stands in the menu."""
        return [action for action in self.actions if action not in self.primary]

    def _action(self, verb: Verb) -> Action:
        url = reverse("vms:guest-act", kwargs={"pk": self.guest.pk, "verb": verb.name})
        is_copied = verb.takes_templates and self.guest.is_template
        return Action(verb, url, "" if is_copied else self.row.reason or verb.obstacle(self.guest))

    @property
    def console_reason(self) -> str:
        """Why its screen cannot be looked at now; empty when it can."""
        if self.row.gate is not None:
            return f"{self.row.gate.name} is protected: what is typed on a screen cannot be agreed to beforehand."
        if self.row.reason and self.row.job is None:
            return self.row.reason
        return "" if self.guest.status == "running" else "It does not run: there is no screen."

    @property
    def proxmox_url(self) -> str:
        """Its screen in Proxmox's own pages, where one signs in anew; the sandbox has none."""
        guest, cluster = self.guest, self.guest.cluster
        if cluster.is_sandbox or guest.status != "running" or not self.may_act:
            return ""
        asked = {"console": "lxc" if guest.kind == "lxc" else "kvm", "novnc": 1, "vmid": guest.vmid, "node": guest.node}
        host = f"[{cluster.host}]" if ":" in cluster.host else cluster.host
        return f"https://{host}:{cluster.port}/?{urlencode(asked)}"

    @property
    def backups_url(self) -> str:
        """Where its backups are shown, for those who may see them."""
        return reverse("vms:machine-backups", args=[self.guest.pk]) if self.actor.has("backup:read") else ""

    # -- now ------------------------------------------------------------------------------------------
    @property
    def is_on(self) -> bool:
        """Whether its figures say anything."""
        return self.row.standing.last_status is None and self.guest.status in {"running", "paused"}

    @property
    def is_stale(self) -> bool:
        """Whether its cluster is silent, so that nothing is known of now."""
        return self.row.standing.last_status is not None

    @cached_property
    def details(self) -> GuestDetails | None:
        """What was read of it closely."""
        return getattr(self.guest, "details", None)

    @property
    def details_read_at(self) -> datetime | None:
        """When that was."""
        return self.details.read_at if self.details else None

    @cached_property
    def work(self) -> Work | None:
        """The job that works on it."""
        job = self.row.job
        return next(iter(work_of(Job.objects.filter(pk=job.pk))), None) if job else None

    @cached_property
    def drift(self) -> Drift | None:
        """How it differs from what ALMA left."""
        if self.guest.claim_id is None:
            return None
        return Drift.objects.visible_to(self.actor).open().filter(claim=self.guest.claim_id).first()

    # -- snapshots ------------------------------------------------------------------------------------
    @property
    def may_act(self) -> bool:
        """Whether the person may do anything to machines at all."""
        return self.actor.has("vm:write")

    @cached_property
    def snapshots(self) -> list[Branch]:
        """As they were last read, and what jobs do with them."""
        return tree(snapshots.listed(self.guest), snapshots.busy(self.guest))

    @property
    def snapshot_count(self) -> int:
        """How many there are: the tree has the machine itself as well."""
        return sum(branch.snapshot is not None for branch in self.snapshots)
