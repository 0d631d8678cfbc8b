"""One ALMA with its web role and its supervisor, as people run it, and the tiny model on the real llama.cpp."""

from collections.abc import Iterator

import pytest

from tests.instances.router.installation import Installation


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Started once for all tests of the router; each makes instances and keys of its own."""
    one = Installation(tmp_path_factory.mktemp("router"))
    try:
        one.start()
        yield one
    finally:
        one.end()
