"""What the planner of words makes of our own requests is planned without an error on a cluster that is large enough."""

from pathlib import Path
from typing import Any

import pytest

from alma.errors import BadRequest
from blueprints.generation import generate
from blueprints.schema import expand, parse_document
from iprs.planner import Target, draft_plan
from tests.blueprints.scoring import read_requests
from tests.iprs.readings import node, reading, storage, template
from vms.services import OsTemplate

CASES = read_requests(Path(__file__).parents[1] / "blueprints" / "data" / "requests.jsonl")[::3]
"""A third of them: planning takes ten times as long as reading, and all have been read elsewhere."""
TOGETHER = 60
NODES = [f"pve{number}" for number in range(1, 13)]
TARGET = Target(cluster_id=1, owner="env:1/blueprint:1", tags=("alma",), note="a note")


@pytest.mark.parametrize("first", range(0, len(CASES), TOGETHER), ids=lambda first: CASES[first]["id"])
def test_requests_plan_without_an_error(first: int) -> None:
    """So many in one test: a thousand tests of a few milliseconds cost more to find and to hand out than to run."""
    for case in CASES[first : first + TOGETHER]:
        plans_without_an_error(case)


def plans_without_an_error(case: dict[str, Any]) -> None:
    said = case["id"]
    try:
        document = parse_document(generate(case["description"], case["constraints"]))
    except BadRequest:
        assert {"refuse", "clarify"} & case["expect"].keys(), said
        return
    expansion = expand(document)
    draft = draft_plan(document, large_cluster({str(m.image) for m in expansion.machines if m.image}), (), TARGET)
    assert not expansion.unsupported, said
    assert [problem for problem in draft.problems if "GPU" not in problem] == [], said
    assert draft.summary() == ({"create": len(expansion.machines)} if expansion.machines else {}), said


def large_cluster(systems: set[str], memory: int = 8192) -> Any:
    """Twelve large hosts that have every system as template and as container image."""
    names = sorted(systems | {"debian-12"})
    return reading(
        nodes=tuple(node(name, memory=memory, cores=256) for name in NODES),
        storages=tuple(storage("local-lvm", name, free=memory * 250) for name in NODES),
        templates=tuple(template(9000 + place, name, "pve1") for place, name in enumerate(names)),
        bridges=dict.fromkeys(NODES, ("vmbr0",)),
        ostemplates=tuple(
            OsTemplate(volid=f"local:vztmpl/{name}-standard_1-1_amd64.tar.zst", node=n, storage="local", size_bytes=1)
            for name in names
            for n in NODES
        ),
    )
