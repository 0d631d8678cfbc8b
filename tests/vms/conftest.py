"""A cluster on a sandbox over real TLS, and jobs that are run to their end by the engine."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from alma.events.models import Event
from alma.jobs import engine
from alma.jobs.models import Job
from alma.jobs.services import StepSpec, create_job
from tests.factories.vms import make_cluster
from tests.fixtures.sandbox import RunningSandbox, fresh_sandbox, sandbox
from vms.models import Cluster
from vms.proxmox.client import disconnect

__all__ = ["fresh_sandbox", "sandbox"]


class Runner:
    """Makes jobs of a plain kind and advances them."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def make(self, steps: Iterable[StepSpec], **options: Any) -> Job:
        return create_job("vms-test", steps, organization_id=self.cluster.organization_id, **options)

    def finish(self, job: Job, *, turns: int = 20) -> Job:
        """Advance until the job has ended; a test that needs more turns is stuck."""
        for _ in range(turns):
            if engine.advance(job.pk) == "ended":
                break
        job.refresh_from_db()
        assert not job.is_active, f"{job} has not ended: {list(job.steps.values('kind', 'state', 'journal'))}"
        return job

    def run(self, steps: Iterable[StepSpec], **options: Any) -> Job:
        return self.finish(self.make(steps, **options))

    def log(self, job: Job) -> list[str]:
        events = Event.objects.of(job.stream).filter(kind="vms-test.log")
        return [event.data["message"] for event in events]


@pytest.fixture
def cluster(db: None, fresh_sandbox: RunningSandbox) -> Iterator[Cluster]:
    yield make_cluster(fresh_sandbox)
    disconnect()


@pytest.fixture
def observer(fresh_sandbox: RunningSandbox) -> Iterator[Any]:
    """An independent client: stock proxmoxer, as anybody would use it."""
    client = fresh_sandbox.proxmoxer()
    yield client
    client._store["session"].close()


@pytest.fixture
def runner(cluster: Cluster, settings: Settings) -> Runner:
    settings.ALMA_JOB_KINDS = {**settings.ALMA_JOB_KINDS, "vms-test": "alma.jobs.kinds.JobKind"}
    return Runner(cluster)
