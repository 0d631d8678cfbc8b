"""The drawing of dependencies and the sums beside it."""

from hypothesis import given
from hypothesis import strategies as st

from blueprints.graph import GAP_X, HEIGHT, WIDTH, draw
from blueprints.portrait import portray
from blueprints.schema import parse_document
from tests.factories.blueprints import make_document, make_resource


def needs_of(needs: dict[str, list[str]]) -> dict[str, list[str]]:
    resources = [make_resource(name, dependencies=needed) for name, needed in needs.items()]
    return parse_document(make_document(resources=resources)).needs


def test_nothing_is_drawn_without_dependencies() -> None:
    assert draw(needs_of({"a": [], "b": []}), {}) is None


def test_what_is_needed_stands_left() -> None:
    drawing = draw(needs_of({"lb": ["web"], "web": ["db"], "db": []}), {"db": "2 CPU"})
    assert drawing is not None
    nodes = {node.name: node for node in drawing.nodes}
    assert nodes["db"].x < nodes["web"].x < nodes["lb"].x
    assert nodes["db"].words == "2 CPU"
    assert {(line.needed, line.needs) for line in drawing.lines} == {("db", "web"), ("web", "lb")}


def test_lines_do_not_cross_where_they_need_not() -> None:
    drawing = draw(needs_of({"a": [], "b": [], "c": [], "y": ["b"], "x": ["a"], "z": ["c"]}), {})
    assert drawing is not None
    rows = {node.name: node.y for node in drawing.nodes}
    left, right = sorted("abc", key=rows.__getitem__), sorted("xyz", key=rows.__getitem__)
    partner = {"a": "x", "b": "y", "c": "z"}
    assert [partner[name] for name in left] == right


def test_long_names_are_shortened_in_the_box_alone() -> None:
    drawing = draw(needs_of({"a": [], "b" * 60: ["a"]}), {})
    assert drawing is not None
    long = next(node for node in drawing.nodes if node.name != "a")
    assert (long.name, len(long.short), long.short[-1]) == ("b" * 60, 20, "…")


@given(st.lists(st.lists(st.integers(0, 30), max_size=4, unique=True), min_size=1, max_size=30))
def test_boxes_never_overlap_and_lie_on_the_paper(choices: list[list[int]]) -> None:
    needs = {f"r{n}": [f"r{other}" for other in chosen if other < n] for n, chosen in enumerate(choices)}
    drawing = draw(needs_of(needs), {})
    if drawing is None:
        assert not any(needs.values())
        return
    places = {(node.x, node.y) for node in drawing.nodes}
    assert len(places) == len(needs)
    columns: dict[int, list[int]] = {}
    for x, y in places:
        assert x >= 0
        assert y >= 0
        assert x + WIDTH <= drawing.width
        assert y + HEIGHT <= drawing.height
        columns.setdefault(x, []).append(y)
    assert all(b - a > HEIGHT for ys in columns.values() for a, b in zip(sorted(ys), sorted(ys)[1:], strict=False))
    assert all(b - a >= WIDTH + GAP_X for a, b in zip(sorted(columns), sorted(columns)[1:], strict=False))


def test_sums_count_every_machine() -> None:
    specs = {"cpu": 2, "sockets": 2, "memory": "4GB", "disk": "20GB", "count": 3, "disks": [{"size": "10GB"}]}
    network = {"name": "lan", "type": "network", "specs": {"subnet": "10.0.0.0/24"}}
    portrait = portray(parse_document(make_document(resources=[make_resource(specs=specs), network])))
    gib = 1024**3
    assert (portrait.machine_count, portrait.cores) == (3, 12)
    assert (portrait.memory_bytes, portrait.disk_bytes) == (12 * gib, 90 * gib)
    machines, other = portrait.resources
    assert (len(machines.machines), machines.words, machines.note) == (3, "3 × 4 CPU · 4\N{NO-BREAK SPACE}GiB", "")
    assert (other.machine, other.words) == (None, "network")
    assert "describes a network" in other.note


def test_defaults_are_named() -> None:
    portrait = portray(parse_document(make_document(resources=[make_resource(specs={"cpu": 1})])))
    assert portrait.resources[0].defaults == ["memory", "disk"]
