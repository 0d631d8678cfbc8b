"""`/api/v1/dashboard/overview` and `/api/v1/mission-control`."""

from functools import partial
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from alma.accounts.actors import Actor
from alma.accounts.scopes import OVERVIEW
from alma.api.authentication import actor_of
from alma.api.dialects import ALUMIA
from alma.api.endpoints import Endpoint
from alma.api.paging import paginate
from alma.api.schema import page_parameters
from alma.overview import figures
from alma.overview.activity import KIND, Filters, activity, activity_body
from alma.overview.api.bodies import MissionControlBody, OverviewBody
from alma.overview.asking import LONGEST, filters_of
from vms.models import Guest

RECENT = 10
MOST_MACHINES = 100
_TEXT = {"type": "string", "maxLength": LONGEST}
_ID = {"anyOf": [{"type": "string", "format": "uuid"}, {"type": "string", "maxLength": 0}]}
"""A form sends a filter that was not chosen as nothing."""
_KIND = {"type": "string", "pattern": rf"^({KIND.pattern})?$"}
_FILTERS = [
    OpenApiParameter("kind", _KIND, description="A kind of event, such as ipr.opened, or all of an area: ipr"),
    OpenApiParameter("agentId", _ID, description="Done by this assistant"),
    OpenApiParameter("projectId", _ID, description="About this project, its blueprints and their deployments"),
    OpenApiParameter("machine", _TEXT, description="About the machine of this name; narrows the machines as well"),
    OpenApiParameter("search", _TEXT, description="In names, titles, messages and people"),
    *page_parameters(ALUMIA),
]


class DashboardOverview(Endpoint):
    """`/api/v1/dashboard/overview`."""

    dialect = ALUMIA
    scopes = {"GET": OVERVIEW}

    @extend_schema(operation_id="dashboard_overview", responses={200: OverviewBody}, tags=["dashboard"])
    def get(self, request: Request) -> Response:
        """The organization at a glance."""
        actor = actor_of(request)
        recent = activity(actor, Filters())[:RECENT]
        return Response(
            {
                "organization": figures.organization(actor),
                "catalogue": figures.catalogue(actor),
                "iprs": figures.proposals(actor),
                "deployments": figures.deployments(actor),
                "machines": figures.machines(actor),
                "clusters": figures.clusters(actor),
                "agents": figures.agents(actor),
                "spending": figures.spending(actor),
                "recentActivity": [activity_body(event, actor) for event in recent],
                "generatedAt": timezone.now(),
            }
        )


class MissionControl(Endpoint):
    """`/api/v1/mission-control`."""

    dialect = ALUMIA
    scopes = {"GET": OVERVIEW}

    @extend_schema(
        operation_id="mission_control", parameters=_FILTERS, responses={200: MissionControlBody}, tags=["dashboard"]
    )
    def get(self, request: Request) -> Response:
        """Agents, figures and machines, and what happened in the organization, narrowed by the filters."""
        actor = actor_of(request)
        filters = filters_of(request.query_params, actor)
        feed = paginate(request, activity(actor, filters), partial(activity_body, actor=actor))
        stats = {
            "iprs": figures.proposals(actor),
            "deployments": figures.deployments(actor),
            "machines": figures.machines(actor),
            "events": figures.events(actor),
        }
        snapshot = {"agents": figures.agents(actor), "stats": stats, "machines": _machines(actor, filters)}
        return Response({**snapshot, **self.dialect.page_style.body(feed)})


def _machines(actor: Actor, filters: Filters) -> list[dict[str, Any]]:
    return [_machine(guest) for guest in figures.machines_of(actor, filters.machine)[:MOST_MACHINES]]


def _machine(guest: Guest) -> dict[str, Any]:
    return {
        "name": guest.name, "vmid": guest.vmid, "kind": guest.kind, "cluster": guest.cluster.slug, "node": guest.node,
        "status": guest.status, "isManaged": guest.claim_id is not None, "cores": guest.cores,
        "cpuLoad": guest.cpu_load, "memoryBytes": guest.memory_bytes, "memoryUsedBytes": guest.memory_used,
        "uptimeSeconds": guest.uptime, "seenAt": guest.seen_at,
    }  # fmt: skip
