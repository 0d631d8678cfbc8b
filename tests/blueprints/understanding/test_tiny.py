"""The real llama.cpp with a model of random weights: what it is constrained to is a valid blueprint, every time."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from alma.accounts.actors import Actor
from blueprints.pricing import default_list
from blueprints.schema import parse_document
from blueprints.understanding import Asking, draft
from instances.tiny import model
from tests.instances.serving import Served, served

pytestmark = pytest.mark.processes
TIMES = int(os.environ.get("TINY_TIMES", "20"))
ROLES = (
    "web server",
    "PostgreSQL database",
    "redis cache",
    "mail server",
    "nginx load balancer",
    "Kafka broker",
    "file server",
)
WISHES = [f"{'' if number % 3 else f'{number % 5 + 2} '}{ROLES[number % 7]}{'s' if not number % 3 else ''} for team {number}"
          for number in range(TIMES)]  # fmt: skip
ABOUT = Asking(Actor(1, "ana"), default_list())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    path = tmp_path_factory.mktemp("models") / "tiny.gguf"
    model.write(path)
    with served(path, "-c", "8192") as found:
        yield found


@pytest.fixture
def tiny(server: Served, settings: Any) -> Served:
    settings.ALMA_MODEL, settings.ALMA_MODEL_URL = "tiny", f"http://127.0.0.1:{server.port}/v1"
    settings.ALMA_MODEL_SECONDS = 60
    return server


def test_random_weights_yield_a_valid_blueprint_every_time(tiny: Served) -> None:
    """TINY_TIMES says how often; `make tiny` takes a hundred."""
    badges = []
    for wish in WISHES:
        document = draft(wish, about=ABOUT)
        parse_document(document)
        assert document["resources"], wish
        badges.append(document["metadata"]["model"])
    assert [badge["status"] for badge in badges] == ["used"] * TIMES, badges
    assert [badge["rounds"] for badge in badges] == [1] * TIMES, badges
    assert len({badge["tokens"] for badge in badges}) > 1, "it said the same each time"
