"""What the apps above use: reading clusters and owned guests, and the steps that change a guest."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from math import ceil
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from alma.errors import Invalid, NotFound, Unavailable
from alma.jobs.kinds import StepFailed, Unknown
from alma.jobs.services import StepSpec
from vms.drift.expecting import accept_facts
from vms.models import Cluster, GuestClaim
from vms.proxmox import cluster as cluster_reader
from vms.proxmox import guests
from vms.proxmox.answers import Refusal
from vms.proxmox.client import connect, disconnect
from vms.proxmox.readings import (
    CardReading,
    ClusterReading,
    GuestReading,
    GuestRow,
    NodeReading,
    OsTemplate,
    StorageReading,
)
from vms.proxmox.values import EXTENT
from vms.specs import Card, CloudInit, GuestRef, GuestSpec, OwnedGuest, Volume
from vms.undoing import Undo, created_by, undo_of

__all__ = [
    "EXTENT", "LEVELS", "Card", "CardReading", "CloudInit", "ClusterReading", "GuestReading", "GuestRef", "GuestRow", "GuestSpec",
    "NodeReading", "OsTemplate", "OwnedGuest", "StorageReading", "Undo", "Volume", "accept_facts", "await_step",
    "claims_of", "create_steps", "created_by", "default_cluster", "delete_steps", "owned_guest", "owned_guests", "read_cluster", "register_cluster", "undo_of",
    "update_steps",
]  # fmt: skip

SAFETY = "Taken by ALMA before a change"
"""What snapshots say of themselves that are taken to have a way back."""
PART, READERS = 8, 8
"""Guests that one connection reads one after the other, and connections at a time when there are more."""
LEVELS = 5
"""Levels that the steps of one guest may take; what depends on it begins at its level + LEVELS."""


# -- clusters -------------------------------------------------------------------------------------
def default_cluster(organization_id: int) -> Cluster:
    """The cluster that an organization deploys to when it says nothing else: a real one before a sandbox. Raises NotFound."""
    rows = Cluster.objects.enabled().filter(organization_id=organization_id)
    cluster = rows.order_by("is_sandbox", "pk").first()
    if cluster is None:
        raise NotFound("No cluster is registered; an operator registers one under Clusters.", code="NO_CLUSTER")
    return cluster


@transaction.atomic
def register_cluster(*, organization_id: int, slug: str, token_secret: str, **fields: Any) -> Cluster:
    """Create or update the cluster of that slug. Raises Invalid."""
    rows = Cluster.objects.select_for_update().filter(organization_id=organization_id, slug=slug)
    cluster = rows.first() or Cluster(organization_id=organization_id, slug=slug)
    for name, value in fields.items():
        setattr(cluster, name, value)
    cluster.seal(token_secret)
    try:
        cluster.full_clean()
    except ValidationError as error:
        raise Invalid("This cluster cannot be registered.", details=error.message_dict) from error
    cluster.save()
    return cluster


@contextmanager
def clear_answers(cluster: Cluster) -> Iterator[None]:
    """Whatever is not a clear answer becomes Unavailable, in a sentence that names the cluster."""
    try:
        yield
    except (Unknown, StepFailed) as error:
        raise Unavailable(f"{cluster.name} gave no clear answer: {error}", code="CLUSTER_UNREACHABLE") from error
    except Refusal as error:
        raise Unavailable(f"{cluster.name} refused to answer: {error.text}", code="CLUSTER_REFUSED") from error


def _nothing() -> None:
    """The pulse of those who hold no lease."""


def read_cluster(cluster: Cluster, *, pulse: Callable[[], None] = _nothing) -> ClusterReading:
    """Nodes, storages, templates, guests, bridges as they are now. `pulse` is called between calls. Raises Unavailable."""
    with clear_answers(cluster):
        return cluster_reader.read(connect(cluster), pulse)


def owned_guests(cluster: Cluster, owner: str, *, pulse: Callable[[], None] = _nothing) -> list[OwnedGuest]:
    """What an owner has on a cluster, each read closely. Raises Unavailable rather than leave one out."""
    claims = claims_of(cluster, owner)
    pulse()
    with clear_answers(cluster):
        return [_owned(claim, reading) for claim, reading in zip(claims, _readings(cluster, claims), strict=True)]


def owned_guest(cluster: Cluster, claim_id: str, *, pulse: Callable[[], None] = _nothing) -> OwnedGuest:
    """What stands behind one row of the ledger, read closely. Raises NotFound, Unavailable."""
    claim = GuestClaim.objects.filter(pk=claim_id, cluster=cluster).first()
    if claim is None:
        raise NotFound("The ledger has no such row.", code="GUEST_NOT_FOUND")
    pulse()
    with clear_answers(cluster):
        return _owned(claim, _part(cluster, [claim])[0])


def _readings(cluster: Cluster, claims: list[GuestClaim]) -> list[GuestReading | None]:
    """What stands behind each row. Many are read side by side: together they have no more than the time of one call."""
    if len(claims) <= PART:
        return _part(cluster, claims)
    size = max(PART, ceil(len(claims) / READERS))
    parts = [claims[start : start + size] for start in range(0, len(claims), size)]
    with ThreadPoolExecutor(READERS, thread_name_prefix="reader") as readers:
        return [reading for part in readers.map(partial(_part_apart, cluster), parts) for reading in part]


def _part(cluster: Cluster, claims: list[GuestClaim]) -> list[GuestReading | None]:
    api = connect(cluster)
    return [guests.find_closely(api, claim) for claim in claims]


def _part_apart(cluster: Cluster, claims: list[GuestClaim]) -> list[GuestReading | None]:
    """In a thread that ends afterwards, and its connection with it."""
    try:
        return _part(cluster, claims)
    finally:
        disconnect()


def claims_of(cluster: Cluster, owner: str) -> list[GuestClaim]:
    """What the ledger says an owner has, without asking the cluster: reserved and live claims."""
    return list(GuestClaim.objects.active().filter(cluster=cluster, owner=owner).order_by("key"))


def _owned(claim: GuestClaim, reading: GuestReading | None) -> OwnedGuest:
    return OwnedGuest(
        claim_id=str(claim.pk), owner=claim.owner, key=claim.key, vmid=claim.vmid, state=claim.state, reading=reading,
        node=reading.node if reading else claim.node, kind=reading.kind if reading else claim.kind,
        is_ours=reading is not None and reading.marker == claim.marker,
    )  # fmt: skip


# -- steps ----------------------------------------------------------------------------------------
def create_steps(guest: GuestSpec, level: int = 0) -> list[StepSpec]:
    """Create, configure, start (when it shall run) and read back."""
    make = StepSpec("guest.create", guest.key, f"Create {_called(guest)} on {guest.node}", level, 6, guest.creation())
    fresh = _configure(guest, level + 1, exact_tags=True)  # a clone comes with the tags of its template
    return [make, fresh, *_start(guest, level + 2), _verify(guest, level + 3)]


def update_steps(
    guest: GuestSpec, level: int = 0, *, restart: bool = False, can_reboot: bool = True, safety_snapshot: str = ""
) -> list[StepSpec]:
    """Configure, with a restart when asked, and read back. A guest that runs afterwards is rebooted once its config is changed,
    unless that must not be changed while it runs: then it is stopped before, and started after. With a name for it, a snapshot is taken before anything else."""
    first = [_snapshot(guest, level, safety_snapshot)] if safety_snapshot else []
    at = level + len(first)
    if restart and guest.running and can_reboot:
        return [*first, _configure(guest, at, restart_follows=True), _reboot(guest, at + 1), _verify(guest, at + 2)]
    stop = [_stop(guest, at)] if restart else []
    return [*first, *stop, _configure(guest, at + 1), *_start(guest, at + 2), _verify(guest, at + 3)]


def delete_steps(guest: GuestRef, level: int = 0) -> list[StepSpec]:
    """Stop and delete."""
    remove = StepSpec("guest.delete", guest.key, f"Delete {_called(guest)}", level + 1, 2, guest.params())
    return [_stop(guest, level), remove]


def await_step(
    guest: GuestRef, level: int, *, seconds: int, has_system: bool, port: int | None, address: str
) -> StepSpec:
    """See the guest up, for others that need it; `seconds` is how long that may take."""
    asked = {"timeout": seconds, "has_system": has_system, "port": port, "address": address}
    title = f"Wait until {_called(guest)} is up"
    return StepSpec("guest.await", guest.key, title, level, 2, guest.params() | asked)


def _called(guest: GuestRef) -> str:
    noun = "container" if guest.kind == "lxc" else "VM"
    return f"{noun} {guest.name or guest.key}"


def _configure(guest: GuestSpec, level: int, **options: Any) -> StepSpec:
    params = guest.configuration() | options
    return StepSpec("guest.configure", guest.key, f"Configure {_called(guest)}", level, 2, params)


def _start(guest: GuestSpec, level: int) -> list[StepSpec]:
    if not guest.running:
        return []
    return [StepSpec("guest.start", guest.key, f"Start {_called(guest)}", level, 3, guest.params())]


def _snapshot(guest: GuestRef, level: int, name: str) -> StepSpec:
    asked = {"snapshot": name, "description": SAFETY, "memory": False, "for_safety": True}
    return StepSpec(
        "guest.snapshot", guest.key, f"Take a snapshot of {_called(guest)}", level, 2, guest.params() | asked
    )


def _reboot(guest: GuestRef, level: int) -> StepSpec:
    return StepSpec("guest.reboot", guest.key, f"Restart {_called(guest)}", level, 4, guest.params())


def _stop(guest: GuestRef, level: int) -> StepSpec:
    return StepSpec("guest.stop", guest.key, f"Stop {_called(guest)}", level, 2, guest.params())


def _verify(guest: GuestSpec, level: int) -> StepSpec:
    return StepSpec(
        "guest.verify", guest.key, f"Check that {_called(guest)} is as planned", level, 1, guest.expectation()
    )
