"""A model that is scripted, where the operator says it is."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fixtures.receiver import Receiver, listening


@pytest.fixture
def scripted(settings: Any) -> Iterator[Receiver]:
    """A server of a test as the operator's endpoint."""
    with listening() as found:
        settings.ALMA_MODEL = "scripted"
        settings.ALMA_MODEL_URL = f"http://127.0.0.1:{found.port}/v1"
        settings.ALMA_MODEL_KEY = "sk-planted-secret"
        settings.ALMA_MODEL_SECONDS = 20
        yield found
