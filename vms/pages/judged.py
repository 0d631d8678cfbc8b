"""What the last scan found at one machine."""

from functools import cached_property

from alma.accounts.actors import Actor
from vms.models import Guest, ScanFinding, ScanSubject
from vms.scans import services as scans
from vms.scans.rules import REGISTER

MOST_FINDINGS = 6


class Judgement:
    """The last judgement of a machine and the worst of its findings, for those who may know them."""

    def __init__(self, guest: Guest, actor: Actor) -> None:
        self.guest = guest
        self.actor = actor

    @cached_property
    def subject(self) -> ScanSubject | None:
        """The machine as the last scan saw it."""
        if not self.actor.has(scans.READ):
            return None
        rows = ScanSubject.objects.filter(guest=self.guest, assessed_at__isnull=False).select_related("scan")
        return rows.defer("tally", "scan__tally").order_by("-assessed_at", "-pk").first()

    @cached_property
    def findings(self) -> list[tuple[ScanFinding, str]]:
        """The worst of what it found, each with the title of its rule."""
        rows = ScanFinding.objects.filter(subject=self.subject).broken().order_by("rank", "rule", "pk")
        return [(row, REGISTER[row.rule].title if row.rule in REGISTER else row.rule) for row in rows[:MOST_FINDINGS]]
