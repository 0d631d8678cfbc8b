"""Terraform for the provider bpg/proxmox: https://registry.terraform.io/providers/bpg/proxmox/latest/docs"""

import re
from typing import Any

import hcl2

from blueprints.code.hcl import Block, Reference, write
from blueprints.schema import BlueprintDocument, DataDisk, Machine, NetworkCard, expand_machines
from blueprints.schema.sizes import GIB, MIB

_PROVIDER = {"source": "bpg/proxmox", "version": "~> 0.70"}
VM, CONTAINER = "proxmox_virtual_environment_vm", "proxmox_virtual_environment_container"
DEFAULT_SYSTEM = "debian-12"
_CPU_TYPE = "x86-64-v2-AES"
"""What the provider recommends."""
_CONTAINER_TYPES = {
    **{name: name for name in ("alpine", "centos", "debian", "fedora", "gentoo", "nixos", "opensuse", "ubuntu")},
    **dict.fromkeys(("rocky", "alma", "rhel", "oracle"), "centos"), "arch": "archlinux", "suse": "opensuse", "kali": "debian",
}  # fmt: skip
"""What the provider takes as `type`, by the family of a system; it refuses all other words."""
Shape = tuple[int, int]


def render(document: BlueprintDocument) -> str:
    """One resource for each machine; what differs between installations is a variable."""
    machines = expand_machines(document)
    kinds = {machine.key: CONTAINER if machine.kind == "lxc" else VM for machine in machines}
    return write([*_head(machines), *(_resource(machine, kinds) for machine in machines)])


def shapes(code: str) -> dict[str, Shape]:
    """What a reader of the code finds: cores and MiB of memory by the name of each machine."""
    found = {}
    for row in hcl2.loads(code).get("resource", []):
        for kind, named in row.items():
            for body in named.values() if kind != "__is_block__" else ():
                found[_name(body)] = (body["cpu"][0]["cores"], body["memory"][0]["dedicated"])
    return found


def _name(body: dict[str, Any]) -> str:
    text: str = body.get("name") or body["initialization"][0]["hostname"]
    return text.strip('"')


def _head(machines: list[Machine]) -> list[Block]:
    provider = Block("required_providers", [("proxmox", _PROVIDER)])
    return [
        Block("terraform", [("required_version", ">= 1.5"), provider]),
        Block("provider", [("endpoint", Reference("var.endpoint")), ("api_token", Reference("var.api_token"))], ("proxmox",)),
        _variable("endpoint", "string", "URL of the cluster, such as https://pve.example.com:8006/"),
        _variable("api_token", "string", "API token, user@realm!name=secret", ("sensitive", True)),
        _variable("node", "string", "Node that machines are made on"),
        _variable("datastore", "string", "Storage of their disks", ("default", "local-lvm")),
        *_sources(machines),
    ]  # fmt: skip


def _sources(machines: list[Machine]) -> list[Block]:
    """What machines and containers are made from: a system may be wanted as both, and they are of different kinds."""
    systems = {kind: sorted({_system(one) for one in machines if one.kind == kind}) for kind in ("vm", "lxc")}
    templates = [
        _variable("templates", "map(number)", f"VMID of a template by system: {', '.join(systems['vm'])}"),
        _variable("template_node", "string", "Node of the templates, where it is another", ("default", Reference("null"))),
    ]  # fmt: skip
    archives = "such as local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst"
    archive = _variable("archives", "map(string)", f"Archive by system ({', '.join(systems['lxc'])}), {archives}")
    return [*(templates if systems["vm"] else []), *([archive] if systems["lxc"] else [])]


def _variable(name: str, kind: str, words: str, *more: tuple[str, Any]) -> Block:
    return Block("variable", [("type", Reference(kind)), ("description", words), *more], (name,))


def _resource(machine: Machine, kinds: dict[str, str]) -> Block:
    body = _container(machine) if machine.kind == "lxc" else _vm(machine)
    needs = [Reference(f"{kinds[key]}.{_label(key)}") for key in machine.depends_on if key in kinds]
    return Block("resource", [*body, ("depends_on", needs or None)], (kinds[machine.key], _label(machine.key)))


