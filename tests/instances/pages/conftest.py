"""Somebody of an organization who may run instances."""

import pytest
from django.test import Client

from alma.accounts.models import Organization
from tests.factories.accounts import make_organization, make_user


@pytest.fixture
def organization() -> Organization:
    return make_organization()


@pytest.fixture
def site(organization: Organization, client: Client) -> Client:
    client.force_login(make_user("operator", organization=organization))
    return client
