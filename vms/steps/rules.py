"""A rule of the firewall of a virtual network that ALMA made."""

from typing import Any

from vms.models import PlaceClaim
from vms.proxmox import sdn
from vms.proxmox.answers import mapping, rows, text, whole
from vms.proxmox.networks import rule
from vms.steps.places import Goal, PlaceStep, refuse_unmarked
from vms.steps.work import Work


class NetworkRule(PlaceStep):
    """One rule, known by the mark in its comment, and the firewall switched on for a rule that shall be there. Further
    parameter: `mark`. Rules take effect at once, nothing is applied."""

    def converge(self, work: Work, claim: PlaceClaim, goal: Goal) -> dict[str, Any]:
        """The rule first, so that nothing is switched on without it."""
        vnets = rows(work.api.get(*sdn.HERE, "vnets"), "virtual networks")
        refuse_unmarked(claim, next((row for row in vnets if text(row, "vnet") == claim.handle), None), "alias")
        here = (*sdn.HERE, "vnets", claim.handle, "firewall")
        found = rows(work.api.get(*here, "rules"), "rules")
        mine = next((row for row in found if work.params["mark"] in text(row, "comment")), None)
        if goal is None and mine is not None:
            path, digest = (*here, "rules", whole(mine, "pos")), text(mine, "digest") or None
            self.act(work, "remove the rule", lambda: work.api.delete(*path, digest=digest))
        if goal is not None and mine is None:
            self.act(work, "add the rule", lambda: work.api.post(*here, "rules", **goal))
        if goal is not None and not whole(mapping(work.api.get(*here, "options"), "options"), "enable"):
            self.act(work, "switch the network's firewall on", lambda: work.api.put(*here, "options", enable=True))
        return {"handle": claim.handle, "rules": [rule(row) for row in found]}

    def settle(self, work: Work, claim: PlaceClaim, goal: Goal) -> None:
        """The network is there either way."""
