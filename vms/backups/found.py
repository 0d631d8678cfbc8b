"""What one pass over the backups of a cluster found: values without behaviour beyond looking things up in them."""

from dataclasses import dataclass, field
from datetime import datetime

from vms.proxmox.backups import ArchiveReading, ScheduledJob
from vms.proxmox.privileges import Held, allows


@dataclass(frozen=True, kw_only=True)
class Place:
    """A storage for backups, read through `node`. `owner` is empty where all nodes share it, else the same node."""

    owner: str
    node: str
    name: str
    plugin: str


@dataclass(frozen=True)
class Told:
    """What a storage told of its archives since `began`: None where it did not, and why."""

    place: Place
    began: datetime
    archives: tuple[ArchiveReading, ...] | None
    why: str = ""


@dataclass
class Found:
    """All of it. What the cluster did not tell is None."""

    told: list[Told] = field(default_factory=list)
    encrypting: dict[str, bool] | None = None
    jobs: list[ScheduledJob] | None = None
    unsaved: list[int] | None = None
    may_see: Held | None = None

    def sees(self, place: Place, vmid: int) -> bool:
        """Whether the backups of a guest on a storage would be listed to our token."""
        if self.may_see is None:
            return False
        everything = allows(self.may_see, f"/storage/{place.name}", "Datastore.Allocate")
        return everything or allows(self.may_see, f"/vms/{vmid}", "VM.Backup")
