"""Guests that nobody stands for: ours wait in quarantine and are removed, those of others are never touched."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from pytest_django.fixtures import Settings

from alma.errors import Refused, WrongState
from alma.events.models import Event
from alma.jobs import engine
from alma.jobs.findings import check_invariants
from alma.jobs.models import Job
from tests.factories.accounts import make_actor
from tests.factories.vms import guest_spec, make_claim
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.conftest import Runner
from tests.vms.test_drift import look
from vms import inventory
from vms.drift import strays, watching
from vms.models import Cluster, GuestClaim, Stray
from vms.services import create_steps

DELETE = "/nodes/{node}/qemu/{vmid}"


def told(cluster: Cluster) -> list[str]:
    events = Event.objects.of(cluster.stream).filter(kind__regex=r"^vm\.(orphan|stray)")
    return [event.kind for event in events]


def work() -> None:
    """What workers do, until nothing is left to do."""
    for _ in range(20):
        for pk in list(Job.objects.active().values_list("pk", flat=True)):
            engine.advance(pk)
    assert not Job.objects.active().exists()


@pytest.fixture
def orphan(cluster: Cluster, runner: Runner, observer: Any) -> Any:
    """A running guest with our mark whose row was given up, as after a create that came late; by another client."""
    runner.run(create_steps(guest_spec(cluster)))
    GuestClaim.objects.update(state=GuestClaim.State.RELEASED)
    return observer.nodes("pve1").qemu(5000)


def exists(sandbox: RunningSandbox, vmid: int) -> bool:
    return any(guest.vmid == vmid for guest in sandbox.core.state.guests)


def test_an_orphan_waits_in_quarantine(cluster: Cluster, orphan: Any, fresh_sandbox: RunningSandbox) -> None:
    look(cluster)
    look(cluster)

    stray = Stray.objects.get()
    assert (stray.kind, stray.state, stray.vmid, stray.name) == ("orphan", "quarantined", 5000, "web")
    assert stray.due_at is not None
    assert stray.due_at - stray.found_at == timedelta(days=1)
    assert told(cluster) == ["vm.orphan_found"]
    assert exists(fresh_sandbox, 5000)
    assert not Job.objects.active().exists()


def test_an_orphan_is_removed_after_its_grace(
    cluster: Cluster, orphan: Any, fresh_sandbox: RunningSandbox, settings: Settings
) -> None:
    settings.ALMA_ORPHAN_GRACE_SECONDS = 0
    look(cluster)
    assert exists(fresh_sandbox, 5000)
    look(cluster, whole=False)
    work()

    stray = Stray.objects.get()
    assert (stray.state, stray.note) == ("removed", "removed, and read back as gone")
    assert not exists(fresh_sandbox, 5000)
    assert told(cluster) == ["vm.orphan_found", "vm.orphan_removing", "vm.orphan_removed"]
    assert GuestClaim.objects.get().state == "released"
    assert [finding for finding in check_invariants() if finding.is_breach] == []


@pytest.mark.parametrize("mark", ["mine now", "alma:9f3c1a52-6f0e-4a0b-8b70-3e1d5c2a4f66"])
def test_an_orphan_whose_mark_changes_before_its_end_is_left_alone(
    cluster: Cluster, orphan: Any, fresh_sandbox: RunningSandbox, settings: Settings, mark: str
) -> None:
    settings.ALMA_ORPHAN_GRACE_SECONDS = 0
    look(cluster)
    look(cluster)
    assert Stray.objects.get().state == "removing"
    orphan.config.put(description=mark)
    work()

    stray = Stray.objects.get()
    assert (stray.state, stray.note) == ("gone", "it no longer carried its mark and was left alone")
    assert exists(fresh_sandbox, 5000)
    assert orphan.status.current.get()["status"] == "running"
    assert fresh_sandbox.count("DELETE", DELETE) == 0


def test_an_orphan_that_loses_its_mark_in_quarantine_becomes_a_stranger(cluster: Cluster, orphan: Any) -> None:
    look(cluster)
    orphan.config.put(description="mine now")
    look(cluster)

    assert list(Stray.objects.order_by("pk").values_list("kind", "state")) == [
        ("orphan", "gone"),
        ("stranger", "reported"),
    ]
    assert told(cluster) == ["vm.orphan_found", "vm.stray_left", "vm.stray_found"]


def test_a_mark_that_is_in_no_ledger_is_shown_and_never_removed(
    cluster: Cluster, orphan: Any, fresh_sandbox: RunningSandbox, settings: Settings
) -> None:
    settings.ALMA_ORPHAN_GRACE_SECONDS = 0
    orphan.config.put(description=f"alma:{uuid4()}")
    look(cluster)
    look(cluster)

    stray = Stray.objects.get()
    assert (stray.kind, stray.state, stray.due_at) == ("unknown", "quarantined", None)
    assert exists(fresh_sandbox, 5000)


def test_a_copy_of_a_guest_of_ours_is_reported_and_never_removed(
    cluster: Cluster, orphan: Any, fresh_sandbox: RunningSandbox, observer: Any, settings: Settings
) -> None:
    settings.ALMA_ORPHAN_GRACE_SECONDS = 0
    GuestClaim.objects.update(state=GuestClaim.State.LIVE)
    description = orphan.config.get()["description"]
    fresh_sandbox.wait(observer.nodes("pve1").qemu.post(vmid=5050, name="copy", memory=512, description=description))
    look(cluster)
    look(cluster)

    stray = Stray.objects.get()
    assert (stray.vmid, stray.kind, stray.state) == (5050, "copy", "reported")


def test_a_guest_of_somebody_else_is_reported_and_not_touched(
    cluster: Cluster, observer: Any, fresh_sandbox: RunningSandbox, settings: Settings
) -> None:
    settings.ALMA_ORPHAN_GRACE_SECONDS = 0
    node = observer.nodes("pve1")
    fresh_sandbox.wait(node.qemu.post(vmid=5000, name="theirs", cores=1, memory=512, description="hands off"))
    fresh_sandbox.wait(node.qemu.post(vmid=400, name="outside", cores=1, memory=512))
    before = node.qemu(5000).config.get()
    for _ in range(3):
        look(cluster)

    stray = Stray.objects.get()
    assert (stray.vmid, stray.kind, stray.state, stray.name) == (5000, "stranger", "reported", "theirs")
    assert node.qemu(5000).config.get() == before
    assert told(cluster) == ["vm.stray_found"]


def test_a_number_of_ours_that_somebody_took_by_hand_is_theirs(
    cluster: Cluster, orphan: Any, observer: Any, fresh_sandbox: RunningSandbox, settings: Settings
) -> None:
    settings.ALMA_ORPHAN_GRACE_SECONDS = 0
    look(cluster)
    fresh_sandbox.wait(orphan.status.stop.post())
    fresh_sandbox.wait(orphan.delete())
    fresh_sandbox.wait(observer.nodes("pve1").qemu.post(vmid=5000, name="theirs", memory=512))
    for _ in range(3):
        look(cluster)
    work()

    assert list(Stray.objects.order_by("pk").values_list("kind", "state")) == [
        ("orphan", "gone"),
        ("stranger", "reported"),
    ]
    assert exists(fresh_sandbox, 5000)


def test_a_stray_that_went_by_itself_is_let_go(cluster: Cluster, orphan: Any, fresh_sandbox: RunningSandbox) -> None:
    look(cluster)
    fresh_sandbox.wait(orphan.status.stop.post())
    fresh_sandbox.wait(orphan.delete())
    look(cluster)

    stray = Stray.objects.get()
    assert (stray.state, stray.note) == ("gone", "it is no longer there")


def test_an_orphan_of_a_cluster_that_cannot_be_read_stays_where_it_is(
    cluster: Cluster, orphan: Any, fresh_sandbox: RunningSandbox, settings: Settings
) -> None:
    settings.ALMA_ORPHAN_GRACE_SECONDS = 0
    look(cluster)
    Cluster.objects.update(compared_at=None)
    inventory.refresh_all()
    fresh_sandbox.core.faults.answer_next(596, "Connection timed out", "GET", "*/config", count=20)
    watching.watch_all()

    assert Stray.objects.get().state == "quarantined"
    assert not Job.objects.active().exists()


def test_a_removal_that_fails_waits_for_another_grace(
    cluster: Cluster, orphan: Any, fresh_sandbox: RunningSandbox, settings: Settings
) -> None:
    settings.ALMA_ORPHAN_GRACE_SECONDS = 0
    look(cluster)
    look(cluster)
    fresh_sandbox.core.faults.fail_next("qmstop", "got timeout")
    settings.ALMA_ORPHAN_GRACE_SECONDS = 60
    work()

    stray = Stray.objects.get()
    assert stray.state == "quarantined"
    assert "got timeout" in stray.note
    assert exists(fresh_sandbox, 5000)


def test_somebody_may_keep_an_orphan_and_put_it_back(cluster: Cluster, orphan: Any, settings: Settings) -> None:
    settings.ALMA_ORPHAN_GRACE_SECONDS = 0
    look(cluster)
    actor = make_actor("admin", organization=cluster.organization)
    strays.keep(Stray.objects.get(), by=actor)
    look(cluster)
    kept = Stray.objects.get()
    assert (kept.state, kept.due_at, kept.note) == ("kept", None, f"kept by {actor.label}")
    assert [finding.code for finding in check_invariants()] == ["ORPHAN_KEPT"]

    strays.put_back(kept, by=actor)
    look(cluster)
    assert Stray.objects.get().state == "removing"


def test_only_an_orphan_needs_to_be_kept_and_only_by_those_who_may(cluster: Cluster, db: None) -> None:
    claim = make_claim(cluster, vmid=5000, state="released")
    values = {
        "organization": cluster.organization, "cluster": cluster, "guest_kind": "vm", "node": "pve1",
        "found_at": claim.created_at, "seen_at": claim.created_at,
    }  # fmt: skip
    stranger = Stray.objects.create(vmid=5001, kind="stranger", **values)
    with pytest.raises(WrongState):
        strays.keep(stranger, by=make_actor("admin", organization=cluster.organization))
    orphan = Stray.objects.create(vmid=5000, kind="orphan", state="quarantined", claim=claim, **values)
    with pytest.raises(Refused):
        strays.keep(orphan, by=make_actor("viewer", organization=cluster.organization))
