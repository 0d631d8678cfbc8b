"""Resources that are alike, taken together, and the lines that a drawing needs."""

import pytest

from blueprints.generation import generate
from blueprints.graph import reduced
from blueprints.kinds import kinds_of
from blueprints.pricing import default_list
from blueprints.schema import parse_document
from tests.factories.blueprints import make_document, make_resource

Rows = list[tuple[str, dict[str, object], list[str]]]


@pytest.mark.parametrize(
    ("rows", "kinds"),
    [
        ([("web-1", {}, []), ("web-2", {}, [])], [("web", 2, [])]),
        ([("web-1", {}, []), ("web-2", {"cpu": 8}, [])], [("web-1", 1, []), ("web-2", 1, [])]),
        ([("db", {}, []), ("web-1", {}, ["db"]), ("web-2", {}, ["db"])], [("db", 1, []), ("web", 2, ["db"])]),
        ([("db", {}, []), ("web-1", {}, ["db"]), ("web-2", {}, [])], [("db", 1, []), ("web-1", 1, ["db"]), ("web-2", 1, [])]),
        (
            [("a-1", {}, []), ("a-2", {}, []), ("a-3", {"cpu": 8}, []), ("a-4", {"cpu": 8}, [])],
            [("a-1", 2, []), ("a-3", 2, [])],
        ),
        (
            [("w-1", {"network": {"ip": "10.0.0.1/24"}}, []), ("w-2", {"network": {"ip": "10.0.0.2/24"}}, [])],
            [("w", 2, [])],
        ),
        ([("w-1", {"network": {"vlan": 1}}, []), ("w-2", {"network": {"vlan": 2}}, [])], [("w-1", 1, []), ("w-2", 1, [])]),
    ],
)  # fmt: skip
def test_what_is_alike(rows: Rows, kinds: list[tuple[str, int, list[str]]]) -> None:
    specs = {"cpu": 2, "memory": "4GB", "disk": "20GB"}
    resources = [make_resource(name, specs={**specs, **more}, dependencies=needs) for name, more, needs in rows]
    found = kinds_of(parse_document(make_document(resources=resources)))
    assert [(kind.name, len(kind.members), list(kind.needs)) for kind in found] == kinds


def test_sixty_machines_are_five_kinds_and_few_lines() -> None:
    words = "2 load balancers, 20 web servers, 20 app servers, 10 redis caches and 8 postgresql databases"
    kinds = kinds_of(parse_document(generate(words, None, default_list())))
    assert (sum(len(kind.members) for kind in kinds), len(kinds)) == (60, 5)
    assert sum(map(len, reduced({kind.name: kind.needs for kind in kinds}).values())) == 4


def test_what_follows_from_other_lines_is_not_drawn() -> None:
    needs = {"db": [], "app": ["db"], "web": ["app", "db"], "lb": ["web", "app", "db"], "other": ["db"]}
    assert reduced(needs) == {"db": [], "app": ["db"], "web": ["app"], "lb": ["web"], "other": ["db"]}
