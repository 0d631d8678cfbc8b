"""Who can reach a guest."""

from ipaddress import ip_address, ip_interface

from vms.proxmox.values import join_properties, parse_properties
from vms.scans.facts import GuestFacts, NotApplicable, known
from vms.scans.findings import Finding, Fix, Severity, finding, rule
from vms.scans.rules import ports, switches
from vms.scans.rules.reading import Parts, base, cards, is_on, mac_of

_FIREWALL = "CIS-4.4 CIS-13.4 SOC2-CC6.6"


def _cards(facts: GuestFacts) -> dict[str, Parts]:
    found = cards(facts)
    if not found:
        raise NotApplicable
    return found


@rule(
    "GUEST-NET-001", "Firewall of the guest is off", Severity.HIGH, controls=_FIREWALL,
    remedy="Write the rules that the guest needs, then switch its firewall on. It does nothing before the firewall of the "
    "cluster and of each card are on as well.",
)  # fmt: skip
def firewall(facts: GuestFacts) -> Finding | None:
    """Off in its own options, which is the default."""
    _cards(facts)
    return switches.switched_off(facts.firewall, f"{base(facts)}/firewall", "firewall options")


@rule(
    "GUEST-NET-002", "Network card goes past the firewall", Severity.HIGH, controls=_FIREWALL,
    remedy="Set firewall=1 on the card; without it no rule of the guest or the cluster holds for its traffic.",
)  # fmt: skip
def card_firewall(facts: GuestFacts) -> Finding | None:
    """Cards without firewall=1."""
    bare = {name: parts for name, parts in _cards(facts).items() if not is_on(parts, "firewall")}
    if not bare:
        return None
    values = {name: join_properties({**parts, "firewall": "1"}) for name, parts in bare.items()}
    evidence = [(f"{name}: firewall", parts.get("firewall", "0 (default)")) for name, parts in bare.items()]
    return finding(*evidence, fix=Fix("PUT", f"{base(facts)}/config", values))


@rule(
    "GUEST-NET-003", "Management port is open to the world", Severity.CRITICAL, controls=f"CIS-4.2 {_FIREWALL}",
    remedy="Accept SSH, RDP, VNC and port 8006 from the addresses of administrators alone: name them in the rule’s source, or "
    "reach them through a VPN.",
)  # fmt: skip
def open_ports(facts: GuestFacts) -> Finding | None:
    """Rules of the guest, and of the groups that it names."""
    return ports.open_to_world(facts.firewall, f"{base(facts)}/firewall")


@rule(
    "GUEST-NET-004", "Firewall lets in what no rule names", Severity.HIGH, controls=_FIREWALL,
    remedy="Set the policy for incoming traffic to DROP, after the rules that the guest needs are written.",
)  # fmt: skip
def policy(facts: GuestFacts) -> Finding | None:
    """policy_in of a firewall that is on; its default is DROP."""
    return switches.lets_in_the_rest(facts.firewall, f"{base(facts)}/firewall", "firewall options")


@rule(
    "GUEST-NET-005", "Public address without a firewall", Severity.CRITICAL, controls=f"CIS-12.2 {_FIREWALL}",
    remedy="Put the firewall between the card and the Internet (cluster, guest and card must all be on), or give the guest a "
    "private address behind a proxy.",
)  # fmt: skip
def exposure(facts: GuestFacts) -> Finding | None:
    """A public address on a card whose traffic no firewall sees."""
    found = _cards(facts)
    bare = (
        found if not _is_filtered(facts) else {name: one for name, one in found.items() if not is_on(one, "firewall")}
    )
    if not bare:
        return None
    seen = [(f"{name}: address", address) for name, parts in bare.items() for address in _public(facts, name, parts)]
    return finding(*seen) if seen else None


def _is_filtered(facts: GuestFacts) -> bool:
    """Whether the firewalls of the cluster and the guest are both on."""
    return is_on(known(facts.cluster_firewall), "enable") and is_on(known(facts.firewall.options), "enable")


def _public(facts: GuestFacts, name: str, parts: Parts) -> list[str]:
    """The public addresses of a card: those it is configured with, or those that are seen on it. Raises NotAssessed."""
    told = parts | parse_properties(str(known(facts.config).get(f"ipconfig{name[3:]}", "")))
    fixed = [told[key] for key in ("ip", "ip6") if told.get(key, "")[:1].isdigit() or ":" in told.get(key, "")]
    seen = (
        [str(ip_interface(one).ip) for one in fixed] if fixed else list(known(facts.addresses).get(mac_of(parts), ()))
    )
    return [one for one in seen if ip_address(one).is_global]


@rule(
    "GUEST-NET-006", "Guest may send under any hardware address", Severity.LOW, controls="CIS-13.9 SOC2-CC6.6",
    remedy="Leave the MAC filter of the guest’s firewall on, so that it cannot pretend to be another one.",
)  # fmt: skip
def mac_filter(facts: GuestFacts) -> Finding | None:
    """macfilter switched off; its default is on."""
    _cards(facts)
    if is_on(known(facts.firewall.options), "macfilter", 1):
        return None
    fix = Fix("PUT", f"{base(facts)}/firewall/options", {"macfilter": 1})
    return finding(("firewall options: macfilter", "0"), fix=fix)
