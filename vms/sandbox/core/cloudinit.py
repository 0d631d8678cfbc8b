"""Cloud-init: the seed disk, what it tells, and what has changed since it was written."""

import base64
import binascii
import hashlib
import ipaddress
import re
from urllib.parse import unquote

from vms.sandbox.core import drives, validation
from vms.sandbox.core.errors import die
from vms.sandbox.core.kinds import QEMU
from vms.sandbox.core.model import Config, Guest, Json
from vms.sandbox.core.options_qemu import CLOUD_INIT
from vms.sandbox.core.shapes_qemu import IPCONFIG
from vms.sandbox.core.world import World

_KEY_TYPES = (
    "ssh-ed25519", "ssh-rsa", "ssh-dss", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
)  # fmt: skip
_CRYPTED = re.compile(r"\$(?:[156]|2[ay])(?:\$.+){2}")
_TOLD = {*CLOUD_INIT, *QEMU.net_keys, "name"}
_HIDDEN = "**********"
_INDENT = "    "


def check_keys(encoded: str) -> None:
    """Refuse, as ssh-keygen would, what is no list of public keys."""
    lines = [line for line in unquote(encoded).splitlines() if line.strip()]
    if not all(_is_key(line) for line in lines):
        raise die("SSH public key validation error")


def _is_key(line: str) -> bool:
    words = line.split()
    place = next((index for index, word in enumerate(words) if word in _KEY_TYPES), None)
    if place is None or place + 1 >= len(words):
        return False
    try:
        text = words[place + 1].rstrip("=")
        blob = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    name = words[place].encode()
    return blob[: 4 + len(name)] == len(name).to_bytes(4) + name and len(blob) > 4 + len(name)


def crypted(world: World, password: str) -> str:
    """A password as the configuration keeps it; one that is hashed already stays."""
    if _CRYPTED.match(password):
        return password
    salt = base64.b64encode(world.random_bytes(6), altchars=b"./").decode()
    digest = hashlib.sha256(f"{salt}{password}".encode()).digest()
    return f"$5${salt}${base64.b64encode(digest, altchars=b'./').decode().rstrip('=')}"


def seed_key(config: Config) -> str:
    """The drive that holds the seed, empty when the machine has none."""
    for key in QEMU.drive_keys & config.keys():
        if "cloudinit" in str(config[key]) and drives.is_cloud_init(drives.parse(QEMU, key, str(config[key]))):
            return key
    return ""


def write_seed(world: World, guest: Guest) -> None:
    """Write the disk anew from the present configuration, as every start does."""
    if guest.kind == QEMU.name and seed_key(guest.config):
        world.state.guests.edit(guest).seeded = {key: guest.config[key] for key in _TOLD & guest.config.keys()}


def told(guest: Guest) -> Config:
    """What the machine was told at its last boot."""
    return guest.seeded or guest.config


def pending_rows(guest: Guest) -> list[dict[str, Json]]:
    """The rows of GET cloudinit: what the disk tells, and what it would tell if it were written now."""
    old = guest.seeded or {key: guest.config[key] for key in _TOLD & guest.config.keys()}
    new = {key: guest.config[key] for key in _TOLD & guest.config.keys()}
    rows: list[dict[str, Json]] = []
    for key in sorted(old.keys() | new.keys()):
        row: dict[str, Json] = {"key": key}
        if key not in new:
            row["delete"] = 1
        elif key not in old:
            row["pending"] = _shown(key, new)
        else:
            row["value"] = _shown(key, old)
            row |= {"pending": _shown(key, new)} if old[key] != new[key] else {}
        rows.append(row)
    return rows


def _shown(key: str, config: Config) -> Json:
    return _HIDDEN if key == "cipassword" else config[key]


def dump(world: World, guest: Guest, type: str) -> str:
    """The text of one file on the seed disk."""
    if type == "user":
        return _user(guest)
    network = _network(world, guest)
    if type == "network":
        return network
    return f"instance-id: {hashlib.sha1((_user(guest) + network).encode(), usedforsecurity=False).hexdigest()}\n"


def _user(guest: Guest) -> str:
    config = guest.config
    host, fqdn = _names(guest)
    lines = ["#cloud-config", f"hostname: {host}", "manage_etc_hosts: true", f"fqdn: {fqdn}"]
    user = str(config.get("ciuser", ""))
    lines += [f"user: {user}"] if user else []
    lines += ["disable_root: False"] if user == "root" else []
    lines += [f"password: {config['cipassword']}"] if "cipassword" in config else []
    keys = [line for line in unquote(str(config.get("sshkeys", ""))).splitlines() if line.strip()]
    lines += ["ssh_authorized_keys:", *(f"  - {key}" for key in keys)] if keys else []
    lines += ["chpasswd:", "  expire: False"]
    lines += [] if user == "root" else ["users:", "  - default"]
    lines += ["package_upgrade: true"] if config.get("ciupgrade", 1) else []
    return "\n".join(lines) + "\n"


def _names(guest: Guest) -> tuple[str, str]:
    """Host name and full name."""
    name = str(guest.config.get("name", f"VM{guest.vmid}"))
    domain = str(guest.config.get("searchdomain", "")).partition(" ")[0]
    if "." in name:
        return name.partition(".")[0], name
    return name, f"{name}.{domain}" if domain else name


def _network(world: World, guest: Guest) -> str:
    lines = ["version: 1", "config:"]
    for index in range(32):
        if f"net{index}" in guest.config and f"ipconfig{index}" in guest.config:
            lines += [_INDENT + line for line in _interface(guest, index)]
    config = guest.config
    servers = validation.split_list(str(config.get("nameserver", "")))
    domains = validation.split_list(str(config.get("searchdomain", "")))
    if not servers and not domains:
        servers = [f"{world.node(guest.node).ip.rpartition('.')[0]}.1"]
    lines.append(f"{_INDENT}- type: nameserver")
    for word, values in (("address", servers), ("search", domains)):
        lines += [f"{_INDENT}  {word}:", *(f"{_INDENT}  - '{value}'" for value in values)] if values else []
    return "\n".join(lines) + "\n"


def _interface(guest: Guest, index: int) -> list[str]:
    card = validation.parse(str(guest.config[f"net{index}"]), QEMU.net_shape)
    settings = validation.parse(str(guest.config[f"ipconfig{index}"]), IPCONFIG)
    lines = ["- type: physical", f"  name: eth{index}", f"  mac_address: '{card['macaddr'].lower()}'", "  subnets:"]
    if ip := settings.get("ip"):
        lines += _subnet4(ip, settings.get("gw", ""))
    if ip6 := settings.get("ip6"):
        lines += _subnet6(ip6, settings.get("gw6", ""))
    return lines


def _subnet4(ip: str, gateway: str) -> list[str]:
    if ip == "dhcp":
        return ["  - type: dhcp4"]
    one = ipaddress.IPv4Interface(ip)
    lines = ["  - type: static", f"    address: '{one.ip}'", f"    netmask: '{one.netmask}'"]
    return lines + ([f"    gateway: '{gateway}'"] if gateway else [])


def _subnet6(ip: str, gateway: str) -> list[str]:
    if ip in {"dhcp", "auto"}:
        return ["  - type: dhcp6" if ip == "dhcp" else "  - type: ipv6_slaac"]
    return ["  - type: static6", f"    address: '{ip}'"] + ([f"    gateway: '{gateway}'"] if gateway else [])
