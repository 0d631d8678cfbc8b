"""cloud-init user data, one document for each machine."""

from typing import Any

import yaml

from blueprints.code.packaging import by_hand, packages
from blueprints.schema import BlueprintDocument, Machine, expand_machines

HEAD = "#cloud-config"


def render(document: BlueprintDocument) -> str:
    """The documents, each under the name of its machine."""
    return "\n".join(_document(machine) for machine in expand_machines(document))


def hostnames(code: str) -> list[str]:
    """What a reader of the code finds."""
    return [row["hostname"] for row in yaml.safe_load_all(code) if row]


def _document(machine: Machine) -> str:
    text = yaml.safe_dump(_values(machine), sort_keys=False, allow_unicode=True, width=120)
    left = "".join(f"# {name} is not a package here: install it by hand\n" for name in by_hand(machine))
    if not machine.ssh_keys:
        left += "# no SSH key was given: nobody can sign in until ssh_authorized_keys is added to the user\n"
    return f"---\n{HEAD}\n# {machine.key}: user data, without the line of dashes above\n{left}{text}"


def _values(machine: Machine) -> dict[str, Any]:
    account: dict[str, Any] = {"name": machine.user or "alma", "sudo": "ALL=(ALL) NOPASSWD:ALL", "shell": "/bin/bash"}
    if machine.ssh_keys:
        account["ssh_authorized_keys"] = list(machine.ssh_keys)
    return {
        "hostname": machine.key,
        "users": [account],
        "ssh_pwauth": False,
        "disable_root": True,
        **({"timezone": machine.timezone} if machine.timezone else {}),
        "package_update": True,
        "packages": ["qemu-guest-agent", *packages(machine)],
        "runcmd": [["systemctl", "enable", "--now", "qemu-guest-agent"]],
    }
