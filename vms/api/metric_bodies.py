"""Figures as `/v1/monitoring` writes them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

Period = Literal["1h", "24h", "7d", "30d"]


class ClusterCounts(BaseModel):
    """How many clusters there are, and how many could not be read."""

    total: int
    unreachable: int


class NodeFigures(BaseModel):
    """Load and memory of the nodes that are online."""

    total: int
    online: int
    cpu_cores: int
    cpu_usage_percent: float | None
    memory_total_bytes: int
    memory_used_bytes: int
    memory_usage_percent: float | None


class MachineCounts(BaseModel):
    """Machines by status; `other` are those of which it is not known, and those that are busy."""

    total: int
    running: int
    stopped: int
    paused: int
    other: int
    cpu_cores: int
    memory_bytes: int


class StorageFigures(BaseModel):
    """Storages and how full they are; a shared one counts once."""

    total: int
    total_bytes: int
    used_bytes: int
    usage_percent: float | None


class JobCounts(BaseModel):
    """What runs, what waits, and what ended within a day."""

    running: int
    queued: int
    completed_24h: int
    failed_24h: int


class SystemFigures(BaseModel):
    """Figures over all clusters at their last reading."""

    clusters: ClusterCounts
    nodes: NodeFigures
    vms: MachineCounts
    storage: StorageFigures
    jobs: JobCounts


class CpuPoint(BaseModel):
    """A moment; null where nothing was measured."""

    timestamp: datetime
    usage_percent: float | None


class MemoryPoint(CpuPoint):
    """A moment; null where nothing was measured."""

    used_bytes: int | None
    total_bytes: int | None


class DiskPoint(MemoryPoint):
    """A moment. How full a disk is only containers tell."""

    read_bytes_per_second: float | None
    write_bytes_per_second: float | None


class NetworkPoint(BaseModel):
    """A moment; null where nothing was measured."""

    timestamp: datetime
    rx_mbps: float | None
    tx_mbps: float | None


class MachinePoints(BaseModel):
    """The figures that were asked for, oldest first; a gap is a moment with nulls."""

    cpu: list[CpuPoint] | None = None
    memory: list[MemoryPoint] | None = None
    disk: list[DiskPoint] | None = None
    network: list[NetworkPoint] | None = None


class SystemPoints(BaseModel):
    """The figures that were asked for, oldest first, of all clusters that were read then; a gap is a moment with nulls. `disk` is
    how full storages are, `network` the traffic of those machines of which it is known."""

    cpu: list[CpuPoint] | None = None
    memory: list[MemoryPoint] | None = None
    disk: list[MemoryPoint] | None = None
    network: list[NetworkPoint] | None = None


class SystemMetricsBody(BaseModel):
    """Figures over everything: the last ones, and those of a period."""

    metrics: SystemFigures
    period: Period
    series: SystemPoints


class VmMetricsBody(BaseModel):
    """Figures of one machine over a period."""

    vm_id: str
    period: Period
    metrics: MachinePoints
