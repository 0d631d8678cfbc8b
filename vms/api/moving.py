"""Moving one machine of `/v1/vms` to another node."""

from typing import Annotated

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.bodies import read_body
from vms.api.finding import VM_ID, machine_of
from vms.api.operations import Begun, MachineOperation, begun
from vms.operations.moving import Move, migrate

NodeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$")]
StorageName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$")]


class MoveWish(BaseModel):
    """Where to. A machine that runs is moved as it runs; `online` false refuses that. A container is stopped for a move and
    started again, where `restart` allows it. `local_disks` takes disks along that only the node of a running machine sees."""

    model_config = ConfigDict(strict=True, extra="forbid")

    target_node: NodeName
    online: bool = True
    restart: bool = False
    local_disks: bool = False
    target_storage: StorageName | None = Field(default=None, description="Where local disks go; as now if left out")

    def move(self) -> Move:
        """The same in terms of the domain."""
        return Move(
            node=self.target_node, is_online=self.online, may_restart=self.restart, takes_disks=self.local_disks,
            storage=self.target_storage or "",
        )  # fmt: skip


class Migrate(MachineOperation):
    """Moving."""

    @extend_schema(
        operation_id="vms_migrate", parameters=[VM_ID], request=MoveWish, responses={200: Begun}, tags=["vms"],
        examples=[OpenApiExample("As it runs", request_only=True, value={"target_node": "pve2", "online": True})],
    )  # fmt: skip
    def post(self, request: Request, vm_id: str) -> Response:
        """Move a machine to another node of its cluster. What is in the way is named by the job, which touches nothing then."""
        guest = machine_of(request, vm_id)
        move = read_body(MoveWish, request).move()
        return Response(begun(guest, migrate(guest, move, by=actor_of(request))))
