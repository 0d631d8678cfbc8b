"""What the guest agent and a container's network tell."""

import ipaddress

from vms.sandbox.core import cloudinit, drives, metrics, validation
from vms.sandbox.core.errors import die
from vms.sandbox.core.kinds import QEMU, kind_of
from vms.sandbox.core.model import Guest, Json
from vms.sandbox.core.shapes_qemu import AGENT, IPCONFIG
from vms.sandbox.core.sizes import MIB
from vms.sandbox.core.world import World

_PRETTY = {
    "debian": "Debian GNU/Linux",
    "ubuntu": "Ubuntu",
    "rocky": "Rocky Linux",
    "alpine": "Alpine Linux",
}
_WINDOWS = {"win2019": ("2019", "17763", "Windows Server 2019 Standard", "server")}
"""Version, build, name and kind of a Windows; its agent calls all of them `mswindows`."""
MEMORY_BLOCK = 128 * MIB
_DHCP_NETWORK = ipaddress.ip_network("10.20.0.0/16")


def require(world: World, guest: Guest) -> None:
    """Refuse as the API does when nobody in the guest would answer."""
    if not is_enabled(guest):
        raise die("No QEMU guest agent configured")
    if not guest.is_running:
        raise die(f"VM {guest.vmid} is not running")
    if not metrics.has_agent_answer(world, guest):
        raise die("QEMU guest agent is not running")


def is_enabled(guest: Guest) -> bool:
    return validation.parse(str(guest.config.get("agent", "0")), AGENT).get("enabled") == "1"


def _leased(guest: Guest, index: int) -> str:
    """The address that the network's DHCP server gives this guest, always the same."""
    return f"{_DHCP_NETWORK[0x2000 + guest.vmid % 0x3000 * 4 + index]}/{_DHCP_NETWORK.prefixlen}"


def addresses(guest: Guest, index: int, ip: str, ip6: str) -> list[ipaddress.IPv4Interface | ipaddress.IPv6Interface]:
    """The addresses of one card as its configuration asks for them."""
    found: list[ipaddress.IPv4Interface | ipaddress.IPv6Interface] = []
    if ip and ip != "manual":
        found.append(ipaddress.IPv4Interface(_leased(guest, index) if ip == "dhcp" else ip))
    if ip6 and ip6 not in {"manual", "auto", "dhcp"}:
        found.append(ipaddress.IPv6Interface(ip6))
    return found


def _cards(guest: Guest) -> list[tuple[int, str, dict[str, str]]]:
    """Index, MAC and address settings of each network card."""
    kind, cards = kind_of(guest), []
    for index in range(32):
        key = f"net{index}"
        if key in guest.config:
            parts = validation.parse(str(guest.config[key]), kind.net_shape)
            cards.append((index, parts[kind.mac_key].lower(), _settings(guest, index, parts)))
    return cards


def _settings(guest: Guest, index: int, parts: dict[str, str]) -> dict[str, str]:
    """Cloud-init sets a machine's addresses; an image without it asks DHCP."""
    if guest.kind != QEMU.name:
        return parts
    value = str(cloudinit.told(guest).get(f"ipconfig{index}", ""))
    has_seed = bool(cloudinit.seed_key(guest.config))
    return validation.parse(value, IPCONFIG) if value and has_seed else {"ip": "dhcp"}


def interfaces(world: World, guest: Guest) -> list[dict[str, Json]]:
    """The answer of network-get-interfaces."""
    rows = [
        _interface(
            "lo", "00:00:00:00:00:00", [ipaddress.ip_interface("127.0.0.1/8"), ipaddress.ip_interface("::1/128")], 0, 0
        )
    ]
    received, sent = (metrics.counter(guest, name, world.now()) for name in ("netin", "netout"))
    for index, mac, settings in _cards(guest):
        found = addresses(guest, index, settings.get("ip", ""), settings.get("ip6", ""))
        rows.append(_interface(f"eth{index}", mac, [*found, _link_local(mac)], received, sent))
    return rows


def _link_local(mac: str) -> ipaddress.IPv6Interface:
    octets = bytes.fromhex(mac.replace(":", ""))
    tail = bytes([octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]])
    return ipaddress.IPv6Interface((b"\xfe\x80" + bytes(6) + tail, 64))


