"""Rolling a deployment back as a durable job of its own, told on the deployment's stream."""

from django.urls import reverse

from alma.accounts.actors import Actor
from alma.jobs.kinds import JobKind, Place
from alma.jobs.models import Job
from iprs.models import IPR, Deployment
from vms.services import created_by


class RollbackKind(JobKind):
    """A job that undoes what one deployment did."""

    prefix = "rollback"
    stopping = "What is in flight is finished, nothing more is undone. The rollback can be asked for again."
    stopping_needs = ("job:write", "ipr:deploy")
    told_as = {
        "queued": "deployment.rollback_queued",
        "started": "deployment.rolling_back",
        "step": "deployment.step",
        "log": "deployment.log",
        "error": "deployment.error",
        "resource": "deployment.undone",
        "cancelling": "deployment.rollback_cancelling",
        "completed": "deployment.rolled_back",
        "failed": "deployment.rollback_failed",
        "cancelled": "deployment.rollback_failed",
    }

    def places(self, job: Job) -> list[Place]:
        """The deployment that it undoes: it is told on that one's stream."""
        return [Place("Deployment", reverse("iprs:deployment", args=[job.stream.partition(":")[2]]), "deploy")]

    def stop(self, job: Job, *, by: Actor) -> bool:
        """As all jobs, by whoever may deploy. Raises Refused."""
        by.require("ipr:deploy")
        return False

    def completed(self, job: Job) -> dict[str, object]:
        """Each guest was read back: gone, or as it was before."""
        data = self._end(job, Deployment.Status.ROLLED_BACK)
        ipr = IPR.objects.select_for_update().get(pk=job.rolled_back.ipr_id)
        if ipr.status == IPR.Status.FAILED:  # it may have been planned again meanwhile
            ipr.move(IPR.Status.ROLLED_BACK, by=job.created_by, deployment=job.rolled_back.job.public_id)
        return data

    def failed(self, job: Job) -> dict[str, object]:
        """It stopped; what is still there is named."""
        return self._end(job, Deployment.Status.ROLLBACK_FAILED)

    def cancelled(self, job: Job) -> dict[str, object]:
        """The same: it can be asked for again."""
        return self._end(job, Deployment.Status.ROLLBACK_FAILED)

    @staticmethod
    def _end(job: Job, status: Deployment.Status) -> dict[str, object]:
        deployment: Deployment = job.rolled_back
        leftovers = created_by(deployment.job)
        Deployment.objects.filter(pk=deployment.pk).update(leftovers=leftovers)
        deployment.move(status)
        began, ended = job.started_at or job.created_at, job.finished_at
        return {"duration_seconds": int((ended - began).total_seconds()) if ended else 0, "leftovers": leftovers}
