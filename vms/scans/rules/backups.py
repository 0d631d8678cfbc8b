"""Whether what a guest holds can be had again."""

from datetime import timedelta

from vms.scans.facts import BackupFacts, GuestFacts, NotApplicable, known
from vms.scans.findings import Finding, Severity, finding, rule

OLDEST = timedelta(days=7)
OLDEST_SNAPSHOT = timedelta(days=30)
_BACKUP = "CIS-11.2 SOC2-A1.2"


def _last(facts: GuestFacts) -> BackupFacts | None:
    if facts.is_template:
        raise NotApplicable
    return max(known(facts.backups), key=lambda backup: backup.at, default=None)


@rule(
    "GUEST-BACKUP-001", "There is no backup", Severity.HIGH, controls=_BACKUP,
    remedy="Add the guest to a backup job, and make a first backup now.",
)  # fmt: skip
def none_at_all(facts: GuestFacts) -> Finding | None:
    """None on any storage for backups."""
    return finding(("backups", "none on any storage")) if _last(facts) is None else None


@rule(
    "GUEST-BACKUP-002", "Last backup is too old", Severity.MEDIUM, controls=_BACKUP,
    remedy=f"See why the backup job no longer saves it, and make a backup now. Too old is more than {OLDEST.days} days.",
)  # fmt: skip
def too_old(facts: GuestFacts) -> Finding | None:
    """The latest of them, whoever made it."""
    last = _last(facts)
    if last is None:
        raise NotApplicable
    age = facts.now - last.at
    return None if age <= OLDEST else finding(("last backup", f"{last.at:%Y-%m-%d %H:%M} UTC, {age.days} days ago"))


@rule(
    "GUEST-BACKUP-003", "No backup job saves it", Severity.MEDIUM, controls=_BACKUP,
    remedy="Add the guest to a backup job of the datacenter; what is saved by hand is forgotten some day.",
)  # fmt: skip
def not_scheduled(facts: GuestFacts) -> Finding | None:
    """In the cluster's own list of guests that no job saves."""
    if facts.is_template:
        raise NotApplicable
    return None if known(facts.is_in_backup_job) else finding(("backup jobs", "none names it"))


@rule(
    "GUEST-BACKUP-004", "Last backup is not encrypted", Severity.LOW, controls="CIS-11.3 CIS-3.11 SOC2-CC6.7",
    remedy="Keep backups on a Proxmox Backup Server with an encryption key; vzdump itself does not encrypt.",
)  # fmt: skip
def plain_backup(facts: GuestFacts) -> Finding | None:
    """As the storage says of the last one."""
    last = _last(facts)
    if last is None:
        raise NotApplicable
    return None if known(last.is_encrypted) else finding(("last backup", f"{last.volume}: not encrypted"))


@rule(
    "GUEST-SNAP-001", "Snapshot is old", Severity.LOW, controls="CIS-4.1 SOC2-A1.1",
    remedy="Delete snapshots that nobody will go back to: they grow, slow the disk down, and are no backups. Old is more than "
    f"{OLDEST_SNAPSHOT.days} days.",
)  # fmt: skip
def old_snapshots(facts: GuestFacts) -> Finding | None:
    """Snapshots beyond OLDEST_SNAPSHOT."""
    found = sorted(known(facts.snapshots).items(), key=lambda item: item[1])
    old = [(f"snapshot {name}", f"{at:%Y-%m-%d}") for name, at in found if facts.now - at > OLDEST_SNAPSHOT]
    return finding(*old[:10]) if old else None
