"""The property strings in a virtual machine's configuration."""

from collections.abc import Mapping

from vms.sandbox.core import formats
from vms.sandbox.core.parameters import Param, Shape, boolean, formatted, integer, number, one_of, text

NIC_MODELS = (
    "e1000", "e1000-82540em", "e1000-82544gc", "e1000-82545em", "e1000e", "i82551", "i82557b", "i82559er",
    "ne2k_isa", "ne2k_pci", "pcnet", "rtl8139", "virtio", "vmxnet3",
)  # fmt: skip
NET = Shape(
    {
        "model": one_of(*NIC_MODELS).required(), "macaddr": formatted(formats.mac), "bridge": formatted(formats.bridge),
        "queues": integer(0, 64), "rate": number(0), "tag": integer(1, 4094),
        "trunks": text(pattern=r"\d+(?:-\d+)?(?:;\d+(?:-\d+)?)*"),
        "firewall": boolean(), "link_down": boolean(), "mtu": integer(1, 65520),
    },
    default_key="model",
    aliases=dict.fromkeys(NIC_MODELS, "macaddr"),
    key_aliases=dict.fromkeys(NIC_MODELS, "model"),
)  # fmt: skip
_SPEEDS = ("mbps", "mbps_rd", "mbps_wr", "mbps_max", "mbps_rd_max", "mbps_wr_max")
_RATES = (
    "bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr", "iops_max", "iops_rd_max", "iops_wr_max",
)  # fmt: skip
_BURSTS = tuple(f"{name}_max_length" for name in ("bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr"))
_IMAGE: dict[str, Param] = {
    "file": Param(is_required=True), "size": formatted(formats.disk_size), "import-from": text(),
    "format": one_of("raw", "qcow", "qed", "qcow2", "vmdk", "cloop"),
}  # fmt: skip
_DISK: dict[str, Param] = {
    **_IMAGE, "media": one_of("cdrom", "disk"), "aio": one_of("native", "threads", "io_uring"),
    "cache": one_of("none", "writethrough", "writeback", "unsafe", "directsync"), "discard": one_of("ignore", "on"),
    "serial": text(60), "backup": boolean(), "replicate": boolean(), "snapshot": boolean(), "shared": boolean(),
    "detect_zeroes": boolean(), "rerror": one_of("ignore", "report", "stop"),
    "werror": one_of("enospc", "ignore", "report", "stop"), **dict.fromkeys(_SPEEDS, number()),
    **dict.fromkeys(_RATES, integer()), **dict.fromkeys(_BURSTS, integer(1)),
}  # fmt: skip
_ALIASES = {
    "volume": "file",
    **{f"{stem}_{way}_length": f"{stem}_{way}_max_length" for stem in ("bps", "iops") for way in ("rd", "wr")},
}
_SSD: dict[str, Param] = {"ssd": boolean(), "wwn": text(pattern="0x[0-9a-fA-F]{16}")}
_THREADED: dict[str, Param] = {"iothread": boolean(), "ro": boolean()}


def _drive(keys: Mapping[str, Param], aliases: Mapping[str, str] = _ALIASES) -> Shape:
    return Shape(keys, default_key="file", aliases=aliases)


