"""The configuration options of a container that the sandbox models."""

from vms.sandbox.core import formats
from vms.sandbox.core.parameters import (
    Param,
    Shape,
    boolean,
    formatted,
    indexed,
    integer,
    listing,
    number,
    one_of,
    text,
)  # fmt: skip

_IFACE = text(pattern=r"[-_.\w\d]+")
NET = Shape(
    {
        "name": _IFACE.required(), "bridge": _IFACE, "firewall": boolean(), "hwaddr": formatted(formats.mac),
        "ip": formatted(formats.ipv4_config), "gw": formatted(formats.ipv4), "ip6": formatted(formats.ipv6_config),
        "gw6": formatted(formats.ipv6), "link_down": boolean(), "mtu": integer(64, 65535), "rate": number(),
        "tag": integer(1, 4094), "trunks": text(pattern=r"\d+(?:;\d+)*"), "type": one_of("veth"),
        "host-managed": boolean(),
    }
)  # fmt: skip
_FLAG = "(?:discard|lazytime|noatime|nodev|noexec|nosuid)"
_MOUNT = {
    "volume": Param(is_required=True), "size": formatted(formats.disk_size), "acl": boolean(), "quota": boolean(),
    "replicate": boolean(), "ro": boolean(), "shared": boolean(),
    "mountoptions": text(pattern=f"{_FLAG}(?:;{_FLAG})*"),
}  # fmt: skip
ROOTFS = Shape(_MOUNT, default_key="volume")
MOUNT_POINT = Shape(
    {**_MOUNT, "mp": Param(is_required=True), "backup": boolean(), "keepattrs": boolean()}, default_key="volume"
)
FEATURES = Shape(
    {
        "nesting": boolean(), "keyctl": boolean(), "fuse": boolean(), "mknod": boolean(), "force_rw_sys": boolean(),
        "mount": text(pattern="[a-zA-Z0-9_; ]+"),
    }
)  # fmt: skip
DEVICE = Shape(
    {
        "path": text(pattern=r"/dev/.+"), "deny-write": boolean(), "gid": integer(0), "uid": integer(0),
        "mode": text(pattern="0[0-7]{3}"),
    },
    default_key="path",
)  # fmt: skip
UNUSED = Shape({"volume": formatted(formats.volume_id).required()}, default_key="volume")
DRIVE_KEYS = ("rootfs", *(f"mp{index}" for index in range(256)))
NET_KEYS = tuple(f"net{index}" for index in range(32))
UNUSED_KEYS = tuple(f"unused{index}" for index in range(256))
OPTIONS: dict[str, Param] = {
    "hostname": Param(format=formats.dns_name, max_length=255), "description": text(8192),
    "tags": listing(formats.tag), "arch": one_of("amd64", "i386", "arm64", "armhf", "riscv32", "riscv64"),
    "ostype": one_of(
        "debian", "devuan", "ubuntu", "centos", "fedora", "opensuse", "archlinux", "alpine", "gentoo", "nixos",
        "unmanaged",
    ),
    "cores": integer(1, 8192), "cpulimit": number(0, 8192), "cpuunits": integer(0, 500000), "memory": integer(16),
    "swap": integer(0), "onboot": boolean(), "startup": formatted(formats.startup), "protection": boolean(),
    "template": boolean(), "console": boolean(), "tty": integer(0, 6), "cmode": one_of("shell", "console", "tty"),
    "unprivileged": boolean(), "features": formatted(FEATURES), "nameserver": listing(formats.address),
    "searchdomain": listing(formats.dns_name), "hookscript": formatted(formats.volume_id), "timezone": text(),
    "debug": boolean(), "env": text(), "entrypoint": text(),
    "lock": one_of("backup", "create", "destroyed", "disk", "fstrim", "migrate", "mounted", "rollback", "snapshot",
        "snapshot-delete"),
    "rootfs": formatted(ROOTFS), **indexed("mp", 256, formatted(MOUNT_POINT)), **indexed("net", 32, formatted(NET)),
    **indexed("dev", 256, formatted(DEVICE)), **indexed("unused", 256, formatted(UNUSED)),
}  # fmt: skip
READ_ONLY = ("unprivileged", "arch", "ostype")
