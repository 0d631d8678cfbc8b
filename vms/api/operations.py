"""What `/v1/vms` does to a machine: each answers at once with the job that does it."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, ConfigDict, Field
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.bodies import read_body
from alma.api.dialects import PROXMOX
from alma.api.endpoints import Endpoint
from alma.jobs.gate import decided_at
from alma.jobs.models import Job
from vms.api.finding import VM_ID, machine_of
from vms.models import Guest
from vms.operations import power

_STOP = OpenApiExample("As documented", request_only=True, value={"graceful": True, "timeout_seconds": 300})


class StopWish(BaseModel):
    """How to stop. `force` cuts the power of a system that does not heed a graceful stop in time; without it the job fails
    and the machine runs on."""

    model_config = ConfigDict(strict=True, extra="forbid")

    graceful: bool = True
    timeout_seconds: int = Field(default=300, ge=1, le=power.LONGEST)
    force: bool = False

    def how(self) -> power.Stop:
        """The same in terms of the domain."""
        return power.Stop(is_graceful=self.graceful, seconds=self.timeout_seconds, is_forced=self.force)


class MachineAtWork(BaseModel):
    """A machine on which a job works, and the job to ask about. `ipr_id` and `ipr_url` name the proposal for whose approval
    the job waits; they are null where nobody has to agree."""

    id: str
    name: str
    status: str
    job_id: str
    ipr_id: int | None
    ipr_url: str | None


class Begun(BaseModel):
    """What has begun."""

    vm: MachineAtWork


def begun(guest: Guest, job: Job, **more: Any) -> dict[str, Any]:
    """The answer to an operation that has become a job."""
    status = job.params["status"] if job.is_active else guest.status
    vm = {"id": job.params["vm"], "name": guest.name, "status": status, "job_id": job.public_id}
    return {"vm": {**vm, **decided_at(job.params), **more}}


class MachineOperation(Endpoint):
    """The base of what is done to one machine."""

    dialect = PROXMOX
    scopes = {"POST": "vm:write"}


class Start(MachineOperation):
    """Starting."""

    @extend_schema(operation_id="vms_start", parameters=[VM_ID], request=None, responses={200: Begun}, tags=["vms"])
    def post(self, request: Request, vm_id: str) -> Response:
        """Start a machine. The job of one that runs already ends at once, and says so."""
        guest = machine_of(request, vm_id)
        return Response(begun(guest, power.start(guest, by=actor_of(request))))


class Stop(MachineOperation):
    """Stopping."""

    @extend_schema(
        operation_id="vms_stop", parameters=[VM_ID], request=StopWish, responses={200: Begun}, examples=[_STOP],
        tags=["vms"],
    )  # fmt: skip
    def post(self, request: Request, vm_id: str) -> Response:
        """Stop a machine: its system is asked to shut down, or the power is cut when `graceful` is false."""
        guest = machine_of(request, vm_id)
        how = read_body(StopWish, request).how()
        return Response(begun(guest, power.stop(guest, how, by=actor_of(request))))


class Restart(MachineOperation):
    """Restarting."""

    @extend_schema(
        operation_id="vms_restart", parameters=[VM_ID], request=StopWish, responses={200: Begun}, tags=["vms"]
    )
    def post(self, request: Request, vm_id: str) -> Response:
        """Stop a machine, in the same ways, and start it."""
        guest = machine_of(request, vm_id)
        how = read_body(StopWish, request).how()
        return Response(begun(guest, power.restart(guest, how, by=actor_of(request))))
