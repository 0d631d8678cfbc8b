"""What is real: clusters, what was seen on them, and the ledger of guests that ALMA made."""

from vms.models.backups import Backup, BackupJobs, BackupQuerySet, BackupSchedule, BackupStorage
from vms.models.clusters import HOST, TOKEN, TOKEN_ID, Cluster, ClusterQuerySet, validate_ca, validate_names
from vms.models.details import GuestDetails
from vms.models.drift import Drift, Expectation, Stray
from vms.models.guests import Guest, GuestKind, GuestQuerySet
from vms.models.history import ClusterMoment, KeptSeries
from vms.models.images import ClusterImage
from vms.models.ledger import MARKER, ClaimQuerySet, GuestClaim
from vms.models.networks import ClusterNetwork
from vms.models.places import SECRETS, PlaceClaim
from vms.models.scans import ScanFinding, ScanSubject, SecurityScan
from vms.models.sightings import ClusterNode, ClusterStorage, ClusterTask
from vms.models.snapshots import GuestSnapshot

__all__ = [
    "HOST", "MARKER", "SECRETS", "TOKEN", "TOKEN_ID", "Backup", "BackupJobs", "BackupQuerySet", "BackupSchedule",
    "BackupStorage", "ClaimQuerySet", "Cluster", "ClusterImage", "ClusterMoment", "ClusterNetwork", "ClusterNode",
    "ClusterQuerySet", "ClusterStorage", "ClusterTask", "Drift", "Expectation", "Guest", "GuestClaim",
    "GuestDetails", "GuestKind", "GuestQuerySet", "GuestSnapshot", "KeptSeries", "PlaceClaim", "ScanFinding", "ScanSubject",
    "SecurityScan", "Stray", "validate_ca", "validate_names",
]  # fmt: skip
