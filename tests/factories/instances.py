"""Instances for tests, as rows: nothing is started."""

from itertools import count
from typing import Any

from alma.accounts.models import Organization
from instances.models import Instance
from tests.factories.accounts import make_organization

_numbers = count(1)


def make_instance(name: str = "", *, organization: Organization | None = None, **overrides: Any) -> Instance:
    """An instance that is stopped and shall be, unless told otherwise."""
    number = next(_numbers)
    values = {"model": "tiny.gguf", "node": "main", "port": 21_000 + number % 11_000, **overrides}
    return Instance.objects.create(
        organization=organization or make_organization(), name=name or f"model-{number}", **values
    )
