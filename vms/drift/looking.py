"""The network half of a round: what was asked of one cluster, read closely. No database."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from alma.errors import Unavailable
from vms.drift.comparing import judge
from vms.models import Cluster, Guest, GuestClaim
from vms.proxmox import guests
from vms.proxmox.client import Api, connect, disconnect
from vms.proxmox.readings import GuestReading
from vms.services import READERS, clear_answers

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Subject:
    """A guest of ours: its ledger row, its row of the inventory, what is expected, and the end of its last run."""

    claim: GuestClaim
    row: Guest | None
    facts: Mapping[str, Any]
    is_suspect: bool
    job_ended_at: datetime | None


@dataclass(frozen=True)
class Question:
    """What is asked of a cluster: some of our guests, and guests that may be strays."""

    cluster: Cluster
    is_whole: bool
    subjects: tuple[Subject, ...]
    suspects: tuple[Guest, ...]


@dataclass
class Answer:
    """`readings` by ledger row, None for a guest that certainly is no more; `markers` by VMID, without those that went."""

    readings: dict[UUID, GuestReading | None] = field(default_factory=dict)
    markers: dict[int, str] = field(default_factory=dict)


def look(question: Question) -> Answer | Unavailable:
    """Everything that was asked, or why nothing is known of the whole cluster."""
    try:
        with clear_answers(question.cluster):
            readings = _apart(question.cluster, _subject, question.subjects)
            markers = _apart(question.cluster, guests.read_marker, question.suspects)
    except Unavailable as error:
        return error
    return Answer(
        {subject.claim.pk: reading for subject, reading in zip(question.subjects, readings, strict=True)},
        {row.vmid: found for row, found in zip(question.suspects, markers, strict=True) if found is not None},
    )


def _subject(api: Api, subject: Subject) -> GuestReading | None:
    """With one call when nothing is different; what is, is read again to be sure of it. Raises Unknown, Refusal."""
    if subject.row is not None and not subject.is_suspect:
        listed = guests.read_listed(api, subject.row)
        if listed is not None and judge(subject.claim, subject.facts, listed) is None:
            return listed
    return guests.find(api, subject.claim)


def _apart(cluster: Cluster, read: Callable[[Api, T], R], things: tuple[T, ...]) -> list[R]:
    """Side by side, over a few connections that are closed afterwards; in the order of the things."""
    if not things:
        return []
    size = -(-len(things) // READERS)
    parts = [things[start : start + size] for start in range(0, len(things), size)]
    with ThreadPoolExecutor(len(parts), thread_name_prefix="drift") as readers:
        return [one for part in readers.map(partial(_part, cluster, read), parts) for one in part]


def _part(cluster: Cluster, read: Callable[[Api, T], R], things: tuple[T, ...]) -> list[R]:
    try:
        api = connect(cluster)
        return [read(api, thing) for thing in things]
    finally:
        disconnect()
