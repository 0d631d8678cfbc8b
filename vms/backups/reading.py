"""The chore that reads the archives on storages now and then: pages and API show what it found and never wait for a cluster."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from alma.errors import Unavailable
from alma.jobs.kinds import StepFailed, Unknown
from vms.backups import storing
from vms.backups.found import Found, Place, Told
from vms.models import BackupStorage, Cluster, ClusterStorage
from vms.proxmox import backups
from vms.proxmox.answers import Refusal, mapping, rows, whole
from vms.proxmox.client import Api, connect, disconnect
from vms.proxmox.privileges import Held
from vms.services import clear_answers

MAX_PARALLEL = 8
MOST = 20
"""Storages of a cluster that one pass reads at most, in at most so many seconds."""
SECONDS = 6.0
AGAIN = timedelta(minutes=1)
_PAST_REACH = (Unknown, Refusal, StepFailed)


def read_due() -> None:
    """Read the storages that were not read for a minute, of all clusters at the same time."""
    clusters = list(Cluster.objects.enabled().filter(unreachable_since=None).exclude(last_read_at=None))
    work = [(cluster, places) for cluster in clusters if (places := due(cluster))]
    if not work:
        return
    with ThreadPoolExecutor(min(MAX_PARALLEL, len(work)), thread_name_prefix="backups") as pool:
        for (cluster, _), found in zip(work, pool.map(_read, *zip(*work, strict=True)), strict=True):
            storing.store(cluster, found, timezone.now())


def due(cluster: Cluster) -> list[Place]:
    """The storages for backups that should be read now, those first that have waited longest."""
    asked = {
        (row.node, row.name): row.asked_at
        for row in BackupStorage.objects.filter(cluster=cluster).exclude(asked_at=None)
    }
    limit, long_ago = timezone.now() - AGAIN, datetime.min.replace(tzinfo=timezone.get_current_timezone())
    waited = [(asked.get((place.owner, place.name)) or long_ago, place) for place in places_of(cluster)]
    return [place for at, place in sorted(waited, key=lambda pair: pair[0]) if at < limit][:MOST]


def places_of(cluster: Cluster) -> list[Place]:
    """Each storage that takes backups once, a shared one through the first node that reaches it."""
    rows_of = ClusterStorage.objects.filter(cluster=cluster, is_active=True).order_by("node", "name")
    found: dict[tuple[str, str], Place] = {}
    for row in rows_of:
        if "backup" in row.content.split(", "):
            owner = "" if row.is_shared else row.node
            found.setdefault((owner, row.name), Place(owner=owner, node=row.node, name=row.name, plugin=row.plugin))
    return list(found.values())


@dataclass
class _Pass:
    """One pass over a cluster."""

    api: Api
    found: Found
    ends_at: float = field(default_factory=lambda: time.monotonic() + SECONDS)

    def read(self, places: Iterable[Place]) -> None:
        """What the cluster says of all storages, then the archives on each."""
        self.found.encrypting = self._encrypting()
        self.found.jobs, self.found.unsaved = self._jobs(), self._unsaved()
        self.found.may_see = self._sight()
        for place in places:
            if time.monotonic() > self.ends_at:
                break
            self.found.told.append(self._archives(place))

    def _archives(self, place: Place) -> Told:
        began = timezone.now()
        try:
            return Told(place, began, tuple(backups.read(self.api.begin(), place.node, place.name)))
        except _PAST_REACH as error:
            return Told(place, began, None, getattr(error, "text", "") or str(error))

    def _encrypting(self) -> dict[str, bool] | None:
        try:
            return backups.encrypting(self.api)
        except _PAST_REACH:
            return None

    def _jobs(self) -> list[backups.ScheduledJob] | None:
        try:
            return backups.jobs(self.api)
        except _PAST_REACH:
            return None

    def _unsaved(self) -> list[int] | None:
        try:
            found = rows(self.api.get("cluster", "backup-info", "not-backed-up"), "guests without a backup job")
            return sorted(whole(row, "vmid") for row in found)
        except _PAST_REACH:
            return None

    def _sight(self) -> Held | None:
        """What the token holds: an archive that is not listed may only be hidden from it."""
        try:
            return mapping(self.api.get("access", "permissions"), "permissions")
        except _PAST_REACH:
            return None


def _read(cluster: Cluster, places: list[Place]) -> Found:
    """The network half, in a thread of its own: no database."""
    found = Found()
    try:
        with clear_answers(cluster):
            _Pass(connect(cluster), found).read(places)
    except Unavailable as error:
        found.told += [Told(place, timezone.now(), None, error.message) for place in places]
    finally:
        disconnect()
    return found
