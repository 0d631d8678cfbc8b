"""A machine of a protected environment on a sandbox, and people who propose, approve and deploy what is done to it."""

from collections.abc import Callable
from typing import Any

import pytest

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.accounts.scopes import SERVICE
from alma.jobs import engine
from alma.jobs.models import Job
from iprs import services
from iprs.models import IPR, Deployment
from tests.factories.accounts import make_actor, make_environment
from tests.vms.conftest import Runner, cluster, fresh_sandbox, observer, runner, sandbox
from tests.vms.operations.conftest import make_machine, see
from vms.models import Cluster, Guest

__all__ = ["cluster", "fresh_sandbox", "make_machine", "observer", "runner", "sandbox"]


def work(limit: int = 100) -> None:
    """What workers do, until nothing is left to do."""
    for _ in range(limit):
        pending = list(Job.objects.active().order_by("pk").values_list("pk", flat=True))
        if not pending:
            return
        for pk in pending:
            engine.advance(pk, slot_seconds=0.2)
    raise AssertionError(f"jobs did not end: {list(Job.objects.active().values('kind', 'state'))}")


@pytest.fixture
def by(cluster: Cluster) -> Actor:
    """A key that may act on machines, and do nothing with IPRs."""
    return Actor(cluster.organization_id, "robot", frozenset({"vm:read", "vm:write", "job:read", "job:write"}))


@pytest.fixture
def boss(cluster: Cluster) -> Actor:
    """A person who reviews and deploys."""
    return make_actor("admin", organization=cluster.organization)


@pytest.fixture
def environment(cluster: Cluster) -> Environment:
    return make_environment("production", organization=cluster.organization, is_protected=True, required_approvals=1)


@pytest.fixture
def machine(make_machine: Callable[..., Guest], runner: Runner) -> Guest:
    return make_machine()


def ipr_of(job: Job) -> IPR:
    """The proposal for which a job waits, as it is now."""
    return IPR.objects.for_page().get(operation=job)


def planned(job: Job) -> IPR:
    """The same with its plan computed."""
    work()
    return ipr_of(job)


def approve(ipr: IPR, *, by: Actor, **more: Any) -> None:
    services.review(ipr, "approve", by=by, **more)


def carry_out(job: Job, *, by: Actor, **more: Any) -> Deployment:
    """Plan, approve and deploy, until nothing is left to do."""
    ipr = planned(job)
    approve(ipr, by=by, **more)
    deployment = services.deploy(ipr_of(job), by=by)
    work()
    job.refresh_from_db()
    return Deployment.objects.select_related("job", "ipr").get(pk=deployment.pk)


SERVICE_KEY = SERVICE
__all__ += ["SERVICE_KEY", "see"]
