"""What differs between a virtual machine and a container, as data."""

from collections.abc import Mapping
from dataclasses import dataclass

from vms.sandbox.core import options_lxc, options_qemu
from vms.sandbox.core.model import Guest
from vms.sandbox.core.parameters import Param, Shape, Table


@dataclass(frozen=True, slots=True)
class Kind:
    """`verb` begins the types of its tasks (`qm` + `start`)."""

    name: str
    label: str
    verb: str
    options: Table
    drive_keys: frozenset[str]
    net_keys: frozenset[str]
    net_shape: Shape
    mac_key: str
    file_key: str
    content: str
    lock_folder: str

    def drive_shape(self, key: str) -> Shape:
        shape = self.options[key].format
        if not isinstance(shape, Shape):
            raise TypeError(f"{key} is no property string")
        return shape

    def is_unused(self, key: str) -> bool:
        return key.startswith("unused") and key.removeprefix("unused").isdecimal()

    def knows(self, key: str) -> bool:
        return key in self.options


QEMU = Kind(
    "qemu", "VM", "qm", options_qemu.OPTIONS, frozenset(options_qemu.DRIVE_KEYS), frozenset(options_qemu.NET_KEYS),
    options_qemu.NET, "macaddr", "file", "images", "qemu-server",
)  # fmt: skip
LXC = Kind(
    "lxc", "CT", "vz", options_lxc.OPTIONS, frozenset(options_lxc.DRIVE_KEYS), frozenset(options_lxc.NET_KEYS),
    options_lxc.NET, "hwaddr", "volume", "rootdir", "lxc",
)  # fmt: skip
KINDS: Mapping[str, Kind] = {"qemu": QEMU, "lxc": LXC}


def kind_of(guest: Guest) -> Kind:
    return KINDS[guest.kind]


def typed_option(kind: Kind, key: str) -> Param:
    return kind.options.get(key, Param())
