"""Where users come from: the two realms of every installation, and those that somebody added."""

from vms.sandbox.core import sections
from vms.sandbox.core.model import Json
from vms.sandbox.core.sections import Section
from vms.sandbox.core.world import World

REALMS = Section(
    "domains", "realm", "domain '{}' does not exist", "domain '{}' already exists", "file-domains_cfg", "auth server"
)
BUILT_IN: dict[str, dict[str, Json]] = {
    "pam": {"type": "pam", "comment": "Linux PAM standard authentication"},
    "pve": {"type": "pve", "comment": "Proxmox VE authentication server"},
}


def configured(world: World) -> dict[str, dict[str, Json]]:
    return {**BUILT_IN, **{entry.name: entry.values for entry in sections.rows(world, REALMS)}}
