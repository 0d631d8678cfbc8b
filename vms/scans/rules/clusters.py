"""What all guests of a cluster stand on."""

from vms.scans.facts import ClusterFacts, NodeFacts, NotAssessed, known
from vms.scans.findings import Finding, Fix, Severity, finding, rule
from vms.scans.lifetimes import AS_OF, is_over, lifetime
from vms.scans.rules import ports, switches
from vms.scans.rules.reading import is_on

_FIREWALL = "CIS-4.2 CIS-4.4 CIS-13.4 SOC2-CC6.6"
_CLUSTER = "/cluster/firewall"


@rule(
    "CLUSTER-FW-001", "Firewall of the cluster is off", Severity.CRITICAL, controls=_FIREWALL,
    remedy="Write a rule that lets administrators in, then switch the firewall of the datacenter on: while it is off, no "
    "firewall of a node or a guest does anything.",
)  # fmt: skip
def cluster_firewall(facts: ClusterFacts) -> Finding | None:
    """Off in the options of the datacenter, which is the default."""
    return switches.switched_off(facts.firewall, _CLUSTER, "datacenter firewall")


@rule(
    "CLUSTER-FW-002", "Management port of the cluster is open to the world", Severity.CRITICAL, controls=_FIREWALL,
    remedy="Accept port 8006 and SSH from the addresses of administrators alone; the set “management” is for them.",
)  # fmt: skip
def cluster_ports(facts: ClusterFacts) -> Finding | None:
    """Rules of the datacenter."""
    return ports.open_to_world(facts.firewall, _CLUSTER)


@rule(
    "CLUSTER-FW-003", "Firewall of the cluster lets in what no rule names", Severity.HIGH, controls=_FIREWALL,
    remedy="Set the policy for incoming traffic to DROP, its default.",
)  # fmt: skip
def cluster_policy(facts: ClusterFacts) -> Finding | None:
    """policy_in of the datacenter."""
    return switches.lets_in_the_rest(facts.firewall, _CLUSTER, "datacenter firewall")


@rule(
    "CLUSTER-BACKUP-001", "No backup job is on", Severity.HIGH, controls="CIS-11.2 SOC2-A1.2",
    remedy="Make a backup job of the datacenter that saves all guests, with a schedule and a retention.",
)  # fmt: skip
def backup_jobs(facts: ClusterFacts) -> Finding | None:
    """Jobs of the datacenter that are enabled; that is their default."""
    jobs = known(facts.backup_jobs)
    if any(is_on(job, "enabled", 1) for job in jobs):
        return None
    return finding(("backup jobs", f"{len(jobs)}, all off" if jobs else "none"))


@rule(
    "CLUSTER-OS-001", "Proxmox VE is past its end of life", Severity.HIGH, controls="CIS-2.2 SOC2-CC7.1",
    remedy="Upgrade to a version that gets security updates.",
)  # fmt: skip
def version(facts: ClusterFacts) -> Finding | None:
    """By its major version."""
    told = known(facts.version)
    found = lifetime("proxmox", told)
    if found is None:
        raise NotAssessed(f"the table of {AS_OF} does not know Proxmox VE {told}".rstrip())
    if not is_over(found, facts.now.date()):
        return None
    return finding(("version", told), ("supported until", found.until), ("source", found.source))


@rule(
    "CLUSTER-TLS-001", "Certificate of the cluster is not verified", Severity.MEDIUM, controls="CIS-12.2 SOC2-CC6.7",
    remedy="Pin the certificate’s fingerprint or give its authority under “Change” of the cluster.",
)  # fmt: skip
def verified(facts: ClusterFacts) -> Finding | None:
    """As ALMA is told to connect."""
    return None if known(facts.is_verified) else finding(("verify the certificate", "off, and no fingerprint"))


@rule(
    "CLUSTER-TOKEN-001", "ALMA’s token may do more than it needs", Severity.MEDIUM, controls="CIS-6.8 SOC2-CC6.3",
    remedy="Make a token with a role of its own that has only what the connection test lists; whoever got hold of this one "
    "could take over the cluster.",
)  # fmt: skip
def excess(facts: ClusterFacts) -> Finding | None:
    """Privileges with which the token's holder could make accounts or change permissions."""
    wide = known(facts.excess)
    return finding(*(("privilege", name) for name in wide[:10])) if wide else None


@rule(
    "NODE-FW-001", "Firewall of the node is off", Severity.HIGH, controls=_FIREWALL,
    remedy="Switch the firewall of the node on; it is by default.",
)  # fmt: skip
def node_firewall(facts: NodeFacts) -> Finding | None:
    """Off in the options of the node, or of no effect because that of the cluster is off."""
    options = known(facts.firewall.options)
    if not is_on(options, "enable", 1):
        return finding(
            ("node firewall: enable", "0"), fix=Fix("PUT", f"/nodes/{facts.node}/firewall/options", {"enable": 1})
        )
    if is_on(known(facts.cluster_firewall), "enable"):
        return None
    return finding(
        ("node firewall: enable", options.get("enable", "1 (default)")), ("datacenter firewall: enable", "0")
    )


@rule(
    "NODE-FW-002", "Management port of the node is open to the world", Severity.CRITICAL, controls=_FIREWALL,
    remedy="Accept port 8006 and SSH from the addresses of administrators alone.",
)  # fmt: skip
def node_ports(facts: NodeFacts) -> Finding | None:
    """Rules of the node."""
    return ports.open_to_world(facts.firewall, f"/nodes/{facts.node}/firewall")
