"""Machines as they were last read: which ones an actor sees, in what order, and how each stands. No cluster is asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from alma.accounts.actors import Actor
from alma.errors import NotFound, WrongState
from vms.models import Cluster, Guest, GuestQuerySet

MOST_DIGITS = 9
UNKNOWN = "unknown"
ACTIVITIES = {
    "backup": "backing_up", "snapshot": "snapshotting", "snapshot-delete": "snapshotting", "rollback": "restoring",
    "migrate": "migrating", "disk": "resizing", "create": "creating", "clone": "creating",
}  # fmt: skip
"""What a machine does while Proxmox has locked it."""


@dataclass(frozen=True)
class Wish:
    """Which machines are wanted; what is empty does not narrow."""

    status: str = ""
    environment: str = ""
    name: str = ""
    tag: str = ""
    cluster: str = ""
    node: str = ""


@dataclass(frozen=True)
class Standing:
    """How a machine stands. `last_status` and `since` are there when nobody knows any more: how and when it was last seen."""

    status: str
    last_status: str | None = None
    since: datetime | None = None


def clusters_of(actor: Actor) -> dict[int, Cluster]:
    """The actor's clusters by number, with what tells the age of their readings."""
    rows = Cluster.objects.visible_to(actor).only(
        "slug", "name", "is_enabled", "unreachable_since", "last_read_at", "organization_id", "encrypting_storages"
    )
    return {row.pk: row for row in rows}


def is_silent(cluster: Cluster) -> bool:
    """Whether nothing is known of a cluster now: it could not be read, or is switched off."""
    return cluster.unreachable_since is not None or not cluster.is_enabled


def standing(guest: Guest, cluster: Cluster) -> Standing:
    """Its status: that of the last reading, what it is busy with, or unknown while its cluster is silent."""
    if is_silent(cluster) or guest.status == UNKNOWN:
        return Standing(UNKNOWN, guest.status, cluster.unreachable_since or cluster.last_read_at or guest.seen_at)
    return Standing(ACTIVITIES.get(guest.lock, guest.status))


def listed(actor: Actor, wish: Wish, clusters: dict[int, Cluster]) -> GuestQuerySet:
    """Those that are wanted and the actor sees. A status is one that is known now."""
    rows = Guest.objects.visible_to(actor).machines()
    if wish.status:
        rows = rows.filter(status=wish.status).exclude(lock__in=ACTIVITIES)
        silent = [pk for pk, cluster in clusters.items() if is_silent(cluster)]
        rows = rows.exclude(cluster_id__in=silent) if silent else rows
    if wish.environment:
        rows = rows.filter(environment__slug=wish.environment)
    if wish.cluster:
        rows = rows.filter(cluster_id__in=[pk for pk, cluster in clusters.items() if cluster.slug == wish.cluster])
    if wish.node:
        rows = rows.filter(node=wish.node)
    if wish.name:
        rows = rows.filter(name__icontains=wish.name)
    return rows.filter(tagged(wish.tag)) if wish.tag else rows


def tagged(tag: str) -> Q:
    """A whole tag of those that are kept with semicolons between them."""
    return (
        Q(tags=tag) | Q(tags__startswith=f"{tag};") | Q(tags__endswith=f";{tag}") | Q(tags__contains=f";{tag};")
    )  # fmt: skip


def whole(pks: Iterable[int]) -> dict[int, Guest]:
    """Machines by number, with what lists show of what was read of them closely."""
    rows = Guest.objects.select_related("details", "environment")
    return rows.defer("details__description", "details__cards", "details__file_systems").in_bulk(list(pks))


def find(vm_id: str, *, by: Actor, with_templates: bool = False) -> Guest:
    """The machine, or template if wanted, of an id like `vm-012`, or of a bare VMID that only one of the actor's clusters has.

    Raises NotFound, and WrongState for a VMID that leads to several."""
    seen = Guest.objects.visible_to(by).present()
    rows = (seen if with_templates else seen.machines()).select_related("cluster", "claim", "environment", "details")
    digits = vm_id.removeprefix("vm-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS):
        raise not_found(vm_id)
    named = rows.filter(pk=int(digits)) if digits != vm_id else rows.filter(vmid=int(digits))
    found = list(named[:10])
    if not found:
        raise not_found(vm_id)
    if len(found) > 1:
        ids = [public_id(guest) for guest in found]
        raise WrongState(f"Several clusters have a VMID {vm_id}: ask for {', '.join(ids)}.", details={"ids": ids})
    return found[0]


def public_id(guest: Guest) -> str:
    """Its id for clients: `vm-012`."""
    return f"vm-{guest.pk:03d}"


def not_found(vm_id: str) -> NotFound:
    """The answer for an id that leads nowhere the actor sees."""
    return NotFound(f"Virtual machine {vm_id[:60]} not found", code="VM_NOT_FOUND")
