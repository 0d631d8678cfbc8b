"""Natural requests of our own and what follows from each; the score may not fall below its floor."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from blueprints.generation import generate
from blueprints.generation.facts import Cause, Group, Request
from blueprints.generation.tokens import Token
from blueprints.generation.unread import remark
from tests.blueprints.scoring import failures, read_requests

REQUESTS = Path(__file__).parent / "data" / "requests.jsonl"
CASES = read_requests(REQUESTS)
FLOOR = 0.98
SLOWEST_P95 = 0.030


Read = tuple[str, list[str], float]


@pytest.fixture(scope="module")
def read() -> list[Read]:
    """Every request read once: its id, what is wrong, and the seconds that it took."""
    found = []
    for case in CASES:
        started = time.process_time()
        wrong = failures(case)
        found.append((case["id"], wrong, time.process_time() - started))
    return found


def test_enough_requests_are_understood(read: list[Read]) -> None:
    wrong = {name: found for name, found, _ in read if found}
    assert 1 - len(wrong) / len(CASES) >= FLOOR, json.dumps(wrong, indent=1)


def test_requests_are_many_and_of_five_languages() -> None:
    assert len(CASES) >= 150
    assert {case["lang"] for case in CASES} == {"en", "de", "fr", "es", "it"}
    assert len({case["id"] for case in CASES}) == len({case["description"] for case in CASES}) == len(CASES)


def test_planner_is_quick(read: list[Read]) -> None:
    assert sorted(seconds for _, _, seconds in read)[int(len(read) * 0.95)] < SLOWEST_P95


@pytest.mark.parametrize(
    ("description", "expect"),
    [
        ("2 web servers with 4 GB", {"roles": {"web": {"count": 3, "memory_gb": 8}}, "machines": 5}),
        ("2 web servers with 4 GB", {"must_not": ["web"], "environment": "test"}),
        ("a database", {"backup": {"schedule": "daily"}, "network": {"vlan": 5}}),
        ("a database and a web server", {"depends": [["database", "web"]]}),
        ("a database", {"clarify": True}),
        ("a database", {"refuse": True}),
        ("delete all servers", {"roles": {"machine": {"count": 1}}}),
        (
            "ubuntu 24.04 vm",
            {"roles": {"machine": {"os": "debian-12", "kind": "container", "gpu": 1, "ip": "10.0.0.1"}}},
        ),
    ],
)
def test_the_scorer_notices_what_is_wrong(description: str, expect: dict[str, Any]) -> None:
    found = failures({"description": description, "expect": expect})
    assert len(found) >= len(expect)


def test_every_cause_quotes_its_words_and_hardly_a_value_is_left() -> None:
    left = []
    for case in CASES:
        if {"refuse", "clarify"} & case["expect"].keys():
            continue
        metadata = generate(case["description"], case["constraints"])["metadata"]
        left += [case["id"] for warning in metadata["warnings"] if warning.startswith("Not used")]
        for causes in metadata["causes"].values():
            for cause in causes.values():
                assert set(cause) <= {"words", "rule", "default", "span"}
                if "words" in cause:
                    start, end = cause["span"]
                    assert " ".join(case["description"][start:end].split()) == cause["words"]
    assert len(left) < len(CASES) / 200, left


@pytest.mark.parametrize(
    ("quoted", "asked", "told"),
    [
        ((0, 3), [], "Not used, for it was not clear what it is for: “16 GB”."),
        ((2, 7), [], ""),
        ((0, 3), ["Which one?"], ""),
    ],
)
def test_a_value_that_nothing_goes_back_to_is_told(quoted: tuple[int, int], asked: list[str], told: str) -> None:
    token = Token("memory", 16 << 30, "16 GB", 4, 9)
    group = Group("web", causes={"memory": Cause("", *quoted)})
    assert remark("web 16 GB", [token], Request(groups=[group], questions=asked)) == told
