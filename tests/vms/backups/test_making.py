"""Making and deleting backups, on a sandbox over TLS."""

from collections.abc import Callable
from typing import Any

import pytest

from alma.accounts.actors import Actor
from alma.errors import DomainError, Invalid, Refused, Unavailable, WrongState
from alma.jobs.models import Job
from tests.factories.backups import make_backup
from tests.factories.vms import make_claim, make_cluster, make_guest
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.backups.conftest import dump, look
from tests.vms.operations.conftest import end_of
from vms.backups import listing, services
from vms.backups.services import Wish
from vms.models import Backup, Cluster, ClusterStorage, Guest

Finish = Callable[[Job], Job]


def archives(observer: Any, storage: str = "shared") -> list[dict[str, Any]]:
    """What an independent client sees."""
    found: list[dict[str, Any]] = observer.nodes("pve1").storage(storage).content.get(content="backup")
    return found


@pytest.mark.parametrize(
    ("compression", "ending"), [("gzip", "vma.gz"), ("lzo", "vma.lzo"), ("zstd", "vma.zst"), ("none", "vma")]
)
def test_a_backup_is_made_and_read_back(
    machine: Guest, by: Actor, finish: Finish, observer: Any, compression: str, ending: str
) -> None:
    look()
    row, job = services.take(machine, Wish(compression=compression, description="Monthly {{x}}\\"), by=by)
    assert (row.state, row.volume, job.params["status"]) == ("running", "", "backing_up")
    finish(job)
    assert job.error is None
    (seen,) = archives(observer)
    row.refresh_from_db()
    assert (row.state, row.volume, row.size_bytes) == ("completed", seen["volid"], seen["size"])
    assert (row.compression, row.description, seen["format"]) == (compression, "Monthly { {x}}\\", ending)
    assert machine.claim and seen["notes"].endswith(f"alma:{machine.claim.pk} #{row.pk}")
    told = end_of(job)
    assert (told["kind"], told["id"], told["vm"]["status"]) == ("backup.completed", row.public_id, "running")
    look()
    assert Backup.objects.get().pk == row.pk, "what was made is not found a second time"
    assert Backup.objects.get().state == "completed"


def test_a_stopped_machine_and_a_container(make_machine: Any, by: Actor, finish: Finish, observer: Any) -> None:
    machine = make_machine(running=False)
    look()
    assert finish(services.take(machine, Wish(), by=by)[1]).error is None
    assert "lock" not in observer.nodes(machine.node).qemu(machine.vmid).config.get()


def test_no_room_is_said_in_the_words_of_the_log(
    machine: Guest, by: Actor, finish: Finish, fresh_sandbox: RunningSandbox
) -> None:
    look()
    fresh_sandbox.core.faults.full.add("shared")
    row, job = services.take(machine, Wish(), by=by)
    finish(job)
    row.refresh_from_db()
    assert job.error is not None and job.error["code"] == "BACKUP_FAILED"
    assert "No space left" in job.error["message"] and (row.state, row.error) == ("failed", job.error["message"])
    assert end_of(job)["kind"] == "backup.failed"


@pytest.mark.parametrize("kind", ["before", "after"])
def test_a_lost_answer_makes_no_second_archive(
    machine: Guest, by: Actor, finish: Finish, observer: Any, fresh_sandbox: RunningSandbox, kind: str
) -> None:
    look()
    faults = fresh_sandbox.core.faults
    (faults.lose_request if kind == "before" else faults.lose_answer)("POST", "/nodes/*/vzdump", count=1)
    row, job = services.take(machine, Wish(), by=by)
    finish(job)
    row.refresh_from_db()
    assert (job.error, row.state, len(archives(observer))) == (None, "completed", 1)


