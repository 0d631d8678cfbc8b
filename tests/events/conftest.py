"""A hub per test, stopped at its end."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.db import connections

from alma.accounts.models import Organization
from alma.events.hub import Hub, current_hub
from tests.events.site import RENDERED
from tests.factories.accounts import make_organization


@pytest.fixture
def organization(transactional_db: None) -> Iterator[Organization]:
    """The organization that callers without a credential see."""
    RENDERED.clear()
    yield make_organization()
    connections.close_all()


@pytest_asyncio.fixture
async def hub(organization: Organization) -> AsyncIterator[Hub]:
    """The hub of this test's loop."""
    hub = current_hub()
    hub.start()
    yield hub
    await hub.stop()
    await sync_to_async(connections.close_all)()