def _vm(machine: Machine) -> list[Any]:
    return [
        ("name", machine.key),
        *_common(machine),
        ("on_boot", machine.start),
        Block("agent", [("enabled", True)]),
        Block("clone", [("vm_id", _source(machine)), ("node_name", Reference("var.template_node")), ("full", True)]),
        Block("cpu", [("cores", machine.cores), ("sockets", machine.sockets), ("type", machine.cpu_type or _CPU_TYPE)]),
        Block("memory", [("dedicated", machine.memory_mib), ("floating", _mebibytes(machine.min_memory_bytes))]),
        _disk("scsi0", _store(machine), machine.disk_bytes),
        *(
            _disk(f"scsi{number}", disk.storage or _store(machine), disk.size_bytes)
            for number, disk in enumerate(machine.data_disks, 1)
        ),
        *(Block("network_device", _card(nic)) for nic in machine.nics),
        _initialization(machine),
    ]


def _container(machine: Machine) -> list[Any]:
    family = (machine.image.family if machine.image else None) or _system(machine).partition("-")[0]
    system = _CONTAINER_TYPES.get(family, "unmanaged")
    return [
        *_common(machine),
        ("start_on_boot", machine.start),
        ("unprivileged", machine.unprivileged),
        Block("features", [("nesting", True)]) if machine.nesting else None,
        Block("operating_system", [("template_file_id", _source(machine)), ("type", system)]),
        Block("cpu", [("cores", machine.cores)]),
        Block("memory", [("dedicated", machine.memory_mib), ("swap", _mebibytes(machine.swap_bytes))]),
        Block("disk", [("datastore_id", _store(machine)), ("size", _gigabytes(machine.disk_bytes))]),
        *(_mount(disk, machine, number) for number, disk in enumerate(machine.data_disks, 1)),
        *(
            Block("network_interface", [("name", f"eth{number}"), *_card(nic)])
            for number, nic in enumerate(machine.nics)
        ),
        _initialization(machine),
    ]


def _common(machine: Machine) -> list[Any]:
    return [
        ("description", machine.description or None),
        ("node_name", machine.node or Reference("var.node")),
        ("pool_id", machine.pool),
        ("tags", _tags(machine) or None),
        ("protection", machine.protected or None),
        ("started", machine.start),
    ]


def _tags(machine: Machine) -> list[str]:
    """Sorted and in small letters, as Proxmox keeps them: the provider would see a difference each time."""
    role = (machine.role or "").replace("_", "-")
    return sorted(
        {tag.lower() for tag in (*machine.tags, role) if tag and (tag == role or tag.replace("_", "-") != role)}
    )


def _disk(slot: str, store: Any, size: int) -> Block:
    return Block("disk", [("datastore_id", store), ("interface", slot), ("size", _gigabytes(size))])


def _mount(disk: DataDisk, machine: Machine, number: int) -> Block:
    store, size = disk.storage or _store(machine), f"{_gigabytes(disk.size_bytes)}G"
    return Block("mount_point", [("volume", store), ("size", size), ("path", disk.path(number))])


def _card(nic: NetworkCard) -> list[Any]:
    return [
        ("bridge", nic.bridge), ("vlan_id", nic.vlan), ("mac_address", nic.mac), ("mtu", nic.mtu), ("firewall", nic.firewall),
    ]  # fmt: skip


def _initialization(machine: Machine) -> Block:
    is_container = machine.kind == "lxc"
    names = [("domain", machine.search_domain), ("servers", list(machine.dns) or None)]
    dns = Block("dns", names) if machine.dns or machine.search_domain else None
    keys = Block(
        "user_account", [*([] if is_container else [("username", machine.user)]), ("keys", list(machine.ssh_keys))]
    )
    return Block(
        "initialization",
        [("hostname", machine.key) if is_container else ("datastore_id", _store(machine)), dns,
         *(_address(nic) for nic in machine.nics), keys if machine.ssh_keys or (machine.user and not is_container) else None],
    )  # fmt: skip


def _address(nic: NetworkCard) -> Block:
    family = "ipv6" if nic.is_ipv6 else "ipv4"
    return Block("ip_config", [Block(family, [("address", nic.ip or "dhcp"), ("gateway", nic.gateway)])])


def _store(machine: Machine) -> Any:
    return machine.storage_pool or Reference("var.datastore")


def _source(machine: Machine) -> Reference:
    return Reference(f'var.{"archives" if machine.kind == "lxc" else "templates"}["{_system(machine)}"]')


def _system(machine: Machine) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", str(machine.image or "")) or DEFAULT_SYSTEM


def _label(key: str) -> str:
    """The name of a resource in the code, which begins with no digit: `web-1` is `web_1`, and `3web` is `_3web`."""
    return re.sub(r"\W|^(?=[0-9])", "_", key, flags=re.ASCII)


def _gigabytes(size: int) -> int:
    return -(-size // GIB)


def _mebibytes(size: int | None) -> int | None:
    return None if size is None else -(-size // MIB)
