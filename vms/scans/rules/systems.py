"""What a guest runs, and what it may take of its node."""

import re
from datetime import date

from vms.proxmox.values import MIB, parse_properties
from vms.scans.facts import GuestFacts, NotApplicable, NotAssessed, known
from vms.scans.findings import Finding, Fix, Severity, finding, rule
from vms.scans.lifetimes import AS_OF, OLD_TYPES, is_over, lifetime
from vms.scans.rules.reading import base, is_on

_MACHINE = re.compile(r"pc-(?:i440fx|q35)-(\d+)\.(\d+)")
_MONTHS = {0: 4, 1: 8, 2: 12}
REMOVED_AFTER_YEARS = 6
"""QEMU deprecates a versioned machine type after three years and takes it away after six."""
_INTO_HOST = re.compile(r"args|hookscript|hostpci\d+")


@rule(
    "GUEST-OS-001", "Operating system is past its end of life", Severity.HIGH, controls="CIS-2.2 SOC2-CC7.1 SOC2-CC6.8",
    remedy="Move to a version that gets security updates, or buy extended support and keep the guest off other networks.",
)  # fmt: skip
def end_of_life(facts: GuestFacts) -> Finding | None:
    """By the version that the guest's agent tells, or a type of system of which none is supported."""
    old = OLD_TYPES.get(str(known(facts.config).get("ostype", "")))
    if old is not None and facts.kind == "vm":
        return finding(("ostype", old[0]), ("supported until", old[1]))
    system = known(facts.system)
    found = lifetime(system.family, system.version)
    if found is None:
        raise NotAssessed(
            f"the table of {AS_OF} does not know {system.name or system.family} {system.version}".rstrip()
        )
    if not is_over(found, facts.now.date()):
        return None
    return finding(("system", system.name), ("supported until", found.until), ("source", found.source))


@rule(
    "GUEST-AGENT-001", "Guest agent is missing", Severity.LOW, kind="vm", controls="CIS-4.6 SOC2-CC7.1",
    remedy="Install qemu-guest-agent in the guest and switch it on: without it backups are not consistent, and neither its "
    "addresses nor its system are known.",
)  # fmt: skip
def agent(facts: GuestFacts) -> Finding | None:
    """Switched off, or on and silent while the machine runs."""
    text = str(known(facts.config).get("agent", "0"))
    parts = parse_properties(text)
    if not is_on({"enabled": parts.get("enabled") or parts.get("", "0")}, "enabled"):
        return finding(("agent", text), fix=Fix("PUT", f"{base(facts)}/config", {"agent": "enabled=1"}))
    if facts.status != "running":
        raise NotApplicable
    return None if known(facts.agent_answers) else finding(("agent", text), ("answer", "none while it runs"))


@rule(
    "GUEST-SYS-001", "Machine type is no longer supported", Severity.MEDIUM, kind="vm", controls="CIS-2.2 SOC2-CC7.1",
    remedy="Choose a newer machine type at the next stop of the machine, and see that its devices are still found.",
)  # fmt: skip
def machine_type(facts: GuestFacts) -> Finding | None:
    """A pinned version that is as old as those that QEMU takes away."""
    machine = str(known(facts.config).get("machine", ""))
    pinned = _MACHINE.search(machine)
    if pinned is None:
        return None
    major, minor = int(pinned[1]), int(pinned[2])
    released = date(2015 + major if major > 2 else 2014, _MONTHS.get(minor, 12), 1)
    is_old = (facts.now.date() - released).days > REMOVED_AFTER_YEARS * 365
    return finding(("machine", machine), ("released", f"{released:%Y-%m}")) if is_old else None


@rule(
    "GUEST-SYS-002", "No secure boot or no TPM", Severity.INFO, kind="vm", controls="CIS-10.5 SOC2-CC6.8",
    remedy="For new machines choose OVMF with enrolled keys and a TPM 2.0; an installed system often cannot be moved over.",
)  # fmt: skip
def secure_boot(facts: GuestFacts) -> Finding | None:
    """OVMF with keys, and tpmstate0."""
    config = known(facts.config)
    keys = parse_properties(str(config.get("efidisk0", ""))).get("pre-enrolled-keys", "0")
    lacking = [("bios", str(config.get("bios", "seabios (default)")))] if config.get("bios") != "ovmf" else []
    lacking += [("efidisk0: pre-enrolled-keys", keys)] if not lacking and keys != "1" else []
    lacking += [("tpmstate0", "not there")] if not config.get("tpmstate0") else []
    return finding(*lacking) if lacking else None


@rule(
    "GUEST-SYS-003", "Machine reaches into its host", Severity.MEDIUM, kind="vm", controls="CIS-4.1 SOC2-CC6.1 SOC2-CC6.8",
    remedy="Take out arguments for QEMU, hook scripts and passed-through devices that nobody needs; an administrator of the "
    "node set them, and ALMA never does.",
)  # fmt: skip
def into_host(facts: GuestFacts) -> Finding | None:
    """args, hookscript, hostpci."""
    config = known(facts.config)
    found = [(name, "set" if name == "args" else str(config[name])) for name in config if _INTO_HOST.fullmatch(name)]
    return finding(*found) if found else None


@rule(
    "GUEST-RES-001", "Guest may take the whole node", Severity.LOW, controls="CIS-4.1 SOC2-A1.1",
    remedy="Give it a limit of CPU (cpulimit, or fewer cores) and less memory than the node has, so that its neighbours go on "
    "when it runs wild.",
)  # fmt: skip
def limits(facts: GuestFacts) -> Finding | None:
    """As many cores as the node without a limit, or as much memory."""
    if facts.is_template:
        raise NotApplicable
    config = known(facts.config)
    taken = [*_cpu(facts), *_memory(facts)]
    return finding(("cpulimit", config.get("cpulimit", "0 (none)")), *taken) if taken else None


def _cpu(facts: GuestFacts) -> list[tuple[str, str]]:
    config = known(facts.config)
    if float(config.get("cpulimit") or 0):
        return []
    if facts.kind == "lxc" and not config.get("cores"):
        return [("cores", "not set: all of the node")]
    cores = int(config.get("cores") or 1) * int(config.get("sockets") or 1)
    total = known(facts.node_cores)
    return [("cores", f"{cores} of {total}")] if cores >= total else []


def _memory(facts: GuestFacts) -> list[tuple[str, str]]:
    parts = parse_properties(str(known(facts.config).get("memory", 512)))
    wanted = int(parts.get("current") or parts.get("") or 512) * MIB
    total = known(facts.node_memory)
    return [("memory", f"{wanted // MIB} of {total // MIB} MiB")] if wanted >= total else []
