"""The chore that reads the images on storages now and then: forms and API know them and never wait for a cluster."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from alma.errors import Unavailable
from alma.jobs.kinds import StepFailed, Unknown
from vms.models import Cluster, ClusterImage, ClusterStorage
from vms.proxmox import images
from vms.proxmox.answers import Refusal
from vms.proxmox.client import connect, disconnect
from vms.proxmox.images import ImageReading
from vms.services import clear_answers

MAX_PARALLEL = 8
MOST = 20
"""Storages of a cluster that one pass reads at most, in at most so many seconds."""
SECONDS = 4.0
AGAIN = timedelta(minutes=1)
_PAST_REACH = (Unknown, Refusal, StepFailed)


@dataclass
class Found:
    """What one pass found: the storages that were asked, and the images of those that answered."""

    asked: list[ClusterStorage] = field(default_factory=list)
    images: list[tuple[ClusterStorage, list[ImageReading]]] = field(default_factory=list)


def read_due() -> None:
    """Read the storages that were not read for a minute, of all clusters at the same time."""
    clusters = list(Cluster.objects.enabled().filter(unreachable_since=None).exclude(last_read_at=None))
    work = [(cluster, storages) for cluster in clusters if (storages := due(cluster))]
    if not work:
        return
    with ThreadPoolExecutor(min(MAX_PARALLEL, len(work)), thread_name_prefix="images") as pool:
        for (cluster, _), found in zip(work, pool.map(_read, *zip(*work, strict=True)), strict=True):
            store(cluster, found, timezone.now())


def due(cluster: Cluster) -> list[ClusterStorage]:
    """The storages that should be read now, a shared one once, those first that have waited longest."""
    online = cluster.nodes.filter(is_online=True).values("name")
    rows = ClusterStorage.objects.filter(cluster=cluster, is_active=True, node__in=online)
    rows = rows.filter(Q(images_asked_at=None) | Q(images_asked_at__lt=timezone.now() - AGAIN))
    holding = [
        row for row in rows.order_by("images_asked_at", "name", "node") if set(contents_of(row)) & {*images.KINDS}
    ]
    once = {(row.name, "" if row.is_shared else row.node): row for row in reversed(holding)}
    return sorted(once.values(), key=holding.index)[:MOST]


def contents_of(row: ClusterStorage) -> list[str]:
    """What a storage may hold."""
    return row.content.split(", ")


def _read(cluster: Cluster, storages: list[ClusterStorage]) -> Found:
    """The network half, in a thread of its own: no database."""
    found, ends_at = Found(), time.monotonic() + SECONDS
    try:
        with clear_answers(cluster):
            api = connect(cluster)
        for row in storages:
            if time.monotonic() > ends_at:
                break
            found.asked.append(row)
            try:
                found.images.append((row, images.read(api.begin(), row.node, row.name, contents_of(row))))
            except _PAST_REACH:
                continue
    except Unavailable:
        found.asked = storages
    finally:
        disconnect()
    return found


@transaction.atomic
def store(cluster: Cluster, found: Found, now: datetime) -> None:
    """Write what was told. What a storage did not tell stays; what it no longer lists is gone, as is what it held if it is gone."""
    known = ClusterImage.objects.filter(cluster=cluster)
    for row, listed in found.images:
        place = "" if row.is_shared else row.node
        ClusterImage.objects.bulk_create(
            [
                ClusterImage(
                    cluster=cluster, node=place, storage=row.name, volume=one.volume, kind=one.kind,
                    size_bytes=one.size_bytes, seen_at=now,
                )
                for one in {one.volume: one for one in listed}.values()
            ],
            update_conflicts=True, unique_fields=["cluster", "node", "volume"],
            update_fields=["storage", "kind", "size_bytes", "seen_at"],
        )  # fmt: skip
        known.filter(node=place, storage=row.name).exclude(seen_at=now).delete()
    known.exclude(storage__in=ClusterStorage.objects.filter(cluster=cluster).values("name")).delete()
    for row in found.asked:
        same = Q(name=row.name) if row.is_shared else Q(pk=row.pk)
        ClusterStorage.objects.filter(same, cluster=cluster).update(images_asked_at=now)
