"""Jobs: what runs, how far it is, and stopping it."""

from dataclasses import replace
from typing import Annotated

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel, StringConstraints
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.answers import Answer
from alma.api.authentication import actor_of
from alma.api.bodies import read_query
from alma.api.dialects import PROXMOX
from alma.api.endpoints import Endpoint
from alma.api.paging import paginate
from alma.api.schema import listing_of, page_parameters
from alma.errors import NotFound
from alma.jobs import services
from alma.jobs.api.bodies import JobRow, OneJob, Status, body_of, rows_of
from alma.jobs.models import Job

READ, WRITE = "job:read", "job:write"
JOB_ID = OpenApiParameter("job_id", str, OpenApiParameter.PATH, description="As the answer that began it said")
_PARAMETERS = [
    OpenApiParameter("status", str, description="How it stands", enum=["running", "completed", "failed", "cancelled"]),
    OpenApiParameter("type", {"type": "string", "maxLength": 40}, description="What kind of work"),
]


class JobQuery(BaseModel):
    """What may be asked of the list."""

    status: Status | None = None
    type: Annotated[str, StringConstraints(max_length=40)] = ""


class Jobs(Endpoint):
    """The jobs of the caller's organization."""

    dialect = PROXMOX
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="jobs_list", parameters=[*_PARAMETERS, *page_parameters(PROXMOX)],
        responses={200: listing_of(PROXMOX, JobRow, "jobs")}, tags=["jobs"],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List jobs, newest first."""
        query = read_query(JobQuery, request)
        rows = Job.objects.visible_to(actor_of(request)).order_by("-pk")
        if query.status:
            rows = rows.filter(state__in=Job.OPEN if query.status == "running" else [query.status])
        page = paginate(request, rows.filter(kind=query.type) if query.type else rows, lambda job: job, key="jobs")
        return Response(replace(page, rows=rows_of(page.rows)))


class JobItem(Endpoint):
    """One job."""

    dialect = PROXMOX
    scopes = {"GET": READ, "DELETE": WRITE}

    @extend_schema(operation_id="jobs_get", parameters=[JOB_ID], responses={200: OneJob}, tags=["jobs"])
    def get(self, request: Request, job_id: str) -> Response:
        """How far a job is, with its log."""
        return Response({"job": body_of(_find(request, job_id), by=actor_of(request))})

    @extend_schema(operation_id="jobs_cancel", parameters=[JOB_ID], responses={200: OneJob}, tags=["jobs"])
    def delete(self, request: Request, job_id: str) -> Response:
        """Ask a job to stop: what is in flight is finished, nothing new begins. Until then it is `running`."""
        actor = actor_of(request)
        services.stop(_find(request, job_id), by=actor)
        return Answer({"job": body_of(_find(request, job_id), by=actor)}, message="Job cancellation requested")


def _find(request: Request, job_id: str) -> Job:
    """The job of an id, if the actor may see it. Raises NotFound."""
    job = Job.objects.visible_to(actor_of(request)).filter(public_id=job_id).first()
    if job is None:
        raise NotFound(f"Job {job_id[:60]} not found", code="JOB_NOT_FOUND")
    return job
