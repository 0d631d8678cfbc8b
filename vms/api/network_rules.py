"""`/v1/networks/{network_id}/firewall-rules`: what is added to a virtual network of ALMA's, and removed."""

from typing import Annotated, Any, Literal

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from pydantic import BaseModel, ConfigDict, StringConstraints
from rest_framework.request import Request
from rest_framework.response import Response

from alma.api.authentication import actor_of
from alma.api.bodies import read_body
from alma.api.dialects import PROXMOX
from alma.api.endpoints import Endpoint
from vms.api.network_changes import WRITE, NetworkBegun, begun
from vms.api.networks import NETWORK_ID, FirewallRule, network_of
from vms.operations import rules

RULE_ID = OpenApiParameter("rule_id", str, OpenApiParameter.PATH, description="Like rule-1f2e3d4c5b6a")
Text = Annotated[str, StringConstraints(max_length=100)]
_EXAMPLE = {"action": "allow", "protocol": "tcp", "port": 22, "source": "192.168.0.0/16"}


class NewRule(BaseModel):
    """A rule that is wanted. `port` is a number, or text with several (`80,443`) or a range (`8000:8099`)."""

    model_config = ConfigDict(strict=True, extra="forbid")

    action: Literal["allow", "deny"]
    protocol: Literal["tcp", "udp", "icmp"] | None = None
    port: int | Text | None = None
    source: Text | None = None
    destination: Text | None = None
    enabled: bool = True

    def rule(self) -> rules.Rule:
        """The same in terms of the domain."""
        return rules.Rule(
            action=self.action, protocol=self.protocol or "", port="" if self.port is None else str(self.port), source=self.source or "",
            destination=self.destination or "", is_enabled=self.enabled,
        )  # fmt: skip


class RuleBegun(NetworkBegun):
    """What has begun, and the rule as it will be."""

    rule: FirewallRule


class Rules(Endpoint):
    """The rules of one network."""

    dialect = PROXMOX
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="networks_rules_create", parameters=[NETWORK_ID], request=NewRule, responses={201: RuleBegun},
        tags=["networks"], examples=[OpenApiExample("Like the documented one", request_only=True, value=_EXAMPLE)],
    )  # fmt: skip
    def post(self, request: Request, network_id: str) -> Response:
        """Add a rule before all others of a virtual network, and switch its firewall on."""
        row, body = network_of(request, network_id), read_body(NewRule, request)
        rule = body.rule()
        rule_id, job = rules.add(row, rule, by=actor_of(request))
        said: dict[str, Any] = {**begun(row, job, [rules.EFFECT]), "rule": {"id": rule_id, **rule.told()}}
        return Response(said, status=201)


class Rule(Endpoint):
    """One rule."""

    dialect = PROXMOX
    scopes = {"DELETE": WRITE}

    @extend_schema(
        operation_id="networks_rules_delete", parameters=[NETWORK_ID, RULE_ID], responses={200: NetworkBegun},
        tags=["networks"],
    )  # fmt: skip
    def delete(self, request: Request, network_id: str, rule_id: str) -> Response:
        """Remove a rule that ALMA added."""
        row = network_of(request, network_id)
        return Response(begun(row, rules.remove(row, rule_id, by=actor_of(request)), []))
