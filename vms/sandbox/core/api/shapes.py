"""Answers of the right shape for what is only looked at: hardware, packages, certificates, logs."""

from collections.abc import Callable
from functools import partial

from vms.sandbox.core import formats
from vms.sandbox.core.api.tables import NODE
from vms.sandbox.core.errors import wrong
from vms.sandbox.core.model import Json
from vms.sandbox.core.parameters import Table, boolean, formatted, integer, listing, one_of, text
from vms.sandbox.core.routing import SUPERUSER, USER, Access, Call, Routes, each, either, holder

routes = Routes()
Answer = Json | Callable[[Call], Json]
_ON_NODE, _ROOT = holder("/nodes/{node}", "Sys.Audit"), holder("/", "Sys.Audit")
_MODIFY_NODE, _SYSLOG = holder("/nodes/{node}", "Sys.Modify"), holder("/nodes/{node}", "Sys.Syslog")
_STORAGE = holder("/storage", "Datastore.Allocate")
_PACKAGES = (
    ("proxmox-ve", "9.1.0"), ("pve-manager", "9.2.4"), ("qemu-server", "9.1.2"), ("pve-qemu-kvm", "10.1.2-4"),
    ("pve-container", "6.0.18"), ("libpve-storage-perl", "9.1.0"), ("corosync", "3.1.9-pve2"), ("ifupdown2", "3.3.0-1+pmx11"),
)  # fmt: skip
_DEBIAN = {
    "FileType": "sources", "Types": ["deb"], "Suites": ["trixie"], "Components": ["main", "contrib"], "Enabled": 1,
}  # fmt: skip


def fixed(answer: Json, call: Call) -> Json:
    return answer


def _package(call: Call) -> Json:
    return [
        {
            "Package": name, "Version": version, "OldVersion": version, "Title": name, "Description": f"Package {name}",
            "Arch": "amd64", "Origin": "Proxmox", "Priority": "optional", "Section": "admin", "CurrentState": "Installed",
        } | ({"ManagerVersion": "9.2.4", "RunningKernel": "6.17.2-1-pve"} if name == "proxmox-ve" else {})
        for name, version in _PACKAGES
    ]  # fmt: skip


def _repositories(call: Call) -> Json:
    debian = {**_DEBIAN, "URIs": ["http://deb.debian.org/debian"]}
    proxmox = {**_DEBIAN, "URIs": ["http://download.proxmox.com/debian/pve"], "Components": ["pve-no-subscription"]}
    files = {"/etc/apt/sources.list.d/debian.sources": debian, "/etc/apt/sources.list.d/proxmox.sources": proxmox}
    return {
        "digest": "0" * 64, "errors": [], "infos": [],
        "files": [
            {"path": path, "file-type": "sources", "digest": [0] * 32, "repositories": [row]} for path, row in files.items()
        ],
        "standard-repos": [
            {"handle": "enterprise", "name": "Enterprise"}, {"handle": "no-subscription", "name": "No-Subscription", "status": 1},
            {"handle": "test", "name": "Test"},
        ],
    }  # fmt: skip


def _certificates(call: Call) -> Json:
    """The certificate that this API is served with."""
    return [
        {
            "filename": "pve-ssl.pem", "fingerprint": call.world.state.setting("fingerprint", ""), "issuer": "/CN=ALMA sandbox CA",
            "subject": f"/CN={call.node}.sandbox.example", "notbefore": int(call.world.node(call.node).booted_at),
            "notafter": int(call.world.node(call.node).booted_at) + 730 * 86_400, "public-key-bits": 256,
            "public-key-type": "id-ecPublicKey", "san": ["127.0.0.1", "::1", "localhost"],
        }
    ]  # fmt: skip


def _disks(call: Call) -> Json:
    total = sum(storage.total for storage in call.world.state.storages if not storage.is_shared)
    return [
        {
            "devpath": "/dev/nvme0n1", "size": total, "model": "SAMSUNG MZQL21T9", "serial": f"S0{call.world.node(call.node).nodeid}",
            "vendor": "unknown", "type": "nvme", "health": "PASSED", "wearout": 97, "gpt": 1, "mounted": 0, "osdid": "-1",
            "osdid-list": None, "rpm": 0, "used": "LVM", "wwn": f"eui.0025385b{call.world.node(call.node).nodeid:08x}",
            "by_id_link": "/dev/disk/by-id/nvme-SAMSUNG",
        }
    ] if not call.string("type") else []  # fmt: skip


