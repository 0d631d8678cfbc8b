"""The machine that a path names, for every route below `/v1/vms/{vm_id}`."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from alma.api.authentication import actor_of
from vms import machines
from vms.models import Guest

VM_ID = OpenApiParameter("vm_id", str, OpenApiParameter.PATH, description="Like vm-001; a VMID if only one has it")


def machine_of(request: Request, vm_id: str, *, with_templates: bool = False) -> Guest:
    """That machine, with cluster, claim, environment and details. Raises NotFound, WrongState for an ambiguous VMID."""
    return machines.find(vm_id, by=actor_of(request), with_templates=with_templates)
