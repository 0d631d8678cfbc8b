"""An Ansible playbook: machines through community.proxmox, then what runs on them."""

import re
from collections.abc import Iterable
from typing import Any

import yaml

from blueprints.code.packaging import by_hand, family, packages
from blueprints.schema import BlueprintDocument, DataDisk, Machine, NetworkCard, expand_machines
from blueprints.schema.sizes import GIB, MIB

Shape = tuple[int, int]
_KVM, _LXC = "community.proxmox.proxmox_kvm", "community.proxmox.proxmox"
_DISK = "community.proxmox.proxmox_disk"
_HEAD = """\
# Needs the collection community.proxmox with the Python packages proxmoxer and requests, an inventory that names the machines
# as they are called here, and the variables proxmox_host, proxmox_user, proxmox_token_id, proxmox_token_secret, proxmox_node;
# with containers, container_archives (by system); storage, unless it is local-lvm; template_node, if templates lie on another.
"""
_STORAGE = "{{ storage | default('local-lvm') }}"
_TIMEZONE = "community.general.timezone"
_INSTALL = {"debian": "ansible.builtin.apt", "redhat": "ansible.builtin.dnf"}
_ACCESS = {
    "api_host": "{{ proxmox_host }}", "api_user": "{{ proxmox_user }}", "api_token_id": "{{ proxmox_token_id }}",
    "api_token_secret": "{{ proxmox_token_secret }}",
}  # fmt: skip


def render(document: BlueprintDocument) -> str:
    """A play that makes the machines, in the order in which they need each other, and one for the software of each kind."""
    machines = _in_order(expand_machines(document))
    making = {
        "name": f"Make the machines of {_plain(document.name)}",
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [task for machine in machines for task in _tasks(machine)],
    }
    plays = [making, *(play for play in map(_setting_up, machines) if play["tasks"])]
    return _HEAD + yaml.safe_dump(plays, sort_keys=False, allow_unicode=True, width=120, explicit_start=True)


def shapes(code: str) -> dict[str, Shape]:
    """What a reader of the playbook finds: cores and MiB of memory by the name of each machine."""
    found = {}
    for play in yaml.safe_load(code):
        for task in play["tasks"]:
            for module in (_KVM, _LXC):
                values = task.get(module, {})
                if "cores" in values:
                    found[values.get("name") or values["hostname"]] = (values["cores"], values["memory"])
    return found


def _in_order(machines: list[Machine]) -> list[Machine]:
    known = {machine.key: machine for machine in machines}
    done: dict[str, Machine] = {}

    def take(machine: Machine) -> None:
        for key in machine.depends_on:
            if key in known and key not in done:
                take(known[key])
        done[machine.key] = machine

    for machine in machines:
        if machine.key not in done:
            take(machine)
    return list(done.values())


def _tasks(machine: Machine) -> Iterable[dict[str, Any]]:
    if machine.kind == "lxc":
        yield {"name": f"Make container {machine.key}", _LXC: _container(machine)}
    else:
        yield {"name": f"Clone {machine.key}", _KVM: _clone(machine)}
        yield {"name": f"Size {machine.key}", _KVM: _sized(machine)}
        yield {"name": f"Grow the disk of {machine.key}", _DISK: _grown(machine)}
        for number, disk in enumerate(machine.data_disks, 1):
            yield {"name": f"Add disk {number} to {machine.key}", _DISK: _added(machine, disk, number)}
    if machine.start:
        start = {**_access(machine), ("hostname" if machine.kind == "lxc" else "name"): machine.key, "state": "started"}
        yield {"name": f"Start {machine.key}", (_LXC if machine.kind == "lxc" else _KVM): start}


def _clone(machine: Machine) -> dict[str, Any]:
    access, usual = _access(machine), f"'{machine.node}'" if machine.node else "proxmox_node"
    return {
        **access, "node": f"{{{{ template_node | default({usual}) }}}}", "target": access["node"],
        "name": machine.key, "clone": _system(machine), "full": True,
        "timeout": 600, **({"pool": machine.pool} if machine.pool else {}),
    }  # fmt: skip


def _sized(machine: Machine) -> dict[str, Any]:
    # net is only written with update_unsafe: the module keeps back what could take something from a machine that runs
    cards = {f"net{number}": _card(nic) for number, nic in enumerate(machine.nics)}
    addresses = {f"ipconfig{number}": _address(nic) for number, nic in enumerate(machine.nics)}
    return {
        **_access(machine), "name": machine.key, "update": True, "update_unsafe": True, "cores": machine.cores,
        "sockets": machine.sockets, "memory": machine.memory_mib, "net": cards, "ipconfig": addresses, "agent": "1",
        "onboot": machine.start,
        **_given(
            cpu=machine.cpu_type, balloon=_mebibytes(machine.min_memory_bytes), description=_plain(machine.description),
            protection=machine.protected, sshkeys=_keys(machine), ciuser=machine.user, nameservers=list(machine.dns),
            searchdomains=[_plain(machine.search_domain)] if machine.search_domain else [], tags=_tags(machine),
        ),
    }  # fmt: skip


