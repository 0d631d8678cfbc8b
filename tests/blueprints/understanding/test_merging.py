"""Whatever a model proposes, every expectation that the planner meets is met: over a third of the requests of the scored set."""

from pathlib import Path
from typing import Any

import pytest

from alma.errors import BadRequest
from blueprints.pricing import default_list
from blueprints.schema import parse_document
from blueprints.understanding.merging import merged
from blueprints.understanding.proposals import MOST_PARTS, Proposal, ProposedPart
from blueprints.understanding.reading import Reading, read
from tests.blueprints.scoring import read_requests

REQUESTS = read_requests(Path(__file__).parents[1] / "data" / "requests.jsonl")
CONTRARY: dict[str, Any] = {"words": "", "role": "database", "count": 7, "cpu": 5, "memory_gb": 9, "disk_gb": 77,
                            "os": "arch", "software": ["evilware"], "needs": ["nobody"]}  # fmt: skip
FACTS = ("words", "rule")


def contrary(reading: Reading) -> Proposal:
    """Another value for everything, a database where there may be none, and each part before each other one."""
    labels = reading.labels[:MOST_PARTS]
    parts = [ProposedPart.model_construct(**CONTRARY | {"name": label, "needs": labels[:4]}) for label in labels]
    return Proposal.model_construct(summary="Something else", parts=parts)


def facts(document: Any, reading: Reading) -> list[Any]:
    """Each value whose cause is what the text says, and who there is."""
    causes = reading.document["metadata"]["causes"]
    return [
        (row["name"], row["type"], [
            (name, row["specs"].get(name)) for name, cause in causes.get(reading.label_of(row["name"]), {}).items()
            if isinstance(cause, dict) and any(kind in cause for kind in FACTS)
        ], row["specs"].get("count"), row["specs"].get("network"), row["specs"].get("backup"))
        for row in document["resources"]
    ]  # fmt: skip


def test_a_contrary_model_changes_no_fact() -> None:
    seen = 0
    for case in REQUESTS[::3]:
        try:
            reading = read(case["description"], case.get("constraints"), default_list())
        except BadRequest:
            continue
        if not reading.is_open:
            continue
        document = merged(reading, contrary(reading), "contrary")
        parse_document(document)
        assert facts(document, reading) == facts(reading.document, reading), case["description"]
        budget = reading.document["metadata"].get("max_cost")
        planned = reading.document["metadata"]["estimated_cost"]
        assert budget is None or document["metadata"]["estimated_cost"] <= max(budget, planned)
        assert document["metadata"]["differences"]
        seen += 1
    assert seen > len(REQUESTS) / 6


@pytest.mark.parametrize("words", ["a web server", "5 LXC containers with Debian"])
def test_a_model_that_agrees_differs_nowhere(words: str) -> None:
    reading = read(words, None, default_list())
    row = reading.rows(reading.labels[0])[0]["specs"]
    same = CONTRARY | {"name": reading.labels[0], "count": reading.count(reading.labels[0]), "cpu": row["cpu"], "needs": [],
                       "memory_gb": int(row["memory"][:-2]), "disk_gb": int(row["disk"][:-2]), "os": None, "software": []}  # fmt: skip
    document = merged(reading, Proposal(summary="", parts=[ProposedPart(**same)]), "same")
    assert document["metadata"]["differences"] == []
    assert document["resources"] == reading.document["resources"]
