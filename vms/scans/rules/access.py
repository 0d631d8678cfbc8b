"""Who can sign in to a guest, as far as cloud-init and notes tell."""

import re
from typing import Any

from vms.scans.facts import GuestFacts, Missing, NotApplicable, PasswordFacts, known
from vms.scans.findings import Finding, Fix, Severity, finding, rule
from vms.scans.rules.reading import base

_NOTED = re.compile(r"\b(pass(?:word|wd|phrase)?|pw|secret|api[_ -]?key)\b\s*[:=]\s*(\S+)", re.IGNORECASE)
_SEED = re.compile(r"(ide|scsi|sata)\d+")
_KEYS = ("ciuser", "cipassword", "sshkeys", "cicustom")


def _seeded(facts: GuestFacts) -> dict[str, Any]:
    """The configuration of a machine that cloud-init sets up. Raises NotApplicable, NotAssessed."""
    config = dict(known(facts.config))
    has_seed = any("cloudinit" in str(value) for name, value in config.items() if _SEED.fullmatch(name))
    if not has_seed and not any(config.get(name) for name in _KEYS):
        raise NotApplicable
    return config


def _password(facts: GuestFacts) -> PasswordFacts:
    if not _seeded(facts).get("cipassword"):
        raise NotApplicable
    told = known(facts.password)
    if told is None:
        raise NotApplicable
    return told


@rule(
    "GUEST-AUTH-001", "Cloud-init sets a default password", Severity.CRITICAL, kind="vm",
    controls="CIS-4.7 CIS-5.2 SOC2-CC6.1",
    remedy="Take the password out of cloud-init, sign in with SSH keys, and change the password of the account in the guest.",
)  # fmt: skip
def default_password(facts: GuestFacts) -> Finding | None:
    """A password that everybody tries first."""
    if not known(_password(facts).is_default):
        return None
    fix = Fix("PUT", f"{base(facts)}/config", {"delete": "cipassword"})
    return finding(("cipassword", "one of the best-known passwords"), fix=fix)


@rule(
    "GUEST-AUTH-002", "Cloud-init holds a password in plain text", Severity.HIGH, kind="vm", controls="CIS-3.11 SOC2-CC6.1",
    remedy="Take the password out of cloud-init and use SSH keys; whoever may read the machine’s configuration can read it.",
)  # fmt: skip
def plain_password(facts: GuestFacts) -> Finding | None:
    """A password that is not hashed in the seed."""
    if not _password(facts).is_plain:
        return None
    fix = Fix("PUT", f"{base(facts)}/config", {"delete": "cipassword"})
    return finding(("cipassword", "set, and not hashed"), fix=fix)


@rule(
    "GUEST-AUTH-003", "Cloud-init has no SSH keys", Severity.MEDIUM, kind="vm", controls="CIS-5.2 CIS-4.7 SOC2-CC6.1",
    remedy="Give cloud-init the public keys of those who may sign in; without any, passwords are the only way in.",
)  # fmt: skip
def ssh_keys(facts: GuestFacts) -> Finding | None:
    """A machine with cloud-init and without keys; a custom seed may hold them."""
    config = _seeded(facts)
    if config.get("sshkeys"):
        return None
    if "user=" in str(config.get("cicustom", "")):
        known(Missing("a custom file of cloud-init says who may sign in, and files are not read"))
    return finding(("sshkeys", "not set"), ("cipassword", "set" if config.get("cipassword") else "not set"))


@rule(
    "GUEST-AUTH-004", "Notes of the guest hold a password", Severity.HIGH, controls="CIS-3.11 SOC2-CC6.1 SOC2-C1.1",
    remedy="Delete it from the notes and change it: everybody who may look at the guest has read it.",
)  # fmt: skip
def noted_password(facts: GuestFacts) -> Finding | None:
    """Words like “password: …” in the description. What stands behind them is not shown."""
    found = _NOTED.search(str(known(facts.config).get("description", "")))
    return finding(("description", f"“{found[1]}: …”")) if found else None


@rule(
    "GUEST-OPT-001", "Guest of a protected environment can be deleted", Severity.MEDIUM, controls="CIS-4.1 SOC2-CC8.1",
    remedy="Set the protection of the guest: Proxmox VE then refuses to remove it or its disks.",
)  # fmt: skip
def protection(facts: GuestFacts) -> Finding | None:
    """No protection flag where the environment is protected."""
    is_protected = known(facts.is_protected_environment)
    if not is_protected or facts.is_template:
        raise NotApplicable
    if str(known(facts.config).get("protection", 0)) == "1":
        return None
    fix = Fix("PUT", f"{base(facts)}/config", {"protection": 1})
    return finding(("protection", "0 (default)"), ("environment", known(facts.environment)), fix=fix)
