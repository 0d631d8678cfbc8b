"""`/v1/monitoring` of the Proxmox AI document: figures of the last reading, and of one machine over time."""

from datetime import UTC, datetime
from typing import Annotated, Any, get_args

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import AfterValidator, BaseModel, StringConstraints
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.answers import Answer
from alma.api.authentication import actor_of
from alma.api.bodies import read_query
from alma.api.dialects import PROXMOX
from alma.api.endpoints import Endpoint
from alma.api.schema import refusals
from vms import machines, metrics
from vms.api.finding import VM_ID, machine_of
from vms.api.machines import READ, age_of
from vms.api.metric_bodies import MachinePoints, Period, SystemMetricsBody, VmMetricsBody
from vms.api.units import megabits
from vms.past import SystemMoment, system_past
from vms.proxmox.history import Moment


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


def _system_point(moment: SystemMoment) -> dict[str, dict[str, Any]]:
    at, told = {"timestamp": moment.at}, moment.told
    return {
        "cpu": {**at, "usage_percent": metrics.percent(told["cpu_load"], told["cores"])},
        "memory": {**at, **_share(told["memory_used"], told["memory_bytes"])},
        "disk": {**at, **_share(told["storage_used"], told["storage_bytes"])},
        "network": {**at, "rx_mbps": megabits(told["rx_rate"]), "tx_mbps": megabits(told["tx_rate"])},
    }


def _asked(points: list[dict[str, dict[str, Any]]], names: str) -> dict[str, list[dict[str, Any]]]:
    """Only what was asked for, each figure with its moments."""
    wanted = names.split(",")
    return {name: [point[name] for point in points] for name in NAMES if name in wanted}


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
    """What may be asked of figures over time."""

    period: Period
    metrics: Annotated[str, StringConstraints(max_length=60), AfterValidator(_known)] = ",".join(NAMES)


class SystemQuery(MetricsQuery):
    """Of everything, an hour unless told."""

    period: Period = "1h"


class VmQuery(MetricsQuery):
    """Of a machine, a day unless told."""

    period: Period = "24h"


_METRICS = OpenApiParameter(
    "metrics", {"type": "string", "pattern": f"^({'|'.join(NAMES)})(,({'|'.join(NAMES)}))*$", "maxLength": 60},
    description="With commas between them; all of them unless told", default=",".join(NAMES),
)  # fmt: skip


def _period(usual: str) -> OpenApiParameter:
    return OpenApiParameter("period", str, description="Until now", enum=get_args(Period), default=usual)


class SystemMetrics(Endpoint):
    """Everything at once."""

    dialect = PROXMOX
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="monitoring_system", parameters=[_period("1h"), _METRICS], responses={200: SystemMetricsBody},
        tags=["monitoring"],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Figures of nodes, machines, storages and jobs as they were last read, and of a period: each minute of an hour, each quarter
        of an hour of a day, each hour of a week or a month."""
        actor, query = actor_of(request), read_query(SystemQuery, request)
        points = [_system_point(moment) for moment in system_past(actor, query.period)]
        told = {"metrics": metrics.whole_system(actor), "period": query.period, "series": _asked(points, query.metrics)}
        return Answer(told, meta=age_of(machines.clusters_of(actor).values()))


class VmMetrics(Endpoint):
    """One machine over time."""

    dialect = PROXMOX
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="monitoring_vm", parameters=[VM_ID, _period("24h"), _METRICS], tags=["monitoring"],
        responses={200: VmMetricsBody, **refusals(503, dialect=PROXMOX)},
    )  # fmt: skip
    def get(self, request: Request, vm_id: str) -> Response:
        """Figures of a period. A cluster has two seconds to tell them; after that they are the last known, with their age."""
        guest, query = machine_of(request, vm_id), read_query(VmQuery, request)
        series = metrics.series_of(guest, query.period)
        told = _asked([_point(moment) for moment in series.moments], query.metrics)
        age = int((timezone.now() - series.read_at).total_seconds())
        return Answer(
            {"vm_id": machines.public_id(guest), "period": query.period, "metrics": told},
            meta={"read_at": series.read_at, "age_seconds": age, "is_stale": series.is_stale},
        )
