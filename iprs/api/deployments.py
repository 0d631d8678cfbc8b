"""The API of deployments: what the WebSocket tells, readable at any time, and the ways to stop or repeat."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.dialects import ALMA
from alma.api.endpoints import Endpoint
from alma.api.paging import whole, window
from alma.api.permissions import READS
from alma.api.schema import whole_number
from alma.events.models import Event
from iprs import serializers, services
from iprs.api.common import ERRORS, LIMIT, SKIP, checked, find_deployment
from iprs.bodies import deployment_body, deployment_row
from iprs.messages import message
from iprs.models import Deployment
from iprs.services.deploying import response

MAX_EVENTS, MAX_SEQ = 500, 10**12
AFTER = whole_number("after", "The last seq that the caller has", least=0, most=MAX_SEQ, default=0)
EVENTS = whole_number("limit", "Most events to return", least=1, most=MAX_EVENTS, default=MAX_EVENTS)


class DeploymentView(Endpoint):
    """What all views of deployments share."""

    dialect = ALMA


class DeploymentList(DeploymentView):
    """All deployments of the caller's organization."""

    name = "Deployments"
    scopes = {"GET": "deployment:read"}
    openings = {"GET": READS}

    @extend_schema(
        operation_id="deployments_list",
        parameters=[SKIP, LIMIT],
        responses={200: serializers.DeploymentRow(many=True), 400: serializers.ErrorBody},
    )
    def get(self, request: Request) -> Response:
        """List deployments, newest first."""
        rows = Deployment.objects.visible_to(actor_of(request)).select_related("job").order_by("-pk")
        return Response([deployment_row(row) for row in rows[window(request.query_params)]])


class DeploymentDetail(DeploymentView):
    """One deployment."""

    name = "Deployment"
    scopes = {"GET": "deployment:read"}
    openings = {"GET": READS}

    @extend_schema(
        operation_id="deployments_get", responses={200: serializers.DeploymentBody, 404: serializers.ErrorBody}
    )
    def get(self, request: Request, deployment_id: str) -> Response:
        """One deployment with its steps and what was read back after each."""
        deployment = find_deployment(request, deployment_id)
        return Response(deployment_body(deployment) | {"rollback": services.rollback_body(deployment)})


class DeploymentEvents(DeploymentView):
    """What happened, in order."""

    name = "Events"
    scopes = {"GET": "deployment:read"}
    openings = {"GET": READS}

    @extend_schema(
        operation_id="deployments_events",
        parameters=[AFTER, EVENTS],
        responses={200: serializers.EventBody(many=True), 400: serializers.ErrorBody, 404: serializers.ErrorBody},
    )
    def get(self, request: Request, deployment_id: str) -> Response:
        """The messages of `/ws/deployments` after a `seq`, in order and without gaps; at most 500 at a time."""
        deployment = find_deployment(request, deployment_id)
        after = whole(request.query_params, "after", 0, least=0, most=MAX_SEQ)
        limit = whole(request.query_params, "limit", MAX_EVENTS, least=1, most=MAX_EVENTS)
        stream = deployment.job.stream
        rows = Event.objects.of(stream).filter(seq__gt=after).values_list("seq", "kind", "data", "at")[:limit]
        return Response([text for row in rows if (text := message(stream, *row))])


class DeploymentCancel(DeploymentView):
    """Stopping a deployment."""

    name = "Cancel"
    scopes = {"POST": "ipr:deploy"}

    @extend_schema(
        operation_id="deployments_cancel",
        request=serializers.CancelRequest,
        responses={200: serializers.DeployBody, **ERRORS},
    )
    def post(self, request: Request, deployment_id: str) -> Response:
        """Finish what is in flight and begin nothing new. With `force`, after an ordinary cancel: wait for nothing.

        What may be left behind is named in `leftovers` of the deployment."""
        body = checked(serializers.CancelRequest, request)
        cancel = services.force_cancel_deployment if body["force"] else services.cancel_deployment
        cancel(find_deployment(request, deployment_id), by=actor_of(request))
        return Response(response(find_deployment(request, deployment_id)))


class DeploymentRetry(DeploymentView):
    """Taking a deployment up again."""

    name = "Retry"
    scopes = {"POST": "ipr:deploy"}

    @extend_schema(operation_id="deployments_retry", request=None, responses={200: serializers.DeployBody, **ERRORS})
    def post(self, request: Request, deployment_id: str) -> Response:
        """Take a failed or cancelled deployment up at the step where it stopped."""
        services.retry_deployment(find_deployment(request, deployment_id), by=actor_of(request))
        return Response(response(find_deployment(request, deployment_id)))


class DeploymentRollback(DeploymentView):
    """Undoing a deployment."""

    name = "Roll back"
    scopes = {"POST": "ipr:deploy"}

    @extend_schema(
        operation_id="deployments_rollback",
        request=serializers.RollbackRequest,
        responses={200: serializers.RollbackBody, **ERRORS},
    )
    def post(self, request: Request, deployment_id: str) -> Response:
        """Remove the guests that a failed or cancelled deployment made, and give those that it changed their settings back.

        Without `confirm` nothing is done: the refusal says what would be removed, restored, and what cannot be undone."""
        body = checked(serializers.RollbackRequest, request)
        row = find_deployment(request, deployment_id)
        services.roll_back(row, by=actor_of(request), is_confirmed=body["confirm"])
        row = find_deployment(request, deployment_id)
        return Response(response(row) | {"rollback": services.rollback_body(row)})
