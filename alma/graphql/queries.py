"""Where a query begins."""

from typing import Annotated, Any

import strawberry
from graphql import GraphQLError, GraphQLList, GraphQLNonNull, GraphQLObjectType, is_object_type
from strawberry.extensions import ParserCache, ValidationCache

from alma.accounts.scopes import OVERVIEW
from alma.api.paging import MAX_LIMIT
from alma.errors import BadRequest
from alma.events.gauges import open_sockets
from alma.events.models import Event as EventRow
from alma.graphql.limits import KEPT
from alma.graphql.loading import Info, window
from alma.graphql.nodes import (
    Blueprint,
    Deployment,
    Event,
    Ipr,
    Vm,
    blueprints_of,
    deployments_of,
    iprs_of,
    renamed,
)
from alma.graphql.scalars import CONFIG
from alma.monitoring import probes
from blueprints.models import Blueprint as BlueprintRow
from iprs.models import IPR as IPRRow
from iprs.models import Deployment as DeploymentRow
from vms.models import Guest

ROWS = 20
Skip = Annotated[int, strawberry.argument(description="Rows to pass over.")]
Limit = Annotated[int, strawberry.argument(description=f"Most rows to return, at most {MAX_LIMIT}.")]


@strawberry.type
class SystemStatus:
    """How ALMA is; each part is looked at when it is asked for."""

    @strawberry.field(description="healthy, degraded or unhealthy, as /api/v1/monitoring/health/detailed says.")
    def status(self) -> str:
        return probes.overall(probes.components())

    @strawberry.field(description="Since the web process that answers began.")
    def uptime_seconds(self) -> int:
        return probes.uptime_seconds()

    @strawberry.field(description="Live sockets of the web process that answers.")
    def active_connections(self) -> int:
        return open_sockets()


@strawberry.type
class Query:
    """What can be read. Everything else is done through the API."""

    @strawberry.field(description="How ALMA is.")
    def system_status(self, info: Info) -> SystemStatus:
        info.context.reader("job:read")
        return SystemStatus()

    @strawberry.field(description="Blueprints, oldest first.")
    def blueprints(self, info: Info, skip: Skip = 0, limit: Limit = ROWS) -> list[Blueprint]:
        page = window(skip, limit)
        return blueprints_of(BlueprintRow.objects.visible_to(info.context.reader("blueprint:read")).page(page))

    @strawberry.field(description="One blueprint, or null when there is none for the caller.")
    def blueprint(self, info: Info, id: int) -> Blueprint | None:
        return _first(
            blueprints_of(BlueprintRow.objects.visible_to(info.context.reader("blueprint:read")).filter(pk=id))
        )

    @strawberry.field(description="Infrastructure Pull Requests, newest first.")
    def iprs(self, info: Info, status: str | None = None, skip: Skip = 0, limit: Limit = ROWS) -> list[Ipr]:
        rows = IPRRow.objects.visible_to(info.context.reader("ipr:read")).order_by("-pk")
        return iprs_of(_with_status(rows, status, IPRRow.Status.values)[window(skip, limit)])

    @strawberry.field(description="One IPR, or null when there is none for the caller.")
    def ipr(self, info: Info, id: int) -> Ipr | None:
        return _first(iprs_of(IPRRow.objects.visible_to(info.context.reader("ipr:read")).filter(pk=id)))

    @strawberry.field(description="Deployments, newest first.")
    def deployments(
        self, info: Info, status: str | None = None, skip: Skip = 0, limit: Limit = ROWS
    ) -> list[Deployment]:
        rows = DeploymentRow.objects.visible_to(info.context.reader("deployment:read")).order_by("-pk")
        return deployments_of(_with_status(rows, status, DeploymentRow.Status.values)[window(skip, limit)])

    @strawberry.field(description="One deployment, or null when there is none for the caller.")
    def deployment(self, info: Info, deployment_id: str) -> Deployment | None:
        rows = DeploymentRow.objects.visible_to(info.context.reader("deployment:read"))
        return _first(deployments_of(rows.filter(job__public_id=deployment_id)))

    @strawberry.field(description="Guests of the last readings, by cluster and VMID. Needs vm:read.")
    def vms(self, info: Info, status: str | None = None, skip: Skip = 0, limit: Limit = ROWS) -> list[Vm]:
        rows = Guest.objects.visible_to(info.context.insider("vm:read")).present().order_by("cluster_id", "vmid")
        return _vms((rows if status is None else rows.filter(status=status))[window(skip, limit)])

    @strawberry.field(description="The event log, newest first; of one stream, such as ipr:12, or of all.")
    def events(self, info: Info, stream: str | None = None, skip: Skip = 0, limit: Limit = ROWS) -> list[Event]:
        rows = EventRow.objects.visible_to(info.context.insider(*OVERVIEW))
        rows = rows.order_by("-at", "-pk") if stream is None else rows.filter(stream__name=stream).order_by("-seq")
        plain = ("seq", "kind", "actor", "at", "data")
        return [Event(**row) for row in renamed(rows[window(skip, limit)], plain, stream="stream__name")]


def _first(nodes: list[Any]) -> Any:
    return nodes[0] if nodes else None


def _with_status(rows: Any, status: str | None, known: list[str]) -> Any:
    if status is None:
        return rows
    if status not in known:
        raise BadRequest(f"status must be one of {', '.join(known)}.", code="INVALID_PARAMETER")
    return rows.filter(status=status)


def _vms(rows: Any) -> list[Vm]:
    plain = ("vmid", "name", "kind", "status", "node", "is_template", "cores", "memory_bytes", "disk_bytes", "cpu_load")
    found = renamed(
        rows, (*plain, "seen_at"), cluster="cluster__slug", claim="claim_id", memory_used_bytes="memory_used",
        uptime_seconds="uptime", tags="tags",
    )  # fmt: skip
    return [
        Vm(is_managed=row.pop("claim") is not None, tags=[tag for tag in row.pop("tags").split(";") if tag], **row)
        for row in found
    ]


class Schema(strawberry.Schema):
    """Errors are logged by the view, which knows a refusal from a fault."""

    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Nothing here."""


schema = Schema(
    Query, config=CONFIG, extensions=[lambda: ParserCache(maxsize=KEPT), lambda: ValidationCache(maxsize=KEPT)]
)


def _lists() -> dict[str, int]:
    """How many rows each list of the schema brings when no limit is given; of two that share a name the longer."""
    found: dict[str, int] = {}
    for kind in schema._schema.type_map.values():
        if is_object_type(kind) and not kind.name.startswith("__"):
            for name, rows in _lists_of(kind).items():
                found[name] = max(rows, found.get(name, 0))
    return found


def _lists_of(kind: GraphQLObjectType) -> dict[str, int]:
    limited = {name: each for name, each in kind.fields.items() if "limit" in each.args and _is_list(each.type)}
    return {name: int(each.args["limit"].default_value) for name, each in limited.items()}


def _is_list(kind: object) -> bool:
    return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)


LISTS = _lists()