def _interface(name: str, mac: str, found: list[Json], received: int, sent: int) -> dict[str, Json]:
    return {
        "name": name,
        "hardware-address": mac,
        "ip-addresses": [
            {"ip-address": str(one.ip), "ip-address-type": f"ipv{one.version}", "prefix": one.network.prefixlen}
            for one in found
        ],
        "statistics": {
            "rx-bytes": received,
            "rx-packets": received // 600,
            "rx-errs": 0,
            "rx-dropped": 0,
            "tx-bytes": sent,
            "tx-packets": sent // 600,
            "tx-errs": 0,
            "tx-dropped": 0,
        },
    }


def container_interfaces(guest: Guest) -> list[dict[str, Json]]:
    rows: list[dict[str, Json]] = [
        {
            "name": "lo",
            "hwaddr": "00:00:00:00:00:00",
            "hardware-address": "00:00:00:00:00:00",
            "inet": "127.0.0.1/8",
            "inet6": "::1/128",
        }
    ]
    for index, mac, settings in _cards(guest):
        row: dict[str, Json] = {
            "name": settings["name"],
            "hwaddr": mac,
            "hardware-address": mac,
            "inet6": str(_link_local(mac)),
        }
        for one in addresses(guest, index, settings.get("ip", ""), settings.get("ip6", "")):
            row["inet" if one.version == 4 else "inet6"] = str(one)
        rows.append(row)
    return rows


def os_info(world: World, guest: Guest) -> dict[str, Json]:
    family, _, version = drives.system(world, guest).partition("-")
    if family in _WINDOWS:
        return _windows(*_WINDOWS[family])
    name = _PRETTY.get(family, family.capitalize())
    return {
        "id": family,
        "name": name,
        "pretty-name": f"{name} {version}".strip(),
        "version": version,
        "version-id": version,
        "kernel-release": "6.1.0-41-amd64",
        "kernel-version": "#1 SMP PREEMPT_DYNAMIC",
        "machine": "x86_64",
    }


def _windows(version: str, build: str, name: str, variant: str) -> dict[str, Json]:
    return {
        "id": "mswindows", "name": "Microsoft Windows", "pretty-name": name, "version": f"Microsoft Windows Server {version}",
        "version-id": version, "kernel-release": build, "kernel-version": "10.0", "machine": "x86_64", "variant": variant,
        "variant-id": variant,
    }  # fmt: skip


def file_systems(world: World, guest: Guest) -> list[dict[str, Json]]:
    """One that spans the first disk, a quarter full."""
    total = drives.boot_size(guest)
    key = next(iter(drives.attached(world, guest)), "scsi0")
    is_windows = drives.system(world, guest).partition("-")[0] in _WINDOWS
    name, point, kind, device = ("C:", "C:\\", "NTFS", "\\\\.\\PhysicalDrive0") if is_windows else (
        "sda1", "/", "ext4", "/dev/sda1",
    )  # fmt: skip
    return [
        {
            "name": name, "mountpoint": point, "type": kind, "total-bytes": total, "used-bytes": total // 4,
            "total-bytes-privileged": total, "disk": [_address(key) | {"dev": device}],
        }
    ]  # fmt: skip


def _address(key: str) -> dict[str, Json]:
    """Where a disk is on its bus; QEMU gives those on a SCSI bus a serial number besides."""
    bus, number = key.rstrip("0123456789"), int(key.lstrip("abcdefghijklmnopqrstuvwxyz"))
    place = {"bus-type": bus, "bus": 0, "target": 0, "unit": number if bus == "scsi" else 0}
    return place | ({"serial": f"0QEMU_QEMU_HARDDISK_drive-{key}"} if bus == "scsi" else {})


def trimmed(world: World, guest: Guest) -> dict[str, Json]:
    return {"paths": [{"path": "/", "trimmed": drives.boot_size(guest) // 2, "minimum": 0}]}


def processors(world: World, guest: Guest) -> list[dict[str, Json]]:
    count = metrics.cpus(world, guest)
    return [{"logical-id": number, "online": True, "can-offline": number > 0} for number in range(count)]


def memory_blocks(world: World, guest: Guest) -> list[dict[str, Json]]:
    count = max(1, metrics.memory(guest) // MEMORY_BLOCK)
    return [{"phys-index": number, "online": True, "can-offline": number > 0} for number in range(count)]


def time_of(world: World, guest: Guest) -> int:
    """Nanoseconds since the epoch."""
    return int(world.now() * 1e9)


def about(commands: list[str]) -> dict[str, Json]:
    """What `guest-info` tells."""
    names = [f"guest-{name}" for name in commands]
    return {
        "version": "9.2.4",
        "supported_commands": [{"name": name, "enabled": True, "success-response": True} for name in names],
    }
