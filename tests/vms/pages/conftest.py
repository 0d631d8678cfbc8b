"""Machines that ALMA made, as rows alone: no cluster is asked by these pages."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from alma.accounts.actors import Actor, for_user
from alma.accounts.models import Environment
from alma.jobs.models import Job
from alma.jobs.services import create_job
from tests.factories.accounts import make_environment, make_organization, make_user
from tests.factories.vms import make_claim, make_cluster, make_guest
from vms.models import Cluster, Guest

Make = Callable[..., Guest]


@pytest.fixture
def place(db: None) -> Cluster:
    """A cluster that was read a moment ago."""
    cluster = make_cluster(organization=make_organization(), name="Rack 1")
    Cluster.objects.filter(pk=cluster.pk).update(last_read_at=timezone.now() - timedelta(seconds=4))
    return Cluster.objects.get(pk=cluster.pk)


@pytest.fixture
def development(place: Cluster) -> Environment:
    return make_environment("development", organization=place.organization)


@pytest.fixture
def production(place: Cluster) -> Environment:
    return make_environment("production", organization=place.organization, is_protected=True)


@pytest.fixture
def ours(place: Cluster, development: Environment) -> Make:
    """Makes the row of a machine that ALMA made."""

    def make(name: str = "web", environment: Environment = development, **overrides: Any) -> Guest:
        claim = make_claim(place, key=name, owner=f"env:{environment.pk}/direct", state="live")
        values = {"name": name, "vmid": claim.vmid, "claim": claim, "environment": environment, **overrides}
        return make_guest(place, **values)

    return make


@pytest.fixture
def operator(place: Cluster) -> User:
    return make_user("operator", organization=place.organization)


@pytest.fixture
def by(operator: User) -> Actor:
    return for_user(operator)


@pytest.fixture
def site(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def at_work(guest: Guest, kind: str = "vm_stop", **overrides: Any) -> Job:
    """A job about a machine that has not ended."""
    assert guest.claim is not None
    params = {"guest": guest.pk, "vm": f"vm-{guest.pk:03d}", "verb": "stop", "status": "stopping"}
    values = {"title": f"Stop {guest.name}", "exclusive_key": f"guest:{guest.claim.pk}", "params": params} | overrides
    return create_job(kind, [], organization_id=guest.organization_id, **values)
