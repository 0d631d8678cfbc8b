"""The sandbox's own fixtures, for its own tests."""

import pytest

from tests.fixtures.sandbox import fresh_sandbox, sandbox
from tests.vms.sandbox.driving import Cluster, make_cluster

__all__ = ["fresh_sandbox", "sandbox"]


@pytest.fixture
def cluster() -> Cluster:
    return make_cluster()
