"""`/api/v1/requests`: the log of requests to models. Not in llamactl; in the manner of its document."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.dialects import LLAMACTL
from alma.api.endpoints import Endpoint
from alma.api.paging import window
from alma.api.schema import PAGE, array_of, refusals
from instances import requests
from instances.models import RequestRecord

_FILTERS = [
    OpenApiParameter("state", str, description="in_flight, done, failed, cancelled or refused"),
    OpenApiParameter("instance", str, description="Name of the instance that was asked"),
    OpenApiParameter("model", str, description="As the request named it"),
    OpenApiParameter("key", str, description="Label of the key"),
]


class RequestRow(BaseModel):
    """A request to a model. Nothing of what was asked or answered is kept."""

    id: str
    request_id: str
    key: str = Field(description="Label of the credential")
    model: str = Field(description="As the request named it")
    instance: str | None
    path: str
    stream: bool
    state: str
    status: int | None = Field(description="Of HTTP; 499 when the client hung up first")
    prompt_tokens: int
    completion_tokens: int
    queue_seconds: float
    first_token_seconds: float | None
    duration_seconds: float | None
    tokens_per_second: float | None
    began: int = Field(description="Seconds since 1970")
    ended: int | None = Field(description="Seconds since 1970")
    error: str


class Requests(Endpoint):
    """What models were asked."""

    dialect = LLAMACTL
    scopes = {"GET": "instance:read"}

    @extend_schema(
        operation_id="instances_requests", parameters=[*_FILTERS, *PAGE], tags=["instances"],
        responses={200: array_of(RequestRow), **refusals(400, dialect=LLAMACTL)},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List requests, the newest first, those under way included."""
        given = {name: request.query_params.get(name, "") for name in ("state", "instance", "model", "key")}
        rows = requests.newest(by=actor_of(request), **given)[window(request.query_params)]
        return Response([_row(row) for row in rows])


def _row(row: RequestRecord) -> dict[str, Any]:
    speed = row.tokens_per_second
    return {
        "id": str(row.marker), "request_id": row.request_id, "key": row.label, "model": row.model,
        "instance": row.instance.name if row.instance else None, "path": row.path, "stream": row.is_streamed,
        "state": row.state, "status": row.http_status, "prompt_tokens": row.prompt_tokens,
        "completion_tokens": row.completion_tokens, "queue_seconds": round(row.queue_seconds, 4),
        "first_token_seconds": _rounded(row.first_token_seconds), "duration_seconds": _rounded(row.duration_seconds),
        "tokens_per_second": None if speed is None else round(speed, 1), "began": row.began_at, "ended": row.ended_at,
        "error": row.error,
    }  # fmt: skip


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)