def _volume_groups(call: Call) -> Json:
    size = 1900 * 2**30
    group = {"name": "pve", "size": size, "free": 16 * 2**30, "leaf": 0, "lvcount": 3}
    return {
        "leaf": 0,
        "children": [{**group, "children": [{"name": "/dev/nvme0n1p3", "size": size, "free": 16 * 2**30, "leaf": 1}]}],
    }


def _thin_pools(call: Call) -> Json:
    size = 1800 * 2**30
    return [
        {"lv": "data", "vg": "pve", "lv_size": size, "used": size // 10, "metadata_size": 2**34, "metadata_used": 2**28}
    ]


def _syslog(call: Call) -> Json:
    lines = _journal(call)
    call.extra["total"] = len(lines)
    start, limit = call.number("start"), call.number("limit", 50) or len(lines)
    return [{"n": number, "t": line} for number, line in enumerate(lines, 1)][start : start + limit]


def _journal(call: Call) -> list[str]:
    """What a node's log says of its tasks."""
    found = sorted((task for task in call.world.state.tasks if task.node == call.node), key=lambda task: task.starttime)
    return [f"{call.node} pvedaemon[{task.pid}]: <{task.user}> starting task {task.upid}" for task in found[-500:]]


def _netstat(call: Call) -> Json:
    guests = [guest for guest in call.world.state.guests if guest.node == call.node and guest.is_running]
    return [{"vmid": str(guest.vmid), "dev": "net0", "in": "0", "out": "0"} for guest in guests]


def _report(call: Call) -> Json:
    return f"==== general system info ====\n\n# hostname\n{call.node}\n\n# pveversion --verbose\n" + "\n".join(
        f"{name}: {version}" for name, version in _PACKAGES
    )


def _without_account(call: Call) -> Json:
    """No account of a certificate authority can be made here."""
    raise wrong({"name": f"ACME account config file '{call.string('name')}' does not exist."})


def _metrics(call: Call) -> Json:
    now = int(call.world.now())
    return {
        "data": [
            {
                "id": f"node/{node.name}",
                "metric": "uptime",
                "timestamp": now,
                "type": "gauge",
                "value": int(now - node.booted_at),
            }
            for node in call.world.state.nodes
        ]
    }


_PCI = {**NODE, "pci-class-blacklist": text(), "verbose": boolean()}
_DEVICE = {
    **NODE, "pci-id-or-mapping": text(pattern=r"(?:(?:[0-9a-fA-F]{4}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-9a-fA-F])|([a-zA-Z][a-zA-Z0-9_-]+)").required(),
}  # fmt: skip
LOG = {**NODE, "start": integer(0), "limit": integer(0)}
_STAMP = text(pattern=r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2}(:\d{2})?)?")
_NETWORK = {"id": "0000:00:1f.6", "class": "0x020000", "vendor": "0x8086", "device": "0x15bb", "iommugroup": 4}
_SERVER = {**NODE, "server": text().required()}
_DIRECTORY = {"directory": text(pattern="https?://.*")}
_TERMS = "https://letsencrypt.org/documents/LE-SA-v1.5-February-24-2025.pdf"
_LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
_REACHES = either(each("/", "Sys.Audit", "Sys.Modify"), holder("/nodes/{node}", "Sys.AccessNetwork"))


