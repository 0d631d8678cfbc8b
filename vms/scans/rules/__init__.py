"""All rules. To name them here is what enters them in the register."""

from vms.scans.findings import REGISTER, Rule
from vms.scans.rules import access, backups, clusters, containers, disks, network, systems

__all__ = ["REGISTER", "Rule", "access", "backups", "clusters", "containers", "disks", "network", "systems"]
