"""Switching the firewall of a guest on."""

from alma.jobs.kinds import Wait
from vms.proxmox import guests
from vms.proxmox.answers import mapping, rows, whole
from vms.steps.base import GuestStep
from vms.steps.work import Work


class GuardGuest(GuestStep):
    """Switch the guest's own firewall on: it lets out what goes out, and in what a rule allows. A guest without any rule
    gets one that allows SSH, or nobody could reach it. No parameters beside the common ones."""

    def turn(self, work: Work) -> None:
        """Look, do the next of both, and end when it is on."""
        claim = work.own_claim()
        reading = work.ours(claim)
        here = (*guests.path(reading), "firewall")
        if whole(mapping(work.api.get(*here, "options"), "firewall"), "enable"):
            work.succeed(claim, reading, firewall="on")
            return
        has_rules = bool(rows(work.api.get(*here, "rules"), "rules"))
        work.intend(claim, intent="firewall")
        work.context.renew()
        if has_rules:
            work.api.put(*here, "options", enable=True)
        else:
            work.api.post(*here, "rules", type="in", action="ACCEPT", macro="SSH", enable=1, comment="ALMA")
        work.context.record(**work.tried())
        raise Wait
