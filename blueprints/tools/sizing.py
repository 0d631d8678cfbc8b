"""From a load to tiers of machines: arrivals by the interactive response time law, cores by Erlang C, memory and disk by the table
of loads. Pure.

    arrivals a second = users / (think time + service time) × burst
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

from blueprints.tools.queueing import Goal, Station, needed

MIB_PER_GIB = 1024
AT_PEAK = 0.1
"""The share of all users that are there at the peak."""
HOT = 0.2
"""The share of the data that is read all the time, and belongs in memory."""
SPARE_DISK = 1.3
SIZES = ((16, 4), (64, 8), (256, 16), (10**9, 32))
"""Cores of one machine, by the cores that a tier needs at most."""


@cache
def table() -> dict[str, Any]:
    """What is taken for granted; see loads.toml."""
    return tomllib.loads(Path(__file__).with_name("loads.toml").read_text())


@dataclass(frozen=True)
class Load:
    """What is asked of the whole: arrivals a second at the peak, and people who are there then."""

    workload: str
    arrivals: float
    users: int
    goal: Goal
    is_redundant: bool
    app_service_ms: float | None = None

    def tiers(self) -> list[dict[str, Any]]:
        """The tiers of the table, with the service time that was given for the one that does the work."""
        rows: list[dict[str, Any]] = table()["workloads"][self.workload]["tiers"]
        if self.app_service_ms is None:
            return rows
        main = max(rows, key=lambda row: row["service_ms"])
        return [{**row, "service_ms": self.app_service_ms} if row is main else row for row in rows]

    @property
    def data_gb(self) -> float:
        """What everybody who was ever there has left behind."""
        return self.users / AT_PEAK * table()["workloads"][self.workload]["data_mb_per_user"] / MIB_PER_GIB


@dataclass(frozen=True)
class Tier:
    """Machines that are alike; memory and disk in GB, of one machine."""

    name: str
    type: str
    station: Station
    machines: int
    spare: int
    cores: int
    memory_gb: int
    disk_gb: int


def arrivals(users: int, think: float, service: float, burst: float) -> float:
    """Requests a second at the peak."""
    return users / (think + service) * burst


def size(load: Load) -> list[Tier]:
    """The machines of each tier. Raises OverflowError for loads beyond reason."""
    return [_tier(row, load) for row in load.tiers()]


def _tier(row: dict[str, Any], load: Load) -> Tier:
    station = needed(load.arrivals, row["service_ms"] / 1000, load.goal)
    whole = next(size for most, size in SIZES if station.servers <= most)
    cores = min(whole, max(2, 2 * ceil(station.servers / 2)))
    carrying = ceil(station.servers / cores)
    spare = 1 if load.is_redundant else 0
    sessions = load.users * row["session_mb"] / MIB_PER_GIB / carrying
    data = load.data_gb if row.get("holds_data") else 0.0
    memory = row["memory_gb_per_machine"] + cores * row["memory_gb_per_core"] + sessions + HOT * data / carrying
    return Tier(
        row["name"],
        row["type"],
        station,
        carrying + spare,
        spare,
        cores,
        ceil(memory),
        ceil(row["disk_gb"] + SPARE_DISK * data),
    )
