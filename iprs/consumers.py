"""`/ws/deployments`: the events of deployments as alma-api.txt words them, live and resumable."""

from typing import Any

from alma.api.renderers import dumps
from alma.errors import BadRequest, NotFound
from alma.events.consumers import StreamConsumer
from alma.events.reading import EventRow
from iprs.messages import message
from iprs.models import Deployment


class DeploymentsConsumer(StreamConsumer):
    """Without `subscribe` everything of the organization from now on; with it one deployment from `last_seq`."""

    prefix = "deployment:"
    requires = ("deployment:read",)

    @staticmethod
    def render(row: EventRow) -> bytes | None:
        """One frame with both documented vocabularies."""
        words = message(row.stream, row.seq, row.kind, row.data, row.at)
        return dumps(words) if words else None

    def stream_of(self, request: dict[str, Any]) -> str:
        """The stream of `deployment_id`, if the actor may see it. Raises BadRequest, NotFound."""
        public_id = request.get("deployment_id")
        if not isinstance(public_id, str) or not 0 < len(public_id) <= 40:
            raise BadRequest("deployment_id must be the id of a deployment.", code="INVALID_PARAMETER")
        rows = Deployment.objects.visible_to(self.actor).filter(job__public_id=public_id)
        stream = rows.values_list("job__stream", flat=True).first()
        if stream is None:
            raise NotFound(f"Deployment {public_id} not found", code="DEPLOYMENT_NOT_FOUND")
        return stream
