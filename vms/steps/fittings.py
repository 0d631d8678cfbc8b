"""Disks and network cards of a guest: what the plan says, what differs from it, and how disks grow. Pure functions."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from alma.jobs.kinds import StepFailed
from vms.proxmox.paths import storage_id
from vms.proxmox.readings import CardReading, GuestReading
from vms.proxmox.values import EXTENT, address_properties, gib_text, join_properties, mib, parse_properties, properties

Params = Mapping[str, Any]
FIRST = "net0"


# -- network cards --------------------------------------------------------------------------------
def cards(reading: GuestReading, params: Params) -> dict[str, str]:
    """Cards that are not there or not as planned, with all that the plan does not say kept, and addresses of machines."""
    wanted: dict[str, str] = {}
    for card in _planned(params):
        if any(_card_differences(reading, card)):
            wanted[card["slot"]] = _card(reading, card)
        if reading.kind == "vm" and card["slot"] != FIRST and card.get("ip"):
            wanted |= _address(reading, card)
    return wanted


def _planned(params: Params) -> list[Params]:
    """The plan's cards; of a plan that names none, the first."""
    if params.get("cards"):
        return list(params["cards"])
    return [{"slot": FIRST, "bridge": params["bridge"], "vlan": params.get("vlan")}] if params.get("bridge") else []


def _card_differences(reading: GuestReading, card: Params) -> Iterator[str]:
    slot, now = card["slot"], reading.cards.get(card["slot"])
    if now is None:
        yield f"it has no card {slot}"
        return
    for words, found_in, wanted_by in _ASPECTS + (_OF_CONTAINERS if reading.kind == "lxc" else ()):
        found, wanted = found_in(now), wanted_by(card)
        if wanted and found != wanted:
            yield f"{slot} {words.format(found, wanted)}"


def _vlan(tag: int | None) -> str:
    return "no VLAN" if tag is None else f"VLAN {tag}"


def _firewall(is_on: bool) -> str:
    return "a firewall" if is_on else "no firewall"


def _route(ip: str, gateway: str | None) -> str:
    return f"{ip} through {gateway}" if gateway else ip or "no address"


Aspect = tuple[str, Callable[[CardReading], Any], Callable[[Params], Any]]
_ASPECTS: tuple[Aspect, ...] = (
    ("is plugged into {}, not {}", lambda now: now.bridge or "nothing", lambda card: card["bridge"]),
    ("has {}, not {}", lambda now: _vlan(now.vlan), lambda card: _vlan(card.get("vlan"))),
    ("has the address {}, not {}", lambda now: now.mac, lambda card: (card.get("mac") or "").upper()),
    ("has an MTU of {}, not {}", lambda now: now.mtu or "its bridge", lambda card: card.get("mtu")),
    ("has {}", lambda now: _firewall(now.has_firewall), lambda card: card.get("firewall") and _firewall(True)),
)
"""What of a card is compared, in words: what it has, and what the plan says, where it says anything."""
_OF_CONTAINERS: tuple[Aspect, ...] = (
    (
        "has {}, not {}",
        lambda now: _route(now.ip, now.gateway),
        lambda card: card.get("ip") and _route(card["ip"], card.get("gateway")),
    ),
)
"""A machine is told its address by cloud-init, a container has it on its card."""


def _card(reading: GuestReading, card: Params) -> str:
    slot, is_container = card["slot"], reading.kind == "lxc"
    fresh = f"name=eth{slot[3:]}" if is_container else "virtio"
    parts = parse_properties(str(reading.config.get(slot, fresh)))
    given = {"bridge": card["bridge"], "tag": card.get("vlan"), "mtu": card.get("mtu") or parts.get("mtu")}
    given["firewall"] = 1 if card.get("firewall") else parts.get("firewall")
    if is_container and card.get("ip"):
        given |= dict.fromkeys(("ip", "gw", "ip6", "gw6")) | address_properties(card["ip"], card.get("gateway"))
    kept = {name: value for name, value in parts.items() if name not in given}
    if card.get("mac"):
        kept = _with_mac(kept, card["mac"].upper(), "hwaddr" if is_container else "")
    return join_properties(kept | {name: str(value) for name, value in given.items() if value is not None})


def _with_mac(parts: dict[str, str], mac: str, name: str) -> dict[str, str]:
    """A container names its address, a machine writes it at the model: `virtio=BC:24:11:…`."""
    if name:
        return parts | {name: mac}
    (model, value), *others = parts.items()
    return {model or value: mac, **dict(others)}


def _address(reading: GuestReading, card: Params) -> dict[str, str]:
    name = f"ipconfig{card['slot'][3:]}"
    wanted = properties(**address_properties(card["ip"], card.get("gateway")))
    return {} if str(reading.config.get(name, "")) == wanted else {name: wanted}


# -- disks ----------------------------------------------------------------------------------------
def volumes(reading: GuestReading, params: Params) -> dict[str, str]:
    """Further disks that are not there yet. Raises StepFailed when something else is at their place."""
    wanted = {}
    for volume in params.get("volumes", ()):
        slot = volume["slot"]
        if slot == reading.disk or (slot in reading.config and slot not in reading.disks):
            raise StepFailed("SLOT_TAKEN", f"{slot} of VMID {reading.vmid} holds something else than a further disk.")
        if slot not in reading.disks:
            where = f"{storage_id(volume['storage'])}:{gib_text(volume['size_bytes'])}"
            wanted[slot] = properties(where, mp=volume.get("mount") or None)
    return wanted


def growth(reading: GuestReading, params: Params) -> dict[str, Any]:
    """The next disk that must grow, and to what size. Raises StepFailed when one would have to shrink."""
    found = (_growth(reading, disk, size) for disk, size in _sizes(reading, params))
    return next((grown for grown in found if grown), {})


def _sizes(reading: GuestReading, params: Params) -> Iterator[tuple[str, int]]:
    if params.get("disk_bytes"):
        yield reading.disk, params["disk_bytes"]
    for volume in params.get("volumes", ()):
        if volume["slot"] in reading.disks:
            yield volume["slot"], volume["size_bytes"]


def _growth(reading: GuestReading, disk: str, size: int) -> dict[str, Any]:
    wanted, now = mib(size), mib(reading.disks.get(disk, 0))
    if not disk:
        raise StepFailed("NO_DISK", f"VMID {reading.vmid} has no disk that could have the planned size.")
    if wanted + mib(EXTENT) < now:
        raise StepFailed(
            "DISK_CANNOT_SHRINK",
            f"{disk} of VMID {reading.vmid} has {now} MiB, the plan says {wanted} MiB; disks only grow.",
        )
    return {"disk": disk, "size": f"{wanted}M"} if wanted > now else {}


# -- reading back ---------------------------------------------------------------------------------
def differences(reading: GuestReading, params: Params) -> Iterator[str]:
    """What of disks and cards is not as the plan says, in words."""
    for disk, size in _sizes(reading, params):
        if not 0 <= mib(reading.disks.get(disk, 0)) - mib(size) <= mib(EXTENT):
            yield f"its disk {disk or '(none)'} has {mib(reading.disks.get(disk, 0))} MiB, not {mib(size)}"
    for volume in params.get("volumes", ()):
        if volume["slot"] not in reading.disks:
            yield f"it has no disk {volume['slot']}"
    for card in params.get("cards", ()):
        yield from _card_differences(reading, card)


def slots(params: Params) -> set[str]:
    """The places in the config that the plan speaks of."""
    return {row["slot"] for name in ("volumes", "cards") for row in params.get(name, ())}
