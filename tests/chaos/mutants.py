"""ALMA without one of its guards, as a pytest plugin: `MUTANT=fence pytest -p tests.chaos.mutants …` must fail.

Random kills alone do not notice a missing lease: the uniqueness of VMIDs hides it. So each guard has a test of its own, and
here it is seen that the test does notice.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import Q

MUTANT = os.environ.get("MUTANT", "")


def no_lease() -> None:
    """Whoever asks gets it, held or not."""
    from alma.jobs import leases

    leases.free = lambda: Q()


def no_fence() -> None:
    """Whoever once had it may write and go on for ever."""
    from alma.jobs.leases import Lease
    from alma.jobs.models import Job

    @contextmanager
    def unfenced(self: Lease) -> Iterator[Job]:
        with transaction.atomic():
            yield Job.objects.select_for_update().get(pk=self.job_id)

    Lease.fenced = unfenced  # type: ignore[method-assign]
    Lease.renew = lambda self: None  # type: ignore[method-assign]


def effect_before_intent() -> None:
    """A number is remembered when the cluster has answered, not before it is asked."""
    from vms.models import GuestClaim
    from vms.steps.create import CreateGuest
    from vms.steps.work import Work

    original = CreateGuest._reserved

    def forgetful(self: CreateGuest, work: Work) -> GuestClaim:
        if not work.journal.get("task"):
            unsaved = GuestClaim.objects.filter(pk=work.journal.get("claim"), state=GuestClaim.State.RESERVED)
            unsaved.update(state=GuestClaim.State.RELEASED)
            work.context.record(claim=None, vmid=None)
        return original(self, work)

    CreateGuest._reserved = forgetful  # type: ignore[method-assign]


def unknown_is_absent() -> None:
    """A cluster that does not answer has no guests."""
    from alma.jobs.kinds import Unknown
    from vms.proxmox import guests

    original = guests.find

    def find(*arguments: Any, **options: Any) -> Any:
        try:
            return original(*arguments, **options)
        except Unknown:
            return None

    guests.find = find


def no_marker() -> None:
    """A number of the ledger is enough to touch a guest."""
    from vms.proxmox import guests
    from vms.proxmox.guests import Observation, Seen

    original = guests.observe

    def observe(*arguments: Any, **options: Any) -> Observation:
        seen = original(*arguments, **options)
        return Observation(Seen.OURS, seen.reading) if seen.seen == Seen.FOREIGN else seen

    guests.observe = observe


GUARDS: dict[str, tuple[Callable[[], None], str]] = {
    "lease": (no_lease, "tests/jobs/test_leases.py::test_only_one_of_eight_gets_it"),
    "fence": (no_fence, "tests/jobs/test_leases.py::test_a_late_writer_leaves_no_trace"),
    "intent before effect": (
        effect_before_intent,
        "tests/vms/steps/test_faults.py::test_create_survives_every_lost_call[after-POST-*/qemu]",
    ),
    "unknown is not absent": (
        unknown_is_absent,
        "tests/vms/steps/test_faults.py::test_create_survives_every_lost_call[before-GET-*/config]",
    ),
    "marker": (no_marker, "tests/vms/steps/test_hands_off.py::test_guest_without_our_marker_is_never_touched"),
}
"""What is taken away, and the test that must notice."""


def pytest_collection_finish(session: Any) -> None:
    """Django is set up by now."""
    if MUTANT:
        GUARDS[MUTANT][0]()
