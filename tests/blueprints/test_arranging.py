"""What is said of machines together with their number, and where they stand."""

from typing import Any

import pytest

from blueprints.revising import revise
from tests.blueprints.test_revising import SHOP, revised


@pytest.mark.parametrize(
    ("words", "names", "specs"),
    [
        ("put the web servers on different hosts", ["web-1", "web-2"], {"anti_affinity": "web"}),
        ("put the databases on separate hosts", ["db", "db-replica"], {"anti_affinity": "db"}),
        ("actually three web servers, and put them on different hosts", ["web-1", "web-3"], {"anti_affinity": "web"}),
        ("actually three web servers with 8 GB", ["web-1", "web-2", "web-3"], {"memory": "8GB"}),
    ],
)
def test_what_is_said_of_all_is_said_of_the_new_ones_too(words: str, names: list[str], specs: dict[str, Any]) -> None:
    found = revised(words)
    for name in names:
        assert {key: found[name]["specs"].get(key) for key in specs} == specs


def test_one_alone_cannot_be_spread() -> None:
    revision = revise(SHOP, "put the load balancer on different hosts")
    assert revision is not None and revision.question and not revision.changes


def test_new_siblings_stand_in_order() -> None:
    names = [name for name in revised("5 web servers") if name.startswith("web")]
    assert names == [f"web-{number}" for number in range(1, 6)]


def test_parts_of_a_role_become_containers_too() -> None:
    found = revised("make the web servers containers")
    assert [(found[name]["type"], found[name]["specs"]["kind"]) for name in ("web-1", "web-2")] == [("web", "lxc")] * 2
    assert revised("make the cache a container")["cache"]["type"] == "lxc"
