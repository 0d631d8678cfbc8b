"""An Ansible playbook: machines through community.proxmox, then what runs on them."""

from collections.abc import Iterable
from typing import Any

import yaml

from blueprints.code.packaging import by_hand, family, packages
from blueprints.schema import BlueprintDocument, DataDisk, Machine, NetworkCard, expand_machines
from blueprints.schema.sizes import GIB

Shape = tuple[int, int]
_KVM, _LXC = "community.proxmox.proxmox_kvm", "community.proxmox.proxmox"
_DISK = "community.proxmox.proxmox_disk"
_HEAD = """\
# Needs the collection community.proxmox with the Python packages proxmoxer and requests, an inventory that names the machines
# as they are called here, and the variables proxmox_host, proxmox_user, proxmox_token_id, proxmox_token_secret, proxmox_node;
# with containers, container_archive; and storage, unless it is local-lvm.
"""
_STORAGE = "{{ storage | default('local-lvm') }}"
_INSTALL = {"debian": "ansible.builtin.apt", "redhat": "ansible.builtin.dnf"}
_ACCESS = {
    "api_host": "{{ proxmox_host }}", "api_user": "{{ proxmox_user }}", "api_token_id": "{{ proxmox_token_id }}",
    "api_token_secret": "{{ proxmox_token_secret }}", "node": "{{ proxmox_node }}",
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
    plays = [making, *(_setting_up(machine) for machine in machines if packages(machine) or by_hand(machine))]
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
    system = _plain(str(machine.image or "debian-12"))
    return {**_access(machine), "name": machine.key, "clone": system, "full": True, "timeout": 600}


def _sized(machine: Machine) -> dict[str, Any]:
    # net is only written with update_unsafe: the module keeps back what could take something from a machine that runs
    cards = {f"net{number}": _card(nic) for number, nic in enumerate(machine.nics)}
    addresses = {f"ipconfig{number}": _address(nic) for number, nic in enumerate(machine.nics)}
    return {
        **_access(machine), "name": machine.key, "update": True, "update_unsafe": True, "cores": machine.cores,
        "sockets": machine.sockets, "memory": machine.memory_mib, "net": cards, "ipconfig": addresses, "agent": "1",
        "onboot": machine.start,
        **({"sshkeys": _keys(machine)} if machine.ssh_keys else {}),
        **({"ciuser": machine.user} if machine.user else {}),
        **({"nameservers": list(machine.network.dns)} if machine.network.dns else {}),
        **({"searchdomains": [_plain(machine.search_domain)]} if machine.search_domain else {}),
        **({"tags": [_plain(tag) for tag in machine.tags]} if machine.tags else {}),
    }  # fmt: skip


def _grown(machine: Machine) -> dict[str, Any]:
    size = f"{_gigabytes(machine.disk_bytes)}G"
    return {**_access(machine), "name": machine.key, "disk": "scsi0", "size": size, "state": "resized"}


def _added(machine: Machine, disk: DataDisk, number: int) -> dict[str, Any]:
    return {
        **_access(machine), "name": machine.key, "disk": f"scsi{number}", "storage": _storage(machine, disk),
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


def _gigabytes(size: int) -> int:
    return -(-size // GIB)


def _access(machine: Machine) -> dict[str, str]:
    return {**_ACCESS, "node": machine.node} if machine.node else _ACCESS


def _container(machine: Machine) -> dict[str, Any]:
    nics = {
        f"net{n}": ",".join(
            filter(None, [f"name=eth{n}", f"hwaddr={nic.mac}" if nic.mac else "", _bridge(nic), _address(nic)])
        )
        for n, nic in enumerate(machine.nics)
    }
    return {
        **_access(machine), "hostname": machine.key, "ostemplate": "{{ container_archive }}", "cores": machine.cores,
        "memory": machine.memory_mib, "disk": f"{_storage(machine)}:{_gigabytes(machine.disk_bytes)}",
        "netif": nics, "unprivileged": True, "onboot": machine.start,
        **({"mounts": _mounts(machine)} if machine.data_disks else {}),
        **({"pubkey": _keys(machine)} if machine.ssh_keys else {}),
        **({"nameserver": " ".join(machine.network.dns)} if machine.network.dns else {}),
        **({"searchdomain": _plain(machine.search_domain)} if machine.search_domain else {}),
        **({"tags": [_plain(tag) for tag in machine.tags]} if machine.tags else {}),
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
    return ",".join(filter(None, [f"ip={nic.ip or 'dhcp'}", f"gw={nic.gateway}" if nic.gateway else ""]))


def _setting_up(machine: Machine) -> dict[str, Any]:
    wanted, left = packages(machine), by_hand(machine)
    tasks: list[dict[str, Any]] = []
    if wanted:
        tasks.append({
            "name": f"Install {', '.join(wanted)}",
            _INSTALL[family(machine)]: {"name": wanted, "state": "present"},
        })  # fmt: skip
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
