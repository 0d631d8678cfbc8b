"""What `/v1/networks` does to networks: each answers at once with the job that does it."""

from typing import Annotated, Any, Literal

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.bodies import read_body
from alma.errors import BadRequest
from alma.jobs.models import Job
from vms.api import networks as reading
from vms.api.networks import NETWORK_ID, NetworkRow, network_of, one
from vms.models import ClusterNetwork
from vms.operations import networks, wishes

WRITE = "network:write"
Text = Annotated[str, StringConstraints(max_length=100)]
Name = Annotated[str, StringConstraints(min_length=2, max_length=60)]
Servers = Annotated[list[Text], Field(max_length=wishes.MOST_DNS)]
Vlan = Annotated[int, Field(ge=1, le=4094)]
_DOCUMENTED = {
    "name": "development-vlan", "type": "vlan", "vlan_id": 200, "subnet": "192.168.2.0/24", "gateway": "192.168.2.1",
    "dns_servers": ["8.8.8.8", "8.8.4.4"], "dhcp_enabled": True,
    "dhcp_range": {"start": "192.168.2.100", "end": "192.168.2.200"},
}  # fmt: skip


class Span(BaseModel):
    """The first and the last address that are given out."""

    model_config = ConfigDict(strict=True, extra="forbid")

    start: Text
    end: Text


class NewNetwork(BaseModel):
    """A network that is wanted. A `vlan` is carried by the bridge `uplink`, else by one that all nodes have; a `vnet` is a
    virtual network that does not leave its node; a `bridge` is made on one `node`."""

    model_config = ConfigDict(strict=True, extra="forbid")

    name: Name
    type: Literal["vlan", "vnet", "bridge"]
    vlan_id: Vlan | None = None
    subnet: Text = ""
    gateway: Text = ""
    dns_servers: Servers = Field(default_factory=list)
    dhcp_enabled: bool = False
    dhcp_range: Span | None = None
    uplink: Text = ""
    node: Text = ""
    cluster: Text = ""

    def network(self) -> wishes.Network:
        """The same in terms of the domain."""
        return wishes.Network(
            name=self.name, kind=self.type, vlan_id=self.vlan_id, subnet=self.subnet, gateway=self.gateway,
            dns_servers=tuple(self.dns_servers), has_dhcp=self.dhcp_enabled, uplink=self.uplink, node=self.node,
            dhcp_range=(self.dhcp_range.start, self.dhcp_range.end) if self.dhcp_range else None,
        )  # fmt: skip


class NetworkChange(BaseModel):
    """What to change of a network; what is left out stays."""

    model_config = ConfigDict(strict=True, extra="forbid", json_schema_extra={"minProperties": 1})

    name: Name | None = None
    vlan_id: Vlan | None = None
    subnet: Text | None = None
    gateway: Text | None = None
    dns_servers: Servers | None = None
    dhcp_enabled: bool | None = None
    dhcp_range: Span | None = None

    def changes(self) -> dict[str, Any]:
        """The fields of the domain that are given; without addresses to give out there is no range. Raises BadRequest."""
        given = self.model_dump(exclude_unset=True)
        if not given:
            raise BadRequest("Give at least one field to change.")
        if "dhcp_enabled" in given:
            given["has_dhcp"] = given.pop("dhcp_enabled")
            given |= {} if given["has_dhcp"] or "dhcp_range" in given else {"dhcp_range": None}
        if given.get("dhcp_range"):
            given["dhcp_range"] = (given["dhcp_range"]["start"], given["dhcp_range"]["end"])
        if "dns_servers" in given:
            given["dns_servers"] = tuple(given["dns_servers"] or ())
        return {name: "" if value is None and name in {"subnet", "gateway"} else value for name, value in given.items()}


class NetworkAtWork(NetworkRow):
    """A network on which a job works. `notes` say what is not quite as it was asked for."""

    notes: list[str]


class NetworkBegun(BaseModel):
    """What has begun."""

    network: NetworkAtWork


def begun(row: ClusterNetwork, job: Job, notes: list[str]) -> dict[str, Any]:
    """The answer to an operation that has become a job."""
    row = ClusterNetwork.objects.select_related("cluster", "claim").get(pk=row.pk)
    return {"network": {**one(row), "status": job.params["status"], "job_id": job.public_id, "notes": notes}}


class Networks(reading.Networks):
    """The networks of the caller's organization: listed, and made."""

    scopes = {**reading.Networks.scopes, "POST": WRITE}

    @extend_schema(
        operation_id="networks_create", request=NewNetwork, responses={201: NetworkBegun}, tags=["networks"],
        examples=[OpenApiExample("As documented", request_only=True, value=_DOCUMENTED)],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Make a network. Its id works at once; the job ends when it runs and was read back."""
        body = read_body(NewNetwork, request)
        wish = body.network()
        row, job = networks.create(wish, cluster=body.cluster, by=actor_of(request))
        said = begun(row, job, wish.notes())
        return Response(said, status=201, headers={"Location": f"/v1/networks/{said['network']['id']}"})


class Network(reading.Network):
    """One network: read, changed and removed."""

    scopes = {**reading.Network.scopes, "PUT": WRITE, "DELETE": WRITE}

    @extend_schema(
        operation_id="networks_update", parameters=[NETWORK_ID], request=NetworkChange, responses={200: NetworkBegun},
        tags=["networks"],
    )  # fmt: skip
    def put(self, request: Request, network_id: str) -> Response:
        """Change a network that ALMA made."""
        row = network_of(request, network_id)
        job = networks.change(row, read_body(NetworkChange, request).changes(), by=actor_of(request))
        return Response(begun(row, job, networks.wished(job).notes()))

    @extend_schema(
        operation_id="networks_delete", parameters=[NETWORK_ID], responses={200: NetworkBegun}, tags=["networks"]
    )
    def delete(self, request: Request, network_id: str) -> Response:
        """Remove a network that ALMA made and that no machine is attached to."""
        row = network_of(request, network_id)
        return Response(begun(row, networks.delete(row, by=actor_of(request)), []))
