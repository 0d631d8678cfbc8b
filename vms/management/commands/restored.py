"""manage.py restored: what must be done before the roles start on a database that was brought back from a backup."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from alma.errors import Unavailable, WrongState
from alma.jobs import services as jobs
from alma.jobs.models import Job
from vms import ledger
from vms.invariants import TAG
from vms.models import Cluster
from vms.proxmox.client import connect, disconnect
from vms.proxmox.cluster import list_guests
from vms.services import clear_answers

SKIP = 1000


class Command(BaseCommand):
    """Exit status 0: done; 2: a cluster could not be read, and only a part of it was done for that one."""

    help = (
        "After a restore, before the start: stop runs that the backup takes for unfinished, and never reuse a number."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--skip", type=int, default=SKIP, help="numbers to pass over on each cluster (default 1000)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for job in Job.objects.active().exclude(kind="plan"):
            self._stop(job)
        unread = [cluster for cluster in Cluster.objects.enabled() if not self._pass_over(cluster, options["skip"])]
        if unread:
            raise SystemExit(2)

    def _stop(self, job: Job) -> None:
        try:
            jobs.cancel(job, by="restored")
        except WrongState:  # it was being cancelled when the backup was taken
            return
        self.stdout.write(f"{job}: nothing new begins; what was in flight is finished when the roles start")

    def _pass_over(self, cluster: Cluster, skip: int) -> bool:
        """Whether the cluster could be read; without, what it has is not known, and only the skip counts."""
        try:
            with clear_answers(cluster):
                seen = [row.vmid for row in list_guests(connect(cluster)) if TAG in row.tags.split(";")]
        except Unavailable as error:
            seen, why = [], error.message
        else:
            why = ""
        finally:
            disconnect()
        with transaction.atomic():
            first = ledger.pass_over(cluster.pk, seen, skip)
        self.stdout.write(
            f"{cluster.slug}: new guests get numbers from {first} on" + (f"; not read: {why}" if why else "")
        )
        return not why
