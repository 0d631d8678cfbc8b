"""A machine that ALMA made on a sandbox, and jobs about it that are run to their end."""

from collections.abc import Callable
from typing import Any

import pytest

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.accounts.scopes import SERVICE
from alma.events.models import Event
from alma.jobs.models import Job
from tests.factories.accounts import make_environment
from tests.factories.vms import guest_spec
from tests.vms.conftest import Runner
from vms import inventory
from vms.models import Cluster, Guest
from vms.proxmox.client import connect
from vms.proxmox.sighting import look
from vms.services import create_steps


def see(cluster: Cluster) -> None:
    """One look of the inventory."""
    seen = look(connect(cluster), frozenset())
    inventory.store(cluster, seen.guests, seen)


@pytest.fixture
def by(cluster: Cluster) -> Actor:
    return Actor(cluster.organization_id, "ana", SERVICE)


@pytest.fixture
def environment(cluster: Cluster) -> Environment:
    return make_environment("development", organization=cluster.organization)


@pytest.fixture
def make_machine(cluster: Cluster, runner: Runner, environment: Environment) -> Callable[..., Guest]:
    """Makes one with a system that runs, unless told otherwise, and shows it as the inventory does."""

    def make(key: str = "web", **overrides: Any) -> Guest:
        values = {
            "owner": f"env:{environment.pk}/blueprint:1", "key": key, "name": key, "template_vmid": 9000,
            "template_node": "pve1",
        }  # fmt: skip
        values |= overrides
        job = runner.run(create_steps(guest_spec(cluster, **values)))
        assert job.error is None, job.error
        see(cluster)
        return Guest.objects.get(cluster=cluster, name=key)

    return make


@pytest.fixture
def machine(make_machine: Callable[..., Guest]) -> Guest:
    return make_machine()


@pytest.fixture
def finish(runner: Runner) -> Callable[[Job], Job]:
    return runner.finish


def end_of(job: Job) -> dict[str, Any]:
    """What the closing event of a job says."""
    event = Event.objects.of(job.stream).order_by("-seq").first()
    assert event is not None
    return {"kind": event.kind, **event.data}
