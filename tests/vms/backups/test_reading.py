"""What storages hold becomes rows: whoever made it, and as long as it is there."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories.accounts import make_actor
from tests.fixtures.sandbox import RunningSandbox, wait_for_task
from tests.vms.backups.conftest import dump, look
from vms import inventory
from vms.backups import listing, reading, storing
from vms.backups.found import Found, Place, Told
from vms.models import Backup, BackupJobs, BackupStorage, Cluster, ClusterStorage, Guest
from vms.proxmox.backups import ArchiveReading, parse_config, signed, unsigned


def only() -> Backup:
    return Backup.objects.get()


def test_what_others_made_is_listed(cluster: Cluster, observer: Any, machine: Guest) -> None:
    dump(observer, machine.node, machine.vmid, **{"notes-template": "Before the {{guestname}} change"})
    look()
    row = only()
    assert (row.guest, row.claim, row.state, row.storage, row.node) == (
        machine,
        machine.claim,
        "completed",
        "shared",
        "",
    )
    assert (row.compression, row.is_encrypted, row.description) == ("zstd", False, f"Before the {machine.name} change")
    assert row.size_bytes and row.taken_at and row.created_by == ""
    look()
    assert only().pk == row.pk, "the second look finds the same one"


def test_what_is_gone_has_expired_and_may_come_back(cluster: Cluster, observer: Any, machine: Guest) -> None:
    dump(observer, machine.node, machine.vmid)
    look()
    row = only()
    wait_for_task(observer, observer.nodes("pve2").storage("shared").content(row.volume).delete())
    look()
    row.refresh_from_db()
    assert row.state == "expired"
    Backup.objects.filter(pk=row.pk).update(state="completed", volume="shared:backup/vzdump-qemu-1-x.vma")
    look()
    row.refresh_from_db()
    assert row.state == "expired"


def test_a_storage_that_is_not_read_keeps_what_is_known(
    cluster: Cluster, observer: Any, machine: Guest, fresh_sandbox: RunningSandbox
) -> None:
    dump(observer, machine.node, machine.vmid)
    look()
    fresh_sandbox.core.faults.answer_next(500, "mount error", "GET", "/nodes/*/storage/*/content", count=20)
    look()
    stored = BackupStorage.objects.get(cluster=cluster, name="shared")
    assert (only().state, bool(stored.error), stored.read_at is not None) == ("completed", True, True)
    told = listing.age_of([cluster])
    assert f"{cluster.slug}/shared" in told["unread_storages"] and told["age_seconds"] is not None


def test_storages_are_asked_once_a_minute(cluster: Cluster, fresh_sandbox: RunningSandbox) -> None:
    inventory.refresh_all()
    reading.read_due()
    shared = BackupStorage.objects.get(name="shared")
    assert (shared.node, BackupStorage.objects.filter(name="local").count()) == ("", 3)
    pattern = "/nodes/{node}/storage/{storage}/content"
    before = fresh_sandbox.count("GET", pattern)
    reading.read_due()
    assert fresh_sandbox.count("GET", pattern) == before > 0
    assert BackupJobs.objects.get(cluster=cluster).unsaved is not None


def test_a_silent_cluster_is_left_alone(cluster: Cluster, fresh_sandbox: RunningSandbox) -> None:
    inventory.refresh_all()
    Cluster.objects.update(unreachable_since=timezone.now())
    reading.read_due()
    assert not BackupStorage.objects.exists()


def test_jobs_of_others_are_known(cluster: Cluster, observer: Any, machine: Guest) -> None:
    observer.cluster.backup.post(schedule="mon 02:00", storage="shared", vmid=str(machine.vmid))
    look()
    saved = listing.saved(machine)
    assert (saved.is_enabled, saved.schedule, saved.retention_days, saved.last_at) == (True, "mon 02:00", None, None)
    observer.cluster.backup(observer.cluster.backup.get()[0]["id"]).delete()
    look()
    assert listing.saved(machine).is_enabled is False


def test_machines_without_a_backup_come_first(cluster: Cluster, observer: Any, make_machine: Any) -> None:
    inventory.refresh_all()
    actor = make_actor(organization=cluster.organization)
    assert not listing.gaps(actor).exists(), "nothing is said of what nobody has read"
    web, old, good = (make_machine(key=name) for name in ("web", "old", "good"))
    for guest in (old, good):
        dump(observer, guest.node, guest.vmid)
    look()
    Backup.objects.filter(guest=old).update(taken_at=timezone.now() - timedelta(days=8))
    found = list(listing.gaps(actor))
    assert [guest.name for guest in found[:2]] == ["web", "old"], "what ALMA can back up comes first"
    assert found[2:] and all(guest.claim_id is None for guest in found[2:])
    assert "good" not in [guest.name for guest in found]


def test_what_has_not_changed_is_not_written(cluster: Cluster) -> None:
    began = timezone.now()
    place = Place(owner="", node="pve1", name="nas", plugin="nfs")
    archives = tuple(
        ArchiveReading(
            volume=f"nas:backup/vzdump-qemu-{number}-x.vma", storage="nas", vmid=number, kind="vm", size_bytes=number,
            taken_at=began, compression="none", notes="", is_encrypted=False, is_protected=False,
        )
        for number in range(100, 400)
    )  # fmt: skip
    found = Found(told=[Told(place, began, archives)], may_see={"/": {"VM.Backup": 1}})
    storing.store(cluster, found, timezone.now())
    assert Backup.objects.count() == 300
    with CaptureQueriesContext(connection) as asked:
        storing.store(cluster, found, timezone.now() + timedelta(minutes=1))
    assert len(asked) < 20, "not one for each"
    fewer = Found(told=[Told(place, timezone.now() + timedelta(hours=1), archives[1:])], may_see={})
    storing.store(cluster, fewer, timezone.now())
    assert Backup.objects.there().count() == 300, "it may only be hidden from our token"
    fewer.may_see = {"/": {"VM.Backup": 1}}
    storing.store(cluster, fewer, timezone.now() + timedelta(hours=1))
    assert Backup.objects.get(state="expired").vmid == 100


def test_an_archive_that_is_older_than_the_machine_is_not_its(cluster: Cluster, observer: Any, machine: Guest) -> None:
    dump(observer, machine.node, machine.vmid)
    assert machine.claim is not None
    type(machine.claim).objects.filter(pk=machine.claim.pk).update(created_at=timezone.now() + timedelta(days=1))
    look()
    assert (only().claim, only().guest) == (None, None)


@pytest.mark.parametrize(
    ("words", "kept"),
    [("Monthly full backup", "Monthly full backup"), ("a\\b {{vmid}}", "a\\b { {vmid}}"), ("", ""), ("two\nlines", "two lines")],
    ids=["plain", "template", "nothing", "lines"],
)  # fmt: skip
def test_notes_bear_our_mark(words: str, kept: str) -> None:
    marker = "alma:11111111-2222-3333-4444-555555555555"
    written = signed(words, marker, 7).replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\")
    assert unsigned(written) == (kept, marker.removeprefix("alma:"), 7)
    assert unsigned(signed("", marker)) == ("", marker.removeprefix("alma:"), None)
    assert unsigned(f"{marker} is what somebody wrote") == (f"{marker} is what somebody wrote", "", None)


def test_configurations_are_read_as_proxmox_writes_them() -> None:
    said = "#alma%3Aabc\n#\n#Words 100%25\nboot: order=scsi0\nnet0: virtio=BC:24:11:00:00:01,bridge=vmbr0\n#qmdump#map:x\n[snap]\nnet1: x\n"
    config = parse_config(said)
    assert (config.marker, config.description) == ("alma:abc", "alma:abc\n\nWords 100%")
    assert config.cards == {"net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0"}
    assert config.options["boot"] == "order=scsi0"


def test_only_storages_for_backups_count(cluster: Cluster) -> None:
    inventory.refresh_all()
    ClusterStorage.objects.filter(name="shared").update(is_active=False)
    assert {place.name for place in reading.places_of(cluster)} == {"local", "pbs"}
