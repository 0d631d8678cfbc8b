"""What keeps a container from its host."""

from vms.proxmox.values import join_properties, parse_properties
from vms.scans.facts import GuestFacts, known
from vms.scans.findings import Finding, Fix, Severity, finding, rule
from vms.scans.rules.reading import base, is_on
from vms.steps.mends import WIDE_FEATURES

_RAW = ("lxc.apparmor", "lxc.cap", "lxc.seccomp", "lxc.mount", "lxc.cgroup", "lxc.namespace")


@rule(
    "GUEST-CT-001", "Container is privileged", Severity.HIGH, kind="lxc", controls="CIS-10.5 SOC2-CC6.1 SOC2-CC6.8",
    remedy="Restore a backup of it as an unprivileged container: root within a privileged one is root on the node, and the "
    "setting cannot be changed later.",
)  # fmt: skip
def privileged(facts: GuestFacts) -> Finding | None:
    """No unprivileged=1; privileged is the default of the API."""
    config = known(facts.config)
    return (
        None if is_on(config, "unprivileged") else finding(("unprivileged", config.get("unprivileged", "0 (default)")))
    )


@rule(
    "GUEST-CT-002", "Container has features that reach into the kernel", Severity.LOW, kind="lxc",
    controls="CIS-4.8 CIS-10.5 SOC2-CC6.8",
    remedy="Switch off the features that nothing in the container needs; nesting and keyctl are for Docker and the like.",
)  # fmt: skip
def features(facts: GuestFacts) -> Finding | None:
    """nesting, keyctl, fuse, mknod, mount."""
    parts = parse_properties(str(known(facts.config).get("features", "")))
    wide = {name: parts[name] for name in WIDE_FEATURES if parts.get(name, "0") not in {"", "0"}}
    if not wide:
        return None
    left = {name: value for name, value in parts.items() if name and name not in wide}
    values: dict[str, str | int] = {"features": join_properties(left)} if left else {"delete": "features"}
    evidence = [(f"features: {name}", value) for name, value in wide.items()]
    return finding(*evidence, fix=Fix("PUT", f"{base(facts)}/config", values))


@rule(
    "GUEST-CT-003", "Container has raw settings of LXC", Severity.HIGH, kind="lxc", controls="CIS-4.1 CIS-10.5 SOC2-CC6.8",
    remedy="Take the lines out of the container’s file on the node; they can take away what keeps it from its host.",
)  # fmt: skip
def raw_settings(facts: GuestFacts) -> Finding | None:
    """lxc.* lines about profiles, capabilities, mounts and devices."""
    rows = known(facts.config).get("lxc") or ()
    told = [(str(row[0]), str(row[1])) for row in rows if isinstance(row, list | tuple) and len(row) == 2]
    wide = [(name, value) for name, value in told if name.startswith(_RAW)]
    return finding(*wide) if wide else None
