"""Letting what a run left in flight come to its end, before anything of it is undone."""

from django.utils import timezone

from alma.jobs.kinds import Wait
from vms.proxmox import tasks
from vms.proxmox.tasks import Outcome
from vms.steps.base import GuestStep
from vms.steps.work import Work


class SettleTasks(GuestStep):
    """Wait until the tasks have ended and no call of the run can be on its way any more.

    Parameters: `cluster`, `tasks` (ids of Proxmox's), `until` (seconds since the epoch). It changes nothing.
    """

    deadline = 1800.0

    def turn(self, work: Work) -> None:
        """Ended, or no longer known: both are over. Raises Wait, Unknown."""
        if timezone.now().timestamp() < work.params["until"]:
            raise Wait
        found = {upid: tasks.read(work.api, upid).outcome for upid in work.params["tasks"]}
        if Outcome.RUNNING in found.values():
            raise Wait
        work.context.succeed(tasks={upid: outcome.value for upid, outcome in found.items()}, status="settled")
