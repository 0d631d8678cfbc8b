"""Figures of living machines: functions of the guest and the moment, so they need no storage and never jump back."""

import hashlib
import math
from functools import lru_cache
from typing import NamedTuple

from vms.sandbox.core import drives
from vms.sandbox.core.model import Guest, Json, Node, Value
from vms.sandbox.core.sizes import MIB
from vms.sandbox.core.world import World

BOOT_SECONDS = 6.0
COUNTERS = ("netin", "netout", "diskread", "diskwrite")
_DAY = 86_400.0
_PER_DAY, _PER_HOUR = math.tau / _DAY, math.tau / 3571
_WORD = 2**32 - 1


@lru_cache(maxsize=65_536)
def _trait(key: str) -> float:
    """A number between 0 and 1 that belongs to a name for ever."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest()) / 2**32


class Swing(NamedTuple):
    """A day's swell, an hour's ripple and a minute's jitter, as angles and a seed."""

    day: float
    hour: float
    seed: int

    def at(self, moment: float) -> float:
        """Between 0 and 1."""
        bits = (self.seed + int(moment // 10) * 2_654_435_761) & _WORD
        bits = ((bits ^ bits >> 15) * 739_982_445) & _WORD
        jitter = (bits ^ bits >> 13) / 2**31 - 1
        return (2.5 + math.sin(moment * _PER_DAY + self.day) + 0.8 * math.sin(moment * _PER_HOUR + self.hour)
                + 0.7 * jitter) / 5  # fmt: skip

    def swept(self, begin: float, end: float) -> float:
        """The integral of its smooth part: what a counter has counted between two moments."""
        swell = math.cos(begin * _PER_DAY + self.day) - math.cos(end * _PER_DAY + self.day)
        return (2.5 * (end - begin) + swell / _PER_DAY) / 5


@lru_cache(maxsize=65_536)
def swing(key: str) -> Swing:
    """The swing that belongs to a name for ever."""
    return Swing(
        _trait(f"{key} day") * math.tau, _trait(f"{key} hour") * math.tau, int(_trait(f"{key} jitter") * _WORD)
    )


class Character(NamedTuple):
    """How one guest is: how busy, how greedy, how talkative."""

    ceiling: float
    load: Swing
    share: float
    appetite: Swing
    fullness: float
    traffic: Swing
    rates: tuple[float, ...]


@lru_cache(maxsize=65_536)
def _character(vmid: int) -> Character:
    return Character(
        0.03 + 0.45 * _trait(f"{vmid} cpu") ** 2, swing(f"{vmid} cpu"), 0.15 + 0.6 * _trait(f"{vmid} mem"),
        swing(f"{vmid} mem"), 0.12 + 0.5 * _trait(f"{vmid} disk"), swing(f"{vmid} traffic"),
        tuple(200 + 60_000 * _trait(f"{vmid} {name}") ** 3 for name in COUNTERS),
    )  # fmt: skip


def cpus(world: World, guest: Guest) -> int:
    config, node = guest.config, world.state.nodes.get(guest.node)
    there = node.cpus if node is not None else 1
    if guest.kind == "lxc":
        return int(config.get("cores", there))
    whole = int(config.get("sockets", 1)) * int(config.get("cores", 1))
    return min(int(config.get("vcpus", whole)), there)


@lru_cache(maxsize=4096)
def _bytes_of(mebibytes: Value) -> int:
    return int(str(mebibytes).partition(",")[0].removeprefix("current=")) * MIB


def memory(guest: Guest) -> int:
    """Bytes of memory that the guest may use."""
    return _bytes_of(guest.config.get("memory", 512))


def uptime(guest: Guest, moment: float) -> int:
    return max(0, int(moment - guest.started_at)) if guest.is_running else 0


def _fading(age: float, seconds: float) -> float:
    """1 at the start of a guest, next to nothing some minutes later."""
    return math.exp(-max(0.0, age) / seconds) if age < 40 * seconds else 0.0


@lru_cache(maxsize=32_768)
def _load(vmid: int, started_at: float, tens: int) -> float:
    one, moment = _character(vmid), tens * 10
    return round(min(1.0, one.ceiling * one.load.at(moment) + 0.6 * _fading(moment - started_at, 20)), 15)


@lru_cache(maxsize=32_768)
def _share(vmid: int, started_at: float, tens: int) -> float:
    one, moment = _character(vmid), tens * 10
    return one.share * (1 - 0.5 * _fading(moment - started_at, 120)) * (0.9 + 0.1 * one.appetite.at(moment))


def cpu(guest: Guest, moment: float) -> float:
    """How busy its processors are, from 0 to 1; a new value every ten seconds, as pvestatd collects them."""
    if not guest.is_running or guest.is_paused:
        return 0
    return _load(guest.vmid, guest.started_at, int(moment // 10))


def mem(guest: Guest, moment: float) -> int:
    """Bytes in use; a new value every ten seconds."""
    if not guest.is_running:
        return 0
    return int(memory(guest) * _share(guest.vmid, guest.started_at, int(moment // 10)))


def counters(guest: Guest, moment: float) -> dict[str, int]:
    """Bytes since the start: they grow all the time that the guest runs."""
    if not guest.is_running:
        return dict.fromkeys(COUNTERS, 0)
    one = _character(guest.vmid)
    swept = one.traffic.swept(guest.started_at, max(moment, guest.started_at))
    received, sent, read, written = one.rates
    return {
        "netin": int(received * swept), "netout": int(sent * swept), "diskread": int(read * swept),
        "diskwrite": int(written * swept),
    }  # fmt: skip


def counter(guest: Guest, name: str, moment: float) -> int:
    return counters(guest, moment)[name]


def rates(guest: Guest, moment: float) -> dict[str, float]:
    """Bytes a second."""
    one = _character(guest.vmid)
    level = one.traffic.at(moment)
    return {name: rate * level for name, rate in zip(COUNTERS, one.rates, strict=True)}


def disk_used(world: World, guest: Guest) -> int:
    """Only containers know how full their file system is."""
    if guest.kind != "lxc" or not guest.is_running:
        return 0
    return int(drives.boot_size(guest) * _character(guest.vmid).fullness)


def has_agent_answer(world: World, guest: Guest) -> bool:
    """Whether the guest agent speaks: a system is installed, it is on, and it has booted."""
    is_up = guest.is_running and world.now() - guest.started_at >= world.scaled(BOOT_SECONDS)
    return is_up and bool(drives.system(world, guest))


def figures(world: World, guest: Guest) -> dict[str, Json]:
    """The figures that lists, status and cluster/resources share."""
    now = world.now()
    used = mem(guest, now)
    shown: dict[str, Json] = {
        "cpu": cpu(guest, now), "mem": used, "maxmem": memory(guest), "maxdisk": drives.boot_size(guest),
        "disk": disk_used(world, guest), "uptime": uptime(guest, now),
    }  # fmt: skip
    if guest.kind == "qemu":
        shown["memhost"] = int(used * 1.05)
    shown.update(counters(guest, now))
    return shown


def demand(world: World, guests: list[Guest]) -> tuple[float, int]:
    """Processors and bytes of memory that guests take from their node now."""
    tens, load, used = int(world.now() // 10), 0.0, 0
    for guest in guests:
        if guest.is_running:
            used += int(memory(guest) * _share(guest.vmid, guest.started_at, tens))
            if not guest.is_paused:
                load += _load(guest.vmid, guest.started_at, tens) * cpus(world, guest)
    return load, used


def node_figures(world: World, node: Node, guests: list[Guest]) -> tuple[float, int]:
    """How busy a node's processors are, from 0 to 1, and the bytes of its memory in use."""
    now = world.now()
    load, used = demand(world, guests)
    own = int(node.memory * (0.03 + 0.01 * swing(f"{node.name} mem").at(now)))
    busy = 0.01 + 0.02 * swing(node.name).at(now) + load / node.cpus
    return min(1.0, busy), min(node.memory, own + used)
