"""Where the data of guests lies."""

from vms.scans.facts import GuestFacts, Missing, NotApplicable, NotAssessed, StorageFacts, known
from vms.scans.findings import Finding, Severity, finding, rule
from vms.scans.rules.reading import disks, storage_of

STATED = "encrypted"
"""A tag by which somebody says that the guest encrypts its disks itself: from outside that cannot be seen."""


def _storages(facts: GuestFacts) -> list[tuple[str, StorageFacts]]:
    """Each disk with its storage. Raises NotAssessed when one is not known."""
    found = {place: storage_of(parts) for place, parts in disks(facts).items()}
    if not found:
        raise NotApplicable
    storages = known(facts.storages)
    for place, name in found.items():
        if name not in storages:
            raise NotAssessed(f"nothing is known of {name or 'the device'} behind {place}")
    return [(place, storages[name]) for place, name in found.items()]


def _broken(places: list[tuple[str, StorageFacts]], of: str) -> list[tuple[str, str]]:
    """Places on storages that certainly lack something. Raises NotAssessed when none does and of one nothing is known."""
    lacking = [
        (place, f"{storage.name}: {storage.where}") for place, storage in places if getattr(storage, of) is False
    ]
    unknown = next((fact for _, storage in places if isinstance(fact := getattr(storage, of), Missing)), None)
    if not lacking and unknown is not None:
        raise NotAssessed(unknown.why)
    return lacking


@rule(
    "GUEST-DISK-001", "Disk is not encrypted at rest", Severity.HIGH, controls="CIS-3.11 SOC2-CC6.1 SOC2-CC6.7 SOC2-C1.1",
    remedy="Move the disk to a storage on an encrypted device, or encrypt it within the guest (LUKS, BitLocker) and give the "
    f"guest the tag “{STATED}”: encryption within a guest cannot be seen from outside.",
)  # fmt: skip
def encryption(facts: GuestFacts) -> Finding | None:
    """Disks on devices that are known to be plain."""
    if STATED in str(known(facts.config).get("tags", "")).replace(",", ";").split(";"):
        return None
    lacking = _broken(_storages(facts), "is_encrypted")
    return finding(*lacking) if lacking else None


@rule(
    "GUEST-DISK-002", "Disk has a single copy", Severity.MEDIUM, controls="CIS-11.3 SOC2-A1.2",
    remedy="Move the disk to a storage that survives the loss of a drive (a mirror, RAID-Z, Ceph), or see that its backups are "
    "recent enough to lose what came after.",
)  # fmt: skip
def redundancy(facts: GuestFacts) -> Finding | None:
    """Disks on pools without a second copy."""
    lacking = _broken(_storages(facts), "is_redundant")
    return finding(*lacking) if lacking else None


@rule(
    "GUEST-DISK-003", "Disk may lose what was written", Severity.LOW, controls="CIS-4.1 SOC2-A1.2",
    remedy="Set the cache of the disk to none or writeback: with “unsafe” the guest’s own flushes are ignored.",
)  # fmt: skip
def cache(facts: GuestFacts) -> Finding | None:
    """Disks with the cache mode unsafe."""
    unsafe = [(f"{place} cache", "unsafe") for place, parts in disks(facts).items() if parts.get("cache") == "unsafe"]
    return finding(*unsafe) if unsafe else None
