"""What `/v1/storage` does to storages: each answers at once with the job that does it."""

from typing import Annotated, Any, Literal

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.bodies import read_body
from alma.jobs.models import Job
from vms.api import storage as reading
from vms.api.storage import STORAGE_ID, StorageRow, one, storage_of
from vms.models import ClusterStorage
from vms.operations import storages

WRITE = "storage:write"
Text = Annotated[str, StringConstraints(max_length=200)]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=4000, pattern=r"^[\x20-\x7e]+$")]
Kind = Literal["dir", "btrfs", "nfs", "cifs", "pbs", "lvm", "lvmthin", "zfspool", "rbd", "cephfs"]
Content = Literal["images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import"]
_NFS = {"name": "tank", "type": "nfs", "server": "10.20.0.5", "export": "/tank/more", "content": ["images", "backup"]}


class NewStorage(BaseModel):
    """A storage that is wanted. Which fields a type needs stands in docs/api.md; `password` and `encryption_key` are never
    told again."""

    model_config = ConfigDict(strict=True, extra="forbid")

    name: Text
    type: Kind
    content: Annotated[list[Content], Field(max_length=10)] = Field(default_factory=list)
    nodes: Annotated[list[Text], Field(max_length=100)] = Field(default_factory=list)
    shared: bool = False
    cluster: Text = ""
    path: Text | None = None
    server: Text | None = None
    export: Text | None = None
    share: Text | None = None
    domain: Text | None = None
    username: Text | None = None
    password: Secret | None = Field(default=None, json_schema_extra={"writeOnly": True})
    datastore: Text | None = None
    namespace: Text | None = None
    fingerprint: Text | None = None
    encryption_key: Secret | None = Field(default=None, json_schema_extra={"writeOnly": True})
    volume_group: Text | None = None
    thin_pool: Text | None = None
    pool: Text | None = None

    def storage(self) -> storages.Storage:
        """The same in terms of the domain."""
        common = {"name", "type", "content", "nodes", "shared", "cluster"}
        settings = {name: value for name in type(self).model_fields.keys() - common if (value := getattr(self, name))}
        return storages.Storage(
            name=self.name, plugin=self.type, content=tuple(self.content), nodes=tuple(self.nodes), is_shared=self.shared,
            settings=settings,
        )  # fmt: skip


class StorageBegun(BaseModel):
    """What has begun."""

    storage: StorageRow


def begun(row: ClusterStorage, job: Job) -> dict[str, Any]:
    """The answer to an operation that has become a job."""
    row = ClusterStorage.objects.select_related("cluster", "claim").get(pk=row.pk)
    return {"storage": {**one(row), "status": job.params["status"], "job_id": job.public_id}}


class Storages(reading.Storages):
    """The storages of the caller's organization: listed, and made."""

    scopes = {**reading.Storages.scopes, "POST": WRITE}

    @extend_schema(
        operation_id="storage_create", request=NewStorage, responses={201: StorageBegun}, tags=["storage"],
        examples=[OpenApiExample("A share of NFS", request_only=True, value=_NFS)],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Define a storage. Its id works at once; the job ends when it is active somewhere."""
        body = read_body(NewStorage, request)
        row, job = storages.create(body.storage(), cluster=body.cluster, by=actor_of(request))
        said = begun(row, job)
        return Response(said, status=201, headers={"Location": f"/v1/storage/{said['storage']['id']}"})


class Storage(reading.Storage):
    """One storage: read, and removed."""

    scopes = {**reading.Storage.scopes, "DELETE": WRITE}

    @extend_schema(
        operation_id="storage_delete", parameters=[STORAGE_ID], responses={200: StorageBegun}, tags=["storage"]
    )
    def delete(self, request: Request, storage_id: str) -> Response:
        """Remove the definition of a storage that ALMA made and on which no disks lie; its data stays where it is."""
        row = storage_of(request, storage_id)
        return Response(begun(row, storages.delete(row, by=actor_of(request))))