def test_a_cancel_before_the_begin_leaves_nothing(machine: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    from alma.jobs.services import cancel

    look()
    row, job = services.take(machine, Wish(), by=by)
    cancel(job, by="ana")
    finish(job)
    row.refresh_from_db()
    assert (job.state, row.state, archives(observer)) == ("cancelled", "cancelled", [])


def test_what_no_storage_offers_is_refused(machine: Guest, by: Actor) -> None:
    look()
    for wish, field in (
        (Wish(is_encrypted=True, storage="shared"), "encryption"),
        (Wish(is_incremental=True, storage="shared"), "backup_type"), (Wish(storage="local-lvm"), "storage"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refusal:
            services.take(machine, wish, by=by)
        assert refusal.value.details[0]["field"] == field  # type: ignore[index, call-overload]
    ClusterStorage.objects.update(is_active=False)
    with pytest.raises(Invalid, match="no storage that is meant"):
        services.take(machine, Wish(), by=by)
    assert not Backup.objects.exists() and not Job.objects.active().exists()


@pytest.mark.django_db
def test_who_may(by_nobody: Actor) -> None:
    cluster = make_cluster()
    theirs = make_guest(cluster)
    with pytest.raises(Refused):
        services.take(theirs, Wish(), by=by_nobody)
    refused(lambda: services.take(theirs, Wish(), by=writer(cluster)), Refused, "GUEST_NOT_OURS")
    refused(lambda: services.drop(make_backup(cluster), by=writer(cluster)), Refused, "BACKUP_NOT_OURS")
    claim = make_claim(cluster, state="live")
    mine = make_guest(cluster, vmid=claim.vmid, claim=claim)
    gone = make_backup(guest=mine, state="expired")
    refused(lambda: services.drop(gone, by=writer(cluster)), WrongState, "BACKUP_NOT_THERE")
    kept = make_backup(guest=mine, is_protected=True)
    refused(lambda: services.drop(kept, by=writer(cluster)), WrongState, "BACKUP_PROTECTED")
    Cluster.objects.update(last_error="no route to host")
    cluster.refresh_from_db()
    mine.cluster = cluster
    refused(lambda: services.take(mine, Wish(), by=writer(cluster)), Unavailable, "CLUSTER_UNREACHABLE")


@pytest.fixture
def by_nobody() -> Actor:
    return Actor(1, "eve", frozenset({"backup:read", "vm:write"}))


def writer(cluster: Cluster) -> Actor:
    return Actor(cluster.organization_id, "ana", frozenset({"backup:write", "vm:write"}))


def refused(act: Callable[[], object], kind: type[DomainError], code: str) -> None:
    with pytest.raises(kind) as refusal:
        act()
    assert refusal.value.code == code


def test_one_at_a_time(machine: Guest, by: Actor) -> None:
    look()
    services.take(machine, Wish(), by=by)
    refused(lambda: services.take(machine, Wish(), by=by), WrongState, "GUEST_BUSY")
    assert Backup.objects.count() == 1


def test_deleted_and_read_back_as_gone(machine: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    look()
    row, job = services.take(machine, Wish(), by=by)
    finish(job)
    row.refresh_from_db()
    job = services.drop(row, by=by)
    assert listing.busy([row]) == {row.pk: "deleting"}
    refused(lambda: services.drop(row, by=by), WrongState, "BACKUP_BUSY")
    finish(job)
    assert (job.error, archives(observer), Backup.objects.count()) == (None, [], 0)
    assert end_of(job)["backup"]["status"] == "deleted"


def test_deleting_what_is_gone_already_is_harmless(machine: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    dump(observer, machine.node, machine.vmid)
    look()
    row = Backup.objects.get()
    observer.nodes("pve1").storage("shared").content(row.volume).delete()
    assert finish(services.drop(row, by=by)).error is None
    assert not Backup.objects.exists()


def test_an_archive_made_elsewhere_is_deleted_by_the_mark_within(
    machine: Guest, by: Actor, finish: Finish, observer: Any
) -> None:
    dump(observer, machine.node, machine.vmid)
    look()
    assert finish(services.drop(Backup.objects.get(), by=by)).error is None
    assert archives(observer) == []


def test_an_archive_without_our_mark_is_left_alone(machine: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    observer.nodes(machine.node).qemu(machine.vmid).config.put(description="somebody else's")
    dump(observer, machine.node, machine.vmid)
    look()
    job = finish(services.drop(Backup.objects.get(), by=by))
    assert job.error is not None and job.error["code"] == "BACKUP_NOT_OURS"
    assert len(archives(observer)) == 1 and Backup.objects.get().state == "completed"


def test_a_protected_one_is_left_alone(machine: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    dump(observer, machine.node, machine.vmid)
    look()
    row = Backup.objects.get()
    observer.nodes("pve1").storage("shared").content(row.volume).put(protected=1)
    job = finish(services.drop(row, by=by))
    assert job.error is not None and job.error["code"] == "BACKUP_PROTECTED"
    assert len(archives(observer)) == 1


def test_an_encrypted_one_on_a_backup_server(machine: Guest, by: Actor, finish: Finish, observer: Any) -> None:
    look()
    row, job = services.take(machine, Wish(compression="gzip", is_encrypted=True, is_incremental=True), by=by)
    assert (row.storage, row.is_encrypted, row.compression, row.is_incremental) == ("pbs", True, "zstd", True)
    assert finish(job).error is None
    row.refresh_from_db()
    assert row.volume.startswith(f"pbs:backup/vm/{machine.vmid}/") and row.is_encrypted is True
    look()
    row.refresh_from_db()
    assert (row.state, row.is_encrypted, Backup.objects.count()) == ("completed", True, 1)
    assert finish(services.drop(row, by=by)).error is None
    assert archives(observer, "pbs") == []
