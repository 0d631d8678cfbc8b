"""`/v1/monitoring` of the Proxmox AI document: figures of the last reading, and of one machine over time."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, get_args

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import AfterValidator, BaseModel, StringConstraints
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.answers import Answer
from alma.api.authentication import actor_of
from alma.api.bodies import read
from alma.api.dialects import PROXMOX
from alma.api.endpoints import Endpoint
from alma.api.schema import refusals
from vms import machines, metrics
from vms.api.finding import VM_ID, machine_of
from vms.api.machines import READ, age_of
from vms.api.units import megabits
from vms.proxmox.history import Moment

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


class SystemMetricsBody(BaseModel):
    """Figures over everything."""

    metrics: SystemFigures


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


class VmMetricsBody(BaseModel):
    """Figures of one machine over a period."""

    vm_id: str
    period: Period
    metrics: MachinePoints


def _point(moment: Moment) -> dict[str, dict[str, Any]]:
    seconds, told = moment
    at = {"timestamp": datetime.fromtimestamp(seconds, UTC)}
    return {
        "cpu": {**at, "usage_percent": metrics.percent(told["cpu"], 1)},
        "memory": {**at, **_share(told["mem"], told["maxmem"])},
        "disk": {
            **at, **_share(told["disk"] or None, told["maxdisk"]), "read_bytes_per_second": _rounded(told["diskread"]),
            "write_bytes_per_second": _rounded(told["diskwrite"]),
        },
        "network": {**at, "rx_mbps": megabits(told["netin"]), "tx_mbps": megabits(told["netout"])},
    }  # fmt: skip


def _share(used: float | None, total: float | None) -> dict[str, Any]:
    return {
        "usage_percent": metrics.percent(used, total), "used_bytes": None if used is None else int(used),
        "total_bytes": None if total is None else int(total),
    }  # fmt: skip


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


NAMES = tuple(MachinePoints.model_fields)


def _known(text: str) -> str:
    unknown = sorted(set(text.split(",")) - set(NAMES))
    if unknown:
        raise ValueError(f"{unknown[0][:20]!r} is none of {', '.join(NAMES)}")
    return text


class MetricsQuery(BaseModel):
    """What may be asked of a machine's figures."""

    period: Period = "24h"
    metrics: Annotated[str, StringConstraints(max_length=60), AfterValidator(_known)] = ",".join(NAMES)


_PARAMETERS = [
    VM_ID,
    OpenApiParameter("period", str, description="Until now", enum=get_args(Period), default="24h"),
    OpenApiParameter(
        "metrics", {"type": "string", "pattern": f"^({'|'.join(NAMES)})(,({'|'.join(NAMES)}))*$", "maxLength": 60},
        description="With commas between them; all of them unless told", default=",".join(NAMES),
    ),
]  # fmt: skip


class SystemMetrics(Endpoint):
    """Everything at once."""

    dialect = PROXMOX
    scopes = {"GET": READ}

    @extend_schema(operation_id="monitoring_system", responses={200: SystemMetricsBody}, tags=["monitoring"])
    def get(self, request: Request) -> Response:
        """Figures of nodes, machines, storages and jobs as they were last read."""
        actor = actor_of(request)
        return Answer({"metrics": metrics.whole_system(actor)}, meta=age_of(machines.clusters_of(actor).values()))


class VmMetrics(Endpoint):
    """One machine over time."""

    dialect = PROXMOX
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="monitoring_vm", parameters=_PARAMETERS, tags=["monitoring"],
        responses={200: VmMetricsBody, **refusals(503, dialect=PROXMOX)},
    )  # fmt: skip
    def get(self, request: Request, vm_id: str) -> Response:
        """Figures of a period. A cluster has two seconds to tell them; after that they are the last known, with their age."""
        guest, query = machine_of(request, vm_id), read(MetricsQuery, request.query_params.dict())
        series = metrics.series_of(guest, query.period)
        names = [name for name in NAMES if name in query.metrics.split(",")]
        points = [_point(moment) for moment in series.moments]
        told = {name: [point[name] for point in points] for name in names}
        age = int((timezone.now() - series.read_at).total_seconds())
        return Answer(
            {"vm_id": machines.public_id(guest), "period": query.period, "metrics": told},
            meta={"read_at": series.read_at, "age_seconds": age, "is_stale": series.is_stale},
        )