def _grown(machine: Machine) -> dict[str, Any]:
    size = f"{_gigabytes(machine.disk_bytes)}G"
    return {
        **_ACCESS,
        "name": machine.key,
        "disk": "scsi0",
        "size": size,
        "state": "resized",
    }  # it finds the node itself


def _added(machine: Machine, disk: DataDisk, number: int) -> dict[str, Any]:
    return {
        **_ACCESS, "name": machine.key, "disk": f"scsi{number}", "storage": _storage(machine, disk),
        "size": str(_gigabytes(disk.size_bytes)), "state": "present",
    }  # fmt: skip


def _mounts(machine: Machine) -> dict[str, str]:
    return {
        f"mp{number - 1}": f"{_storage(machine, disk)}:{_gigabytes(disk.size_bytes)},mp={_plain(disk.path(number))}"
        for number, disk in enumerate(machine.data_disks, 1)
    }


def _storage(machine: Machine, disk: DataDisk | None = None) -> str:
    return (disk and disk.storage) or machine.storage_pool or _STORAGE


def _keys(machine: Machine) -> str:
    return _plain("\n".join(machine.ssh_keys))


def _tags(machine: Machine) -> list[str]:
    return [_plain(tag) for tag in machine.tags]


def _system(machine: Machine) -> str:
    return _plain(str(machine.image or "debian-12"))


def _archive(machine: Machine) -> str:
    """By the name of the system, in which no sign ends a text of Ansible."""
    return "{{ container_archives['" + re.sub(r"[^A-Za-z0-9._-]", "-", _system(machine)) + "'] }}"


def _given(**values: Any) -> dict[str, Any]:
    """Those that say something."""
    return {name: value for name, value in values.items() if value}


def _gigabytes(size: int) -> int:
    return -(-size // GIB)


def _mebibytes(size: int | None) -> int:
    return -(-(size or 0) // MIB)


def _access(machine: Machine) -> dict[str, str]:
    return {**_ACCESS, "node": machine.node or "{{ proxmox_node }}"}


def _container(machine: Machine) -> dict[str, Any]:
    nics = {
        f"net{n}": ",".join(
            filter(None, [f"name=eth{n}", f"hwaddr={nic.mac}" if nic.mac else "", _bridge(nic), _address(nic)])
        )
        for n, nic in enumerate(machine.nics)
    }
    return {
        **_access(machine), "hostname": machine.key, "ostemplate": _archive(machine),
        "cores": machine.cores, "memory": machine.memory_mib, "disk": f"{_storage(machine)}:{_gigabytes(machine.disk_bytes)}",
        "netif": nics, "unprivileged": machine.unprivileged, "onboot": machine.start,
        **_given(
            swap=_mebibytes(machine.swap_bytes), description=_plain(machine.description), pool=machine.pool,
            features=["nesting=1"] if machine.nesting else [], timezone=_plain(machine.timezone or ""), mounts=_mounts(machine),
            pubkey=_keys(machine), nameserver=" ".join(machine.dns), searchdomain=_plain(machine.search_domain or ""),
            tags=_tags(machine),
        ),
    }  # fmt: skip


def _card(nic: NetworkCard) -> str:
    return f"virtio{f'={nic.mac}' if nic.mac else ''},{_bridge(nic)}"


def _bridge(nic: NetworkCard) -> str:
    parts = (
        f"bridge={nic.bridge}",
        f"mtu={nic.mtu}" if nic.mtu else "",
        f"tag={nic.vlan}" if nic.vlan else "",
        "firewall=1" if nic.firewall else "",
    )
    return ",".join(filter(None, parts))


def _address(nic: NetworkCard) -> str:
    family = "6" if nic.is_ipv6 else ""
    return ",".join(
        filter(None, [f"ip{family}={nic.ip or 'dhcp'}", f"gw{family}={nic.gateway}" if nic.gateway else ""])
    )


def _setting_up(machine: Machine) -> dict[str, Any]:
    wanted, left = packages(machine), by_hand(machine)
    tasks: list[dict[str, Any]] = []
    if wanted:
        tasks.append({
            "name": f"Install {', '.join(wanted)}",
            _INSTALL[family(machine)]: {"name": wanted, "state": "present"},
        })  # fmt: skip
    if machine.timezone and machine.kind == "vm":
        tasks.append({"name": "Set the time zone", _TIMEZONE: {"name": _plain(machine.timezone)}})
    tasks += [
        {
            "name": f"Left to you: {_plain(name)}",
            "ansible.builtin.debug": {"msg": f"{_plain(name)} is not a package here."},
        }
        for name in left
    ]
    return {"name": f"Set up {machine.key}", "hosts": machine.key, "become": True, "tasks": tasks}


def _plain(text: str) -> str:
    """Text without the signs that begin an expression of Ansible."""
    return text.replace("{{", "{ {").replace("{%", "{ %")
