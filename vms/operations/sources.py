"""What a machine is made from, found by the last reading: a template that is copied, or an image that a storage holds."""

from collections.abc import Iterable
from dataclasses import dataclass

from vms.models import Cluster, ClusterImage, Guest
from vms.refusing import invalid
from vms.steps.place import fitting

MOST_NAMED = 40
"""Templates and images that a refusal lists."""


@dataclass(frozen=True)
class Source:
    """A template by name, or an image by its volume: a disk that is imported, or an ISO that is put into the drive."""

    template: str = ""
    import_from: str = ""
    cdrom: str = ""

    @property
    def label(self) -> str:
        """What it is called in Proxmox."""
        return self.template or self.image

    @property
    def image(self) -> str:
        """The volume of an image; empty for a template."""
        return self.import_from or self.cdrom


def source_of(cluster: Cluster, *, template: str, image: str) -> Source:
    """What a client means. A template may be named by number or system as well, an image by its volume or file; where
    `template` names none, an image of that name or system is taken. Raises Invalid that lists what there is."""
    known = _Known(cluster)
    found = known.image(image, "image") if image else known.template(template)
    if found is not None:
        return found
    field, wanted = ("image", image) if image else ("template", template)
    noun = "image" if image else "template or image"
    raise invalid(
        field,
        f"no {noun} of {cluster.name} is {wanted} ({known.listed(images_only=bool(image))})",
        wanted,
        reason="no_such_source",
    )


class _Known:
    """The templates of VMs on a cluster, and its images."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        rows = Guest.objects.present().filter(cluster=cluster, is_template=True, kind="vm")
        self.templates = dict(rows.values_list("name", "vmid"))
        self.images = list(ClusterImage.objects.filter(cluster=cluster))

    def template(self, wanted: str) -> Source | None:
        by_number = next((name for name, vmid in self.templates.items() if str(vmid) == wanted), "")
        named = by_number or (wanted if wanted in self.templates else "")
        if named:
            return Source(template=named)
        found = self.image(wanted, "template")
        if found is None and (system := fitting(wanted, self.templates)):
            return Source(template=system)
        return found or self._of_system(wanted)

    def image(self, wanted: str, field: str) -> Source | None:
        """That of a volume or file. Raises Invalid for an archive of a container, and for a file that lies on several storages."""
        volumes = {row.volume: row for row in self.images if wanted in {row.volume, row.name}}
        if len(volumes) > 1:
            names = ", ".join(sorted(volumes))
            raise invalid(
                field, f"{wanted} lies on several storages, so name one of them ({names})", wanted, reason="ambiguous"
            )
        row = next(iter(volumes.values()), None)
        if row is not None and row.kind == ClusterImage.Kind.VZTMPL:
            raise invalid(
                field,
                f"{wanted} is an archive of a container, and a VM is made of none",
                wanted,
                reason="not_a_vm_image",
            )
        return _source(row) if row else None

    def _of_system(self, wanted: str) -> Source | None:
        """The disk image of a system, as its file is called."""
        disks = {row.name: row for row in self.images if row.kind == ClusterImage.Kind.IMPORT}
        name = fitting(wanted, disks)
        return _source(disks[name]) if name else None

    def listed(self, *, images_only: bool) -> str:
        """What there is, in words."""
        volumes = {row.volume for row in self.images if row.kind != ClusterImage.Kind.VZTMPL}
        told = [] if images_only else [("templates", self.templates)]
        return "; ".join(f"{noun}: {_names(found)}" for noun, found in (*told, ("images", volumes)))


def _source(row: ClusterImage) -> Source:
    return Source(cdrom=row.volume) if row.kind == ClusterImage.Kind.ISO else Source(import_from=row.volume)


def _names(found: Iterable[str]) -> str:
    names = sorted(found)
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return (", ".join(names[:MOST_NAMED]) + more) or "none"


def check_source(source: Source, *, disk_gib: int, has_init: bool) -> None:
    """What an ISO takes, and cannot do. Raises Invalid."""
    if not source.cdrom:
        return
    if not disk_gib:
        raise invalid(
            "configuration.storage_gb",
            "an ISO image installs on an empty disk, so say how large it is",
            None,
            reason="required",
        )
    if has_init:
        words = "the system of an ISO image is installed by hand: user, SSH keys and address are given there"
        raise invalid("image", words, source.cdrom, reason="iso_takes_no_cloud_init")
