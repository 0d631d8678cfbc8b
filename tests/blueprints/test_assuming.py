"""What a draft assumes goes when somebody says it."""

import pytest

from blueprints.generation import generate
from blueprints.revising import revise

SHOP = "2 web servers and a PostgreSQL database"
WEB, DATABASE = "web-server: cpu, memory, disk", "postgresql: cpu, memory, disk"


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("give the database 16 GB", [WEB, "postgresql: cpu, disk"]),
        ("give the database 4 cores, 16 GB and 200 GB of disk", [WEB]),
        ("make the database bigger", [WEB, "postgresql: disk"]),
        ("give web-1 8 GB", [WEB, DATABASE]),
        ("give the web servers 8 GB", ["web-server: cpu, disk", DATABASE]),
        ("drop the database", [WEB]),
        ("rename the database to main", [WEB, "main: cpu, memory, disk"]),
        ("use Debian 12 everywhere", [WEB, DATABASE]),
    ],
)
def test_what_is_said_is_assumed_no_more(words: str, left: list[str]) -> None:
    revision = revise(dict(generate(SHOP)), words)
    assert revision is not None
    said = [line.partition(" not given")[0] for line in revision.document["metadata"]["assumptions"]]
    assert sorted(said) == sorted(left)


def test_a_number_that_is_said_follows_from_no_rule_any_more() -> None:
    document = dict(generate("a highly available PostgreSQL database with 8 GB"))
    assert any("because" in line for line in document["metadata"]["assumptions"])
    revision = revise(document, "3 databases")
    assert revision is not None
    assert not any("because" in line for line in revision.document["metadata"]["assumptions"])
