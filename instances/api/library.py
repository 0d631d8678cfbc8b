"""`/api/v1/models`: the folder of models, whether one would fit, and downloads, as llamactl has them today."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.bodies import read_body
from alma.api.dialects import LLAMACTL
from alma.api.endpoints import Endpoint
from alma.api.paging import MAX_LIMIT
from alma.api.schema import array_of, refusals
from alma.errors import BadRequest, NotFound
from instances import nodes
from instances.api.library_bodies import (
    DownloadBegun,
    DownloadJob,
    DownloadJobs,
    DownloadWish,
    FitAnswer,
    FitQuestion,
    ModelRow,
)
from instances.backends.kinds import backend_of
from instances.library import choosing, downloads, fitting, listing
from instances.library.fitting import Fit
from instances.models import Download
from instances.remote.programs import checker_of

READ, WRITE = "instance:read", "instance:write"
_EXAMPLE = OpenApiExample("A quantisation of a repository", request_only=True, value={"repo": "org/model:Q4_K_M"})
_WHICH = [
    OpenApiParameter("repo", str, description="Owner and name, as the list says them"),
    OpenApiParameter("tag", str, description="Which of its quantisations, where there are several"),
    OpenApiParameter("path", str, description="Instead of both: the path of a model, as the list says it"),
]
_NODE = OpenApiParameter("node", str, description="Which machine; without it the one that answers")
_JOB = OpenApiParameter("job_id", str, OpenApiParameter.PATH, description="As the answer to the download said it")
_STATES = {"waiting": "queued", "queued": "queued", "running": "downloading"}


class _Base(Endpoint):
    dialect = LLAMACTL


class Models(_Base):
    """What lies in the folder of models."""

    scopes = {"GET": READ, "DELETE": WRITE}

    @extend_schema(operation_id="llamactl_models_list", parameters=[_NODE], tags=["models"],
        responses={200: array_of(ModelRow), **refusals(400, 503, dialect=LLAMACTL)},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List the models of the folder, with what is known of each and why one is broken."""
        node = _node_of(request)
        return Response([listing.as_dict(entry, node) for entry in listing.of(by=actor_of(request), node=node)])

    @extend_schema(
        operation_id="llamactl_models_delete", parameters=[*_WHICH, _NODE], tags=["models"],
        responses={204: None, **refusals(400, 403, 404, 409, 503, dialect=LLAMACTL)},
    )  # fmt: skip
    def delete(self, request: Request) -> Response:
        """Delete a model's files; refused while an instance names it."""
        query, actor, node = request.query_params, actor_of(request), _node_of(request)
        repo, tag, path = (query.get(name, "")[:500] for name in ("repo", "tag", "path"))
        if not repo and not path:
            raise BadRequest("repo is required")
        found = [
            entry.model.path for entry in listing.of(by=actor, node=node)
            if (path and entry.model.path == path) or (not path and entry.is_called(repo, tag))
        ]  # fmt: skip
        if not found:
            raise NotFound("There is no model of this name.", code="MODEL_NOT_FOUND")
        if len(found) > 1:
            raise BadRequest(f"{repo} has {len(found)} models here; name one by tag or path.")
        downloads.delete(found[0], by=actor, node=node)
        return Response(status=204)


class Fitting(_Base):
    """Whether a model would fit."""

    scopes = {"POST": READ}

    @extend_schema(
        operation_id="llamactl_models_fit", request=FitQuestion, tags=["models"],
        responses={200: FitAnswer, **refusals(400, 503, dialect=LLAMACTL)},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Reckon what a start would claim, and say what is free and which instances would be stopped for it."""
        body, actor = read_body(FitQuestion, request), actor_of(request)
        backend = backend_of(body.backend_type)
        nodes.refuse_unknown(body.node)
        options = checker_of(backend, body.node).check(body.backend_options)
        model = choosing.chosen(body.model, backend, by=actor, node=body.node)
        return Response(fit_as_dict(fitting.fit(model, options, by=actor, backend=backend.kind, node=body.node)))


class Downloads(_Base):
    """New downloads."""

    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="llamactl_models_download", request=DownloadWish, examples=[_EXAMPLE], tags=["models"],
        responses={202: DownloadBegun, **refusals(400, 409, 503, dialect=LLAMACTL)},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Begin to fetch a model from the endpoint that ALMA is set to."""
        body = read_body(DownloadWish, request)
        repo, _, tag = body.repo.partition(":")
        wish = downloads.Wish(repo, tag, body.file, body.revision, body.format, body.token, body.node)
        row = downloads.begin(wish, by=actor_of(request))
        assert row.job is not None
        answer = {"job_id": row.job.public_id, "repo": row.repo, "tag": row.tag}
        return Response(answer, status=202, headers={"Location": f"/api/v1/models/jobs/{row.job.public_id}"})


class Jobs(_Base):
    """Downloads, old and new."""

    scopes = {"GET": READ}

    @extend_schema(operation_id="llamactl_models_jobs", responses={200: DownloadJobs}, tags=["models"])
    def get(self, request: Request) -> Response:
        """List downloads, the newest first."""
        rows = Download.objects.visible_to(actor_of(request)).select_related("job").exclude(job=None)[:MAX_LIMIT]
        return Response({"jobs": [job_as_dict(row) for row in rows]})


class OneJob(_Base):
    """One download."""

    scopes = {"GET": READ, "DELETE": WRITE}

    @extend_schema(
        operation_id="llamactl_models_job", parameters=[_JOB], tags=["models"],
        responses={200: DownloadJob, **refusals(404, dialect=LLAMACTL)},
    )  # fmt: skip
    def get(self, request: Request, job_id: str) -> Response:
        """Show how far a download is."""
        return Response(job_as_dict(downloads.find(job_id, by=actor_of(request))))

    @extend_schema(
        operation_id="llamactl_models_cancel", parameters=[_JOB], tags=["models"],
        responses={204: None, **refusals(404, 409, dialect=LLAMACTL)},
    )  # fmt: skip
    def delete(self, request: Request, job_id: str) -> Response:
        """Cancel a download; what has come of it is removed."""
        actor = actor_of(request)
        downloads.cancel(downloads.find(job_id, by=actor), by=actor)
        return Response(status=204)


def _node_of(request: Request) -> str:
    """The machine that is asked about. Raises Invalid."""
    node = request.query_params.get("node", "")
    nodes.refuse_unknown(node)
    return node


def job_as_dict(row: Download) -> dict[str, Any]:
    """A download as llamactl says it."""
    job = row.job
    assert job is not None
    error = job.error or {}
    return {
        "id": job.public_id, "node": row.node, "repo": row.repo, "tag": row.tag, "revision": row.commit or row.revision,
        "status": _STATES.get(job.state, job.state), "error": error.get("message", ""), "created_at": row.created_at,
        "progress": {
            "bytes_downloaded": row.fetched_bytes, "total_bytes": row.total_bytes or 0, "current_file": row.current_file,
        },
        "completed_at": job.finished_at, "model_path": row.path if job.state == "completed" else "",
    }  # fmt: skip


def fit_as_dict(fit: Fit) -> dict[str, Any]:
    """Whether it fits, as answers say it."""
    parts = {name: getattr(fit.claim, name) for name in ("weights", "cache", "working", "runtime", "total")}
    return {
        "verdict": fit.verdict, "message": fit.words, "claim": parts, "context": fit.claim.context,
        "is_whole": fit.claim.is_whole, "memory": vars(fit.memory), "devices": [vars(one) for one in fit.devices],
        "evicts": list(fit.evicts),
    }  # fmt: skip
