"""What a node's QEMU can do, and which appliances it could download: examples, and the archives that are there."""

from functools import partial

from vms.sandbox.core import formats
from vms.sandbox.core.api.shapes import fixed
from vms.sandbox.core.api.tables import NODE
from vms.sandbox.core.errors import die
from vms.sandbox.core.model import Json
from vms.sandbox.core.parameters import formatted, one_of
from vms.sandbox.core.routing import USER, Call, Routes, holder

routes = Routes()
_ARCH = {**NODE, "arch": one_of("x86_64", "aarch64")}
_MODELS = {
    "host": "default", "max": "default", "kvm64": "default", "qemu64": "default", "x86-64-v2": "default", "x86-64-v2-AES": "default",
    "x86-64-v3": "default", "x86-64-v4": "default", "EPYC": "AuthenticAMD", "EPYC-Milan": "AuthenticAMD", "EPYC-Rome": "AuthenticAMD",
    "Haswell": "GenuineIntel", "Skylake-Server": "GenuineIntel", "Icelake-Server": "GenuineIntel",
}  # fmt: skip
_FLAGS = {
    "aes": "Activate AES instruction set for HW acceleration.", "md-clear": "Required to let the guest OS know if MDS is mitigated.",
    "pcid": "Meltdown fix cost reduction on older CPUs.", "pdpe1gb": "Allow guest OS to use 1GB size pages.",
    "spec-ctrl": "Allows improved Spectre mitigation with Intel CPUs.",
}  # fmt: skip
_MACHINES = [
    {"id": f"pc-{stem}-{version}", "type": type, "version": version}
    for version in ("10.1", "10.0", "9.2", "9.0") for stem, type in (("i440fx", "i440fx"), ("q35", "q35"))
]  # fmt: skip
_BASE = "/nodes/{node}/capabilities/qemu"
_MODELS_TOLD = [{"name": name, "vendor": vendor, "custom": 0} for name, vendor in _MODELS.items()]
_FLAGS_TOLD = [{"name": name, "description": words} for name, words in _FLAGS.items()]
routes.shape(f"{_BASE}/cpu", _ARCH, USER, partial(fixed, _MODELS_TOLD))
routes.shape(f"{_BASE}/cpu-flags", _ARCH, USER, partial(fixed, _FLAGS_TOLD))
routes.shape(f"{_BASE}/machines", _ARCH, USER, partial(fixed, _MACHINES))
routes.shape(f"{_BASE}/migration", NODE, holder("/nodes/{node}", "Sys.Audit"), partial(fixed, {"has-dbus-vmstate": 1}))


def _appliance(name: str) -> dict[str, Json]:
    """What the name of an archive tells."""
    package, version, rest = name.split("_", 2)
    return {
        "template": name, "package": package, "version": version, "architecture": rest.partition(".")[0], "section": "system",
        "os": package.rpartition("-")[0], "type": "lxc", "headline": f"LXC default image for {package}", "source": "https://example.org",
        "location": f"http://download.proxmox.com/images/system/{name}", "infopage": "https://linuxcontainers.org", "description": package,
    }  # fmt: skip


def appliances(call: Call) -> Json:
    """The archives that some storage of the cluster has."""
    names = {volume.name.rpartition("/")[2] for volume in call.world.state.volumes if volume.content == "vztmpl"}
    return [_appliance(name) for name in sorted(names) if name.count("_") >= 2]


routes.shape("/nodes/{node}/aplinfo", NODE, USER, appliances)


@routes.route(
    "GET",
    "/nodes/{node}/disks/zfs/{name}",
    {**NODE, "name": formatted(formats.storage_id).required()},
    holder("/", "Sys.Audit"),
)
def zfs_pool(call: Call) -> Json:
    """No node has a pool of its own."""
    raise die(f"cannot open '{call.string('name')}': no such pool")
