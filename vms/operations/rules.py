"""Rules of the firewall of a virtual network that ALMA made."""

import re
import secrets
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from alma.accounts.actors import Actor
from alma.errors import NotFound, Refused, WrongState
from alma.jobs.models import Job
from alma.jobs.services import StepSpec
from vms.models import ClusterNetwork, PlaceClaim
from vms.operations.places import begin, held
from vms.operations.reaching import begins_work
from vms.refusing import invalid

ACTIONS = {"allow": "ACCEPT", "deny": "DROP"}
WITH_PORTS = frozenset({"tcp", "udp"})
MOST_RULES = 100
_PORTS = re.compile(r"\d{1,5}([:,]\d{1,5}){0,14}", re.ASCII)
_OURS = re.compile(r"rule-[0-9a-f]{12}", re.ASCII)
EFFECT = "Rules of virtual networks take effect on nodes that use Proxmox's nftables firewall, while the cluster's firewall is on."


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What may or may not pass through a network. `port` is one, several with commas, or a range with a colon."""

    action: str
    protocol: str = ""
    port: str = ""
    source: str = ""
    destination: str = ""
    is_enabled: bool = True

    def values(self, mark: str) -> dict[str, Any]:
        """What Proxmox is told."""
        return {
            "type": "forward", "action": ACTIONS[self.action], "enable": int(self.is_enabled), "comment": mark,
            "proto": self.protocol or None, "dport": self.port or None, "source": self.source or None,
            "dest": self.destination or None,
        }  # fmt: skip

    def told(self) -> dict[str, Any]:
        """As lists tell it once it is there."""
        return {
            "action": self.action, "protocol": self.protocol or None, "source": self.source or None,
            "port": int(self.port) if self.port.isdecimal() else self.port or None,
            "destination": self.destination or None, "enabled": self.is_enabled,
        }  # fmt: skip


def check(rule: Rule) -> None:
    """Raises Invalid."""
    if rule.port and rule.protocol not in WITH_PORTS:
        raise invalid("protocol", "tcp or udp, for a rule with a port", rule.protocol, reason="protocol_needs_ports")
    if rule.port and not (
        _PORTS.fullmatch(rule.port) and all(0 < int(one) < 65536 for one in re.split("[:,]", rule.port))
    ):
        raise invalid(
            "port", "1 to 65535, several with commas, or a range with a colon", rule.port[:100], reason="invalid_port"
        )
    for field, value in (("source", rule.source), ("destination", rule.destination)):
        try:
            ip_network(value or "::/0")
        except ValueError as error:
            raise invalid(
                field, "an address, or a network with its prefix length", value[:100], reason="invalid_address"
            ) from error


@begins_work
def add(row: ClusterNetwork, rule: Rule, *, by: Actor) -> tuple[str, Job]:
    """Add a rule before all others; returns its id. Raises Refused, Invalid, WrongState, Unavailable."""
    check(rule)
    claim = _held(row, by=by)
    if len(row.firewall_rules or ()) >= MOST_RULES:
        raise WrongState(f"{row.name} has {MOST_RULES} rules; remove some first.", code="TOO_MANY_RULES")
    told = rule.told()
    if any({**one, "id": ""} == {**told, "id": ""} for one in row.firewall_rules or ()):
        raise WrongState(f"{row.name} has such a rule already.", code="RULE_EXISTS")
    number = secrets.token_hex(6)
    mark = f"alma-rule-{number}"
    return f"rule-{number}", _begin("rule", row, claim, mark, goal=rule.values(mark), by=by)


@begins_work
def remove(row: ClusterNetwork, rule_id: str, *, by: Actor) -> Job:
    """Remove a rule that ALMA added. Raises Refused, NotFound, WrongState, Unavailable."""
    claim = _held(row, by=by)
    if rule_id not in {rule["id"] for rule in row.firewall_rules or ()}:
        raise NotFound("The network has no such rule.", code="RULE_NOT_FOUND")
    if not is_ours(rule_id):
        raise Refused("This rule was not made by ALMA, so ALMA does not touch it.", code="PLACE_NOT_OURS")
    return _begin("unrule", row, claim, f"alma-{rule_id}", goal=None, by=by)


def is_ours(rule_id: str) -> bool:
    """Whether ALMA added the rule of an id."""
    return bool(_OURS.fullmatch(rule_id))


def _held(row: ClusterNetwork, *, by: Actor) -> PlaceClaim:
    claim = held(row, "network:write", by=by)
    if claim.kind == PlaceClaim.Kind.BRIDGE:
        raise WrongState("Bridges of nodes have no firewall of their own; virtual networks have.", code="NO_FIREWALL")
    return claim


def _begin(verb: str, row: ClusterNetwork, claim: PlaceClaim, mark: str, *, goal: Any, by: Actor) -> Job:
    params = {"cluster": claim.cluster_id, "claim": str(claim.pk), "mark": mark, "goal": goal, "before": None}
    steps = [StepSpec("network.rule", claim.handle, f"Rule of {claim.name}", 0, 1, params)]
    return begin("network", verb, claim, steps, where=f"rules:{claim.handle}", by=by, network=row.pk)
