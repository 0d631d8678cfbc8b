"""The run that removes one orphan."""

from django.utils import timezone

from alma.events.services import emit
from alma.jobs.kinds import JobKind
from alma.jobs.models import Job
from vms.drift.strays import facts, grace
from vms.models import Stray


class CleanupKind(JobKind):
    """A job that removes what nobody stands for. Its end is told on the cluster's stream as well."""

    prefix = "cleanup"
    is_cancellable = False

    def completed(self, job: Job) -> dict[str, object]:
        """Removed and read back, or left alone because it was not ours any more."""
        status = job.steps.values_list("evidence__status", flat=True).get()
        if status == "absent":
            self._end(job, Stray.State.REMOVED, "vm.orphan_removed", "removed, and read back as gone")
        else:
            self._end(job, Stray.State.GONE, "vm.stray_left", "it no longer carried its mark and was left alone")
        return {"status": status}

    def failed(self, job: Job) -> dict[str, object]:
        """It waits for another grace, and then it is tried again."""
        reason = (job.error or {}).get("message", "the run was stopped")
        stray = Stray.objects.select_related("cluster").get(pk=job.params["stray"])
        if stray.state == Stray.State.REMOVING:
            stray.move(Stray.State.QUARANTINED, note=f"not removed: {reason}", due_at=timezone.now() + grace())
        return {}

    def cancelled(self, job: Job) -> dict[str, object]:
        """The same."""
        return self.failed(job)

    @staticmethod
    def _end(job: Job, state: Stray.State, kind: str, why: str) -> None:
        stray = Stray.objects.select_related("cluster").get(pk=job.params["stray"])
        if stray.state == Stray.State.REMOVING:
            stray.move(state, note=why)
            data = facts(stray, why=why, cluster=stray.cluster.slug, job=job.public_id)
            emit(stray.cluster.stream, kind, organization_id=stray.organization_id, **data)
