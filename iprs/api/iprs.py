"""The API of Infrastructure Pull Requests. Both documented nouns, `ipr` and `iprs`, lead here."""

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from alma.accounts.models import Environment
from alma.api.authentication import actor_of
from alma.api.dialects import ALMA
from alma.api.endpoints import Endpoint
from alma.api.paging import window
from alma.api.permissions import READS, REVIEWS
from alma.errors import BadRequest, Invalid, NotFound
from iprs import serializers, services
from iprs.api.common import ASYNC, ERRORS, LIMIT, SKIP, checked, find_blueprint, find_ipr, wait_of
from iprs.bodies import ipr_body, ipr_row, item_body, plan_body
from iprs.models import IPR
from iprs.services.deploying import response


class IPRView(Endpoint):
    """What all views of IPRs share."""

    dialect = ALMA


class IPRList(IPRView):
    """All Infrastructure Pull Requests of the caller's organization."""

    name = "IPRs"
    scopes = {"GET": "ipr:read", "POST": "ipr:write"}
    openings = {"GET": READS}

    @extend_schema(
        operation_id="iprs_list",
        parameters=[SKIP, LIMIT, OpenApiParameter("status", str, enum=IPR.Status.values)],
        responses={200: serializers.IPRRow(many=True), 400: serializers.ErrorBody},
    )
    def get(self, request: Request) -> Response:
        """List IPRs, newest first."""
        rows = IPR.objects.visible_to(actor_of(request)).select_related("environment")
        wanted = request.query_params.get("status")
        if wanted is not None:
            if wanted not in IPR.Status.values:
                known = ", ".join(IPR.Status.values)
                raise BadRequest(f"status must be one of {known}.", code="INVALID_PARAMETER")
            rows = rows.filter(status=wanted)
        return Response([ipr_row(ipr) for ipr in rows.order_by("-pk")[window(request.query_params)]])

    @extend_schema(
        operation_id="iprs_create",
        parameters=[ASYNC],
        request=serializers.IPRCreate,
        responses={201: serializers.IPRBody, **ERRORS},
        examples=[
            OpenApiExample(
                "Documented", request_only=True,
                value={
                    "title": "Add Redis cache cluster",
                    "description": "Improve performance with distributed caching",
                    "blueprint_id": 10,
                    "changes_summary": {
                        "added": ["redis-cluster-1", "redis-cluster-2"], "removed": [], "modified": ["web-server-config"]
                    },
                },
            )
        ],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Propose a blueprint; the plan is computed at once and its hash is what reviewers approve."""
        body = checked(serializers.IPRCreate, request)
        actor = actor_of(request)
        blueprint = find_blueprint(request, body["blueprint_id"])
        ipr = services.open_ipr(
            blueprint, by=actor, title=body["title"], description=body["description"],
            environment=_environment(request, body.get("environment")), changes_summary=body["changes_summary"],
            claimed=body["created_by"], safety_snapshots=body["safety_snapshot"],
        )  # fmt: skip
        ipr = services.wait_for_plan(ipr, wait_of(request))
        headers = {"Location": f"/api/v1/iprs/{ipr.pk}"}
        return Response(ipr_body(ipr), status=status.HTTP_201_CREATED, headers=headers)


def _environment(request: Request, slug: str | None) -> Environment | None:
    if slug is None:
        return None
    place = Environment.objects.visible_to(actor_of(request)).filter(slug=slug).first()
    if place is None:
        raise Invalid(f"There is no environment {slug!r}.", details=[{"field": "environment", "message": "unknown"}])
    return place


class IPRDetail(IPRView):
    """One Infrastructure Pull Request."""

    name = "IPR"
    scopes = {"GET": "ipr:read"}
    openings = {"GET": READS}

    @extend_schema(operation_id="iprs_get", responses={200: serializers.IPRBody, 404: serializers.ErrorBody})
    def get(self, request: Request, ipr_id: str) -> Response:
        """One IPR with its plan, its reviews and what is missing before it may run."""
        return Response(ipr_body(find_ipr(request, ipr_id)))


class IPRPlan(IPRView):
    """What exactly would be done."""

    name = "Plan"
    scopes = {"GET": "ipr:read"}
    openings = {"GET": READS}

    @extend_schema(operation_id="iprs_plan", responses={200: serializers.PlanDetailBody, 404: serializers.ErrorBody})
    def get(self, request: Request, ipr_id: str) -> Response:
        """The current plan, item by item, each value with its cause."""
        plan = find_ipr(request, ipr_id).current_plan
        if plan is None:
            raise NotFound(f"IPR {ipr_id} has no plan yet", code="PLAN_NOT_FOUND")
        return Response({**plan_body(plan), "items": [item_body(item) for item in plan.items.all()]})


class IPRReviewView(IPRView):
    """A verdict on the plan."""

    name = "Review"
    scopes = {"POST": "ipr:review"}
    openings = {"POST": REVIEWS}

    @extend_schema(
        operation_id="iprs_review",
        request=serializers.IPRReview,
        responses={200: serializers.IPRBody, **ERRORS},
        examples=[
            OpenApiExample(
                "Documented", request_only=True,
                value={"action": "approve", "comments": "LGTM, ready for deployment", "reviewer": "jane.smith"},
            )
        ],
    )  # fmt: skip
    def post(self, request: Request, ipr_id: str) -> Response:
        """Approve, reject or request changes. Without a credential it is recorded as not verified."""
        body = checked(serializers.IPRReview, request)
        ipr = services.wait_for_plan(find_ipr(request, ipr_id), wait_of(request))
        services.review(
            ipr, body["action"], by=actor_of(request), comments=body["comments"], claimed=body["reviewer"],
            acknowledged=body["acknowledged"], plan_digest=body["plan_hash"],
        )  # fmt: skip
        return Response(ipr_body(find_ipr(request, ipr_id)))


class IPRDeploy(IPRView):
    """Carrying the plan out."""

    name = "Deploy"
    scopes = {"POST": "ipr:deploy"}

    @extend_schema(
        operation_id="iprs_deploy",
        request=serializers.DeployRequest,
        responses={200: serializers.DeployBody, **ERRORS},
        examples=[OpenApiExample("Documented", request_only=True, value={"engine": "proxmox", "dry_run": False})],
    )
    def post(self, request: Request, ipr_id: str) -> Response:
        """Carry out the approved plan; the same call again returns the same deployment."""
        body = checked(serializers.DeployRequest, request)
        ipr = services.wait_for_plan(find_ipr(request, ipr_id), wait_of(request))
        if body["dry_run"]:
            deployment = services.dry_run(ipr, by=actor_of(request), engine=body["engine"])
        else:
            deployment = services.deploy(
                ipr, by=actor_of(request), engine=body["engine"], plan_digest=body["plan_hash"]
            )
        return Response(response(deployment))


class IPRReplan(IPRView):
    """Another look at blueprint and cluster."""

    name = "Plan again"
    scopes = {"POST": "ipr:write"}

    @extend_schema(
        operation_id="iprs_replan", request=serializers.ReplanRequest, responses={200: serializers.IPRBody, **ERRORS}
    )
    def post(self, request: Request, ipr_id: str) -> Response:
        """Plan again, from the blueprint's latest revision and the cluster as it is now."""
        ipr, body = find_ipr(request, ipr_id), checked(serializers.ReplanRequest, request)
        services.replan(ipr, by=actor_of(request), safety_snapshots=body["safety_snapshot"])
        ipr = services.wait_for_plan(find_ipr(request, ipr_id), wait_of(request))
        return Response(ipr_body(ipr))


class IPRCancel(IPRView):
    """Taking it back."""

    name = "Withdraw"
    scopes = {"POST": "ipr:write"}

    @extend_schema(operation_id="iprs_cancel", request=None, responses={200: serializers.IPRBody, **ERRORS})
    def post(self, request: Request, ipr_id: str) -> Response:
        """Withdraw an IPR that has not been deployed."""
        services.withdraw(find_ipr(request, ipr_id), by=actor_of(request))
        return Response(ipr_body(find_ipr(request, ipr_id)))


class BlueprintDeploy(IPRView):
    """Proposing a blueprint and carrying it out in one go."""

    name = "Deploy a blueprint"
    scopes = {"POST": "ipr:deploy"}

    @extend_schema(
        operation_id="blueprints_deploy",
        request=serializers.DeployRequest,
        responses={200: serializers.DeployBody, 202: serializers.DeployBody, **ERRORS},
    )
    def post(self, request: Request, blueprint_id: str) -> Response:
        """Open an IPR for the latest revision and follow the environment's policy: at once, or after a review (202)."""
        body = checked(serializers.DeployRequest, request)
        blueprint = find_blueprint(request, blueprint_id)
        ipr, deployment = services.deploy_blueprint(
            blueprint, by=actor_of(request), wait=wait_of(request), engine=body["engine"], is_dry_run=body["dry_run"]
        )
        if deployment is not None:
            return Response(response(deployment))
        waiting = {
            "deployment_id": None, "status": "pending", "phase": "waiting_approval", "estimated_duration": "",
            "dry_run": False, "ipr_id": ipr.pk,
        }  # fmt: skip
        return Response(waiting, status=status.HTTP_202_ACCEPTED)
