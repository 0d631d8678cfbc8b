"""Images on the storages of a cluster: disks to import, ISO images, archives of containers."""

from collections.abc import Collection
from dataclasses import dataclass

from vms.proxmox.answers import mapping, rows, text, whole
from vms.proxmox.client import Api
from vms.proxmox.paths import IMAGE

KINDS = ("import", "iso", "vztmpl")
"""The contents of storages that hold images."""
MOST = 500
"""Of one kind on one storage."""
DISKS = (".qcow2", ".raw", ".vmdk")
"""What becomes a disk as it is; an appliance holds several, and a configuration besides."""


@dataclass(frozen=True, kw_only=True)
class ImageReading:
    """An image as its storage lists it. Of one to import `size_bytes` is that of the file, and its disk may be larger."""

    volume: str
    kind: str
    size_bytes: int


def read(api: Api, node: str, storage: str, contents: Collection[str]) -> list[ImageReading]:
    """The images on a storage as a node sees it, those that machines can be made from. Raises Unknown, Refusal."""
    return [one for kind in KINDS if kind in contents for one in _of_kind(api, node, storage, kind)]


def _of_kind(api: Api, node: str, storage: str, kind: str) -> list[ImageReading]:
    listed = rows(api.get("nodes", node, "storage", storage, "content", content=kind), "images")[:MOST]
    found = [ImageReading(volume=text(row, "volid"), kind=kind, size_bytes=whole(row, "size")) for row in listed]
    return [one for one in found if IMAGE.fullmatch(one.volume) and is_usable(one.volume, kind)]


def is_usable(volume: str, kind: str) -> bool:
    """Whether a file of this name can be made something of."""
    return kind != "import" or volume.endswith(DISKS)


def disk_bytes(api: Api, node: str, volume: str) -> int:
    """How large the disk is that an image to import becomes. Raises Unknown, Refusal."""
    storage = volume.partition(":")[0]
    return whole(mapping(api.get("nodes", node, "storage", storage, "content", volume), "image"), "size")
