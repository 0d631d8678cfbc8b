"""Fixtures of the tests of blueprints."""

import pytest
from django.test import Client

from tests.factories.accounts import make_user


@pytest.fixture
def person(client: Client) -> Client:
    """A signed-in administrator of the default organization."""
    client.force_login(make_user(username="ana"))
    return client