IDE, SATA, VIRTIO = _drive({**_DISK, **_SSD, "model": text(120)}), _drive({**_DISK, **_SSD}), _drive(_DISK | _THREADED)
DRIVE = SCSI = _drive(
    {
        **_DISK, **_SSD, **_THREADED, "queues": integer(2), "scsiblock": boolean(),
        "product": text(pattern=r"[A-Za-z0-9\-_\s]{,16}"), "vendor": text(pattern=r"[A-Za-z0-9\-_\s]{,8}"),
    }
)  # fmt: skip
EFI = _drive(
    {
        **_IMAGE, "efitype": one_of("2m", "4m"), "pre-enrolled-keys": boolean(),
        "ms-cert": one_of("2011", "2023", "2023w", "2023k"),
    },
    {"volume": "file"},
)  # fmt: skip
TPM = _drive(
    {**_IMAGE, "format": one_of("raw", "qcow2", "vmdk"), "version": one_of("v1.2", "v2.0")}, {"volume": "file"}
)
UNUSED = _drive({"file": formatted(formats.volume_id).required()}, {"volume": "file"})
AGENT = Shape(
    {"enabled": boolean(), "freeze-fs": boolean(), "fstrim_cloned_disks": boolean(), "type": one_of("virtio", "isa")},
    default_key="enabled",
    aliases={"freeze-fs-on-backup": "freeze-fs", "guest-fsfreeze": "freeze-fs"},
)
BOOT = Shape({"legacy": formatted(formats.boot_legacy), "order": text()}, default_key="legacy")
MEMORY = Shape({"current": integer(16)}, default_key="current")
CPU = Shape(
    {
        "cputype": text(), "flags": text(), "hidden": boolean(), "hv-vendor-id": text(), "phys-bits": text(),
        "guest-phys-bits": integer(32, 64), "reported-model": text(),
    },
    default_key="cputype",
)  # fmt: skip
_RELEASE = r"\d+(\.\d+)+(\+pve\d+)?"
MACHINE = Shape(
    {
        "type": text(40, pattern=rf"pc|q35|virt(\+pve\d+)?|pc(-i440fx|-q35)?-{_RELEASE}(\.pxe)?|virt-{_RELEASE}"),
        "aw-bits": number(32, 64),
        "viommu": one_of("intel", "virtio"), "enable-s3": boolean(), "enable-s4": boolean(),
    },
    default_key="type",
)  # fmt: skip
VGA = Shape(
    {
        "type": one_of("cirrus", "qxl", "qxl2", "qxl3", "qxl4", "none", "serial0", "serial1", "serial2", "serial3",
            "std", "virtio", "virtio-gl", "vmware"),
        "memory": integer(4, 512), "clipboard": one_of("vnc"),
    },
    default_key="type",
)  # fmt: skip
IPCONFIG = Shape(
    {
        "ip": formatted(formats.ipv4_config), "gw": formatted(formats.ipv4),
        "ip6": formatted(formats.ipv6_config), "gw6": formatted(formats.ipv6),
    }
)  # fmt: skip
SMBIOS = Shape(
    {
        "uuid": text(pattern=r"[a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}"), "base64": boolean(),
        **dict.fromkeys(("version", "serial", "manufacturer", "product", "sku", "family"), text()),
    }
)  # fmt: skip
RNG = Shape(
    {
        "source": one_of("/dev/urandom", "/dev/random", "/dev/hwrng").required(), "max_bytes": integer(),
        "period": integer(),
    },
    default_key="source",
)  # fmt: skip
CICUSTOM = Shape(dict.fromkeys(("user", "network", "meta", "vendor"), formatted(formats.volume_id)))


_RANGES = r"\d+(?:-\d+)?(?:;\d+(?:-\d+)?)*"
NUMA = Shape(
    {
        "cpus": text(pattern=_RANGES).required(), "hostnodes": text(pattern=_RANGES), "memory": number(),
        "policy": one_of("preferred", "bind", "interleave"),
    }
)  # fmt: skip
_HEX = "(0x)?[0-9A-Fa-f]{4}"
USB = Shape(
    {
        "host": text(pattern=rf"{_HEX}:{_HEX}|\d+-\d+(\.\d+)*|[Ss][Pp][Ii][Cc][Ee]"),
        "mapping": formatted(formats.config_id), "usb3": boolean(),
    },
    default_key="host",
)  # fmt: skip
HOSTPCI = Shape(
    {
        "host": text(), "mapping": formatted(formats.config_id), "pcie": boolean(), "rombar": boolean(), "romfile": text(),
        "mdev": text(), "x-vga": boolean(), "legacy-igd": boolean(),
        **dict.fromkeys(("vendor-id", "device-id", "sub-vendor-id", "sub-device-id"), text(pattern="0x[0-9a-fA-F]{4}")),
    },
    default_key="host",
)  # fmt: skip
AUDIO = Shape({"device": one_of("ich9-intel-hda", "intel-hda", "AC97").required(), "driver": one_of("spice", "none")})
WATCHDOG = Shape(
    {
        "model": one_of("i6300esb", "ib700"),
        "action": one_of("reset", "shutdown", "poweroff", "pause", "debug", "none"),
    },
    default_key="model",
)
SPICE = Shape({"foldersharing": boolean(), "videostreaming": one_of("off", "all", "filter")})
IVSHMEM = Shape({"name": text(pattern=r"[a-zA-Z0-9\-]+"), "size": integer(1).required()})
VIRTIOFS = Shape(
    {
        "dirid": formatted(formats.config_id).required(), "cache": one_of("auto", "always", "metadata", "never"),
        "direct-io": boolean(), "expose-acl": boolean(), "expose-xattr": boolean(),
    },
    default_key="dirid",
)  # fmt: skip
