"""A cluster that is a row alone, and a client that may read its machines; for tests that need no sandbox."""

import pytest
from django.test import Client

from alma.accounts.models import Organization
from tests.factories.accounts import make_key, make_organization
from tests.factories.vms import make_cluster
from vms.models import Cluster


@pytest.fixture
def organization() -> Organization:
    return make_organization()


@pytest.fixture
def cluster(organization: Organization) -> Cluster:
    return make_cluster(organization=organization)


@pytest.fixture
def site(organization: Organization) -> Client:
    return Client(headers={"Authorization": f"Bearer {make_key(frozenset({'vm:read'}), organization=organization)[1]}"})
