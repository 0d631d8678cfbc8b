"""Copying one machine of `/v1/vms`, or a template."""

from typing import Annotated, Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.bodies import read_body
from vms.api.finding import VM_ID, machine_of
from vms.api.making import Given, Name, Word
from vms.api.moving import NodeName, StorageName
from vms.api.operations import MachineAtWork, MachineOperation, begun
from vms.operations.cloning import Copy, clone
from vms.proxmox.values import dns_name

_EXAMPLE = {"name": "web-copy", "full": True, "target_storage": "local-lvm", "environment": "development"}


class CopyWish(Given):
    """A copy that is wanted. `full` false makes a linked one, of templates only. What is left out is as with the source."""

    name: Name
    full: bool = True
    description: Annotated[str, Field(max_length=2000)] = ""
    environment: Word = ""
    target_node: NodeName | None = None
    target_storage: StorageName | None = None

    def copy_of(self) -> Copy:
        """The same in terms of the domain."""
        return Copy(
            name=dns_name(self.name), is_full=self.full, node=self.target_node or "", storage=self.target_storage or "",
            environment=self.environment, description=self.description,
        )  # fmt: skip


class CopyToBe(MachineAtWork):
    """Besides, of which machine it is a copy."""

    source_id: str


class Copying(BaseModel):
    """What has begun."""

    vm: CopyToBe


class Clone(MachineOperation):
    """Copying."""

    @extend_schema(
        operation_id="vms_clone", parameters=[VM_ID], request=CopyWish, responses={201: Copying}, tags=["vms"],
        examples=[OpenApiExample("In full", request_only=True, value=_EXAMPLE)],
    )  # fmt: skip
    def post(self, request: Request, vm_id: str) -> Response:
        """Copy a machine or a template. The id of the copy works at once; the job ends with the copy, stopped."""
        source = machine_of(request, vm_id, with_templates=True)
        guest, job = clone(source, read_body(CopyWish, request).copy_of(), by=actor_of(request))
        said: dict[str, Any] = begun(guest, job, source_id=job.params["source"])
        return Response(said, status=201, headers={"Location": f"/v1/vms/{said['vm']['id']}"})