def names(*names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


def _subdirs(*names: str) -> list[dict[str, str]]:
    return [{"subdir": name} for name in names]


_SHAPES: tuple[tuple[str, Table, Access, Answer], ...] = (
    ("/access/openid", {}, USER, _subdirs("login", "auth-url")),
    ("/cluster/acme", {}, USER, names("account", "tos", "directories", "challenge-schema", "plugins", "meta")),
    ("/cluster/acme/account", {}, USER, []),
    ("/cluster/acme/account/{name}", {"name": formatted(formats.config_id)}, SUPERUSER, _without_account),
    ("/cluster/acme/challenge-schema", {}, USER, [{"id": "cf", "name": "Cloudflare Managed DNS", "type": "dns", "schema": {}}]),
    ("/cluster/acme/directories", {}, USER, [
        {"name": "Let's Encrypt V2", "url": _LETS_ENCRYPT},
        {"name": "Let's Encrypt V2 Staging", "url": "https://acme-staging-v02.api.letsencrypt.org/directory"},
    ]),
    ("/cluster/acme/meta", _DIRECTORY, _ON_NODE, {
        "website": "https://letsencrypt.org", "caaIdentities": ["letsencrypt.org"], "termsOfService": _TERMS,
        "profiles": {name: f"https://letsencrypt.org/docs/profiles#{name}" for name in ("classic", "shortlived", "tlsserver")},
    }),
    ("/cluster/acme/tos", _DIRECTORY, USER, _TERMS),
    ("/cluster/bulk-action", {}, USER, names("guest")),
    ("/cluster/bulk-action/guest", {}, USER, names("start", "shutdown", "suspend", "migrate")),
    ("/cluster/metrics/export", {"history": boolean(), "local-only": boolean(), "node-list": text(), "start-time": integer()}, _ROOT, _metrics),
    ("/cluster/notifications/matcher-fields", {}, holder("/mapping/notifications", "Mapping.Modify", "Mapping.Audit"),
     names("type", "hostname", "job-id")),
    ("/cluster/notifications/matcher-field-values", {}, holder("/mapping/notifications", "Mapping.Modify", "Mapping.Audit"), [
        {"field": "type", "value": name} for name in ("fencing", "package-updates", "replication", "system-mail", "vzdump")
    ]),
    ("/cluster/sdn/dry-run", NODE, _ON_NODE, {"frr-diff": "", "interfaces-diff": ""}),
    ("/cluster/sdn/ipams/{ipam}/status", {"ipam": text().required()}, USER, []),
    ("/nodes/{node}/sdn", NODE, USER, _subdirs("zones", "vnets", "fabrics")),
    ("/nodes/{node}/sdn/vnets/{vnet}", {**NODE, "vnet": text().required()}, USER, _subdirs("mac-vrf")),
    ("/nodes/{node}/sdn/vnets/{vnet}/mac-vrf", {**NODE, "vnet": text().required()}, USER, []),
    ("/nodes/{node}/sdn/zones/{zone}/bridges", {**NODE, "zone": text().required()}, holder("/sdn/zones/{zone}", "SDN.Audit"), []),
    ("/nodes/{node}/sdn/zones/{zone}/ip-vrf", {**NODE, "zone": text().required()}, holder("/sdn/zones/{zone}", "SDN.Audit"), []),
    ("/nodes/{node}/apt", NODE, USER, [{"id": name} for name in ("changelog", "repositories", "update", "versions")]),
    ("/nodes/{node}/apt/changelog", {**NODE, "name": text().required(), "version": text()}, _MODIFY_NODE, "no changelog"),
    ("/nodes/{node}/apt/repositories", NODE, _ON_NODE, _repositories),
    ("/nodes/{node}/apt/update", NODE, _MODIFY_NODE, []),
    ("/nodes/{node}/apt/versions", NODE, _ON_NODE, _package),
    ("/nodes/{node}/capabilities", NODE, USER, names("qemu")),
    ("/nodes/{node}/capabilities/qemu", NODE, USER, names("cpu", "cpu-flags", "machines", "migration")),
    ("/nodes/{node}/certificates", NODE, USER, names("acme", "custom", "info")),
    ("/nodes/{node}/certificates/acme", NODE, USER, names("certificate")),
    ("/nodes/{node}/certificates/info", NODE, USER, _certificates),
    ("/nodes/{node}/disks", NODE, USER, names("list", "initgpt", "directory", "lvm", "lvmthin", "zfs", "smart", "wipedisk")),
    ("/nodes/{node}/disks/directory", NODE, _ROOT, []),
    ("/nodes/{node}/disks/list", {**NODE, "include-partitions": boolean(), "skipsmart": boolean(), "type": one_of("unused", "journal_disks")},
     either(_ROOT, _ON_NODE), _disks),
    ("/nodes/{node}/disks/lvm", NODE, _ROOT, _volume_groups),
    ("/nodes/{node}/disks/lvmthin", NODE, _ROOT, _thin_pools),
    ("/nodes/{node}/disks/smart", {**NODE, "disk": text(pattern="/dev/[a-zA-Z0-9/]+").required(), "healthonly": boolean()}, _ROOT,
     {"health": "PASSED", "type": "text", "text": "SMART overall-health self-assessment test result: PASSED\n"}),
    ("/nodes/{node}/disks/zfs", NODE, _ROOT, []),
    ("/nodes/{node}/hardware", NODE, USER, [{"type": "pci"}, {"type": "usb"}]),
    ("/nodes/{node}/hardware/pci", _PCI, holder("/", "Sys.Audit", "Sys.Modify"), [
        {**_NETWORK, "vendor_name": "Intel Corporation", "device_name": "Ethernet Connection (7) I219-LM"},
    ]),
    ("/nodes/{node}/hardware/pci/{pci-id-or-mapping}", _DEVICE, USER, [{"method": "mdev"}]),
    ("/nodes/{node}/hardware/pci/{pci-id-or-mapping}/mdev", _DEVICE, holder("/", "Sys.Audit", "Sys.Modify"), []),
    ("/nodes/{node}/hardware/usb", NODE, holder("/", "Sys.Modify"), [
        {"busnum": 1, "devnum": 1, "class": 9, "level": 0, "port": 0, "prodid": "0002", "vendid": "1d6b", "speed": "480",
         "product": "xHCI Host Controller", "manufacturer": "Linux 6.17.2-1-pve xhci-hcd"},
    ]),
    ("/nodes/{node}/journal", {**NODE, "since": integer(0), "until": integer(0), "lastentries": integer(0), "startcursor": text(),
                               "endcursor": text()}, _SYSLOG, _journal),
    ("/nodes/{node}/syslog", {**LOG, "since": _STAMP, "until": _STAMP, "service": text(128)}, _SYSLOG, _syslog),
    ("/nodes/{node}/netstat", NODE, _ON_NODE, _netstat),
    ("/nodes/{node}/report", NODE, _ON_NODE, _report),
    ("/nodes/{node}/query-url-metadata", {**NODE, "url": text(pattern="https?://.*").required(), "verify-certificates": boolean()}, _REACHES,
     {"filename": "image.iso", "mimetype": "application/octet-stream", "size": 2**20}),
    ("/nodes/{node}/query-oci-repo-tags", {**NODE, "reference": text().required()}, holder("/nodes/{node}", "Sys.AccessNetwork"), ["latest"]),
    ("/nodes/{node}/rrd", {**NODE, "ds": listing(formats.config_id).required(), "cf": one_of("AVERAGE", "MAX"),
                           "timeframe": one_of("hour", "day", "week", "month", "year", "decade").required()}, _ON_NODE, {"filename": ""}),
    ("/nodes/{node}/scan", NODE, USER, [{"method": name} for name in ("cifs", "iscsi", "lvm", "lvmthin", "nfs", "pbs", "zfs")]),
    ("/nodes/{node}/scan/cifs", {**_SERVER, "username": text(), "password": text(), "domain": text()}, _STORAGE, []),
    ("/nodes/{node}/scan/iscsi", {**NODE, "portal": text().required()}, _STORAGE, []),
    ("/nodes/{node}/scan/lvm", NODE, _STORAGE, [{"vg": "pve"}]),
    ("/nodes/{node}/scan/lvmthin", {**NODE, "vg": text(100).required()}, _STORAGE, [{"lv": "data"}]),
    ("/nodes/{node}/scan/nfs", _SERVER, _STORAGE, [{"path": "/tank/proxmox", "options": "10.20.0.0/24"}]),
    ("/nodes/{node}/scan/pbs", {**_SERVER, "username": text().required(), "password": text().required(), "port": integer(1, 65535),
                                "fingerprint": text(pattern="([A-Fa-f0-9]{2}:){31}[A-Fa-f0-9]{2}")}, _STORAGE, []),
    ("/nodes/{node}/scan/zfs", NODE, _STORAGE, []),
)  # fmt: skip
for _path, _table, _access, _answer in _SHAPES:
    routes.shape(_path, _table, _access, _answer if callable(_answer) else partial(fixed, _answer))
