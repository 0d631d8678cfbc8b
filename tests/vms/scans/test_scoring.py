"""The score, worked by hand."""

import pytest

from vms.scans import scoring

CRITICAL, HIGH, MEDIUM, LOW, INFO = (
    "GUEST-NET-003",
    "GUEST-NET-001",
    "GUEST-DISK-002",
    "GUEST-AGENT-001",
    "GUEST-SYS-002",
)


@pytest.mark.parametrize(
    ("tally", "score"),
    [
        ({}, None),
        ({HIGH: {"unassessed": 3}}, None),
        ({INFO: {"failed": 1}}, None),  # weighs nothing, so nothing was weighed
        ({HIGH: {"passed": 1}}, 100),
        ({HIGH: {"failed": 1}}, 0),
        ({HIGH: {"passed": 1}, LOW: {"unassessed": 9}}, 100),  # what is not known counts on neither side
        ({CRITICAL: {"failed": 1}, HIGH: {"passed": 2}}, 50),  # 10 of 20
        ({HIGH: {"passed": 1}, MEDIUM: {"failed": 1}, LOW: {"passed": 1}}, 75),  # 6 of 8
        ({CRITICAL: {"passed": 99}, LOW: {"failed": 1}}, 99),  # 990 of 991: never rounded up
        ({HIGH: {"passed": 1}, INFO: {"failed": 5}}, 100),
        ({HIGH: {"passed": 1}, "GUEST-GONE-001": {"failed": 5}}, 100),  # of a rule that is no more
    ],
    ids=str,
)
def test_score(tally: dict[str, dict[str, int]], score: int | None) -> None:
    assert scoring.score(tally) == score


def test_tallies_add_up() -> None:
    total = scoring.add([{HIGH: {"passed": 1}}, {HIGH: {"failed": 1}, LOW: {"unassessed": 1}}])
    assert total == {
        HIGH: {"passed": 1, "failed": 1, "unassessed": 0},
        LOW: {"passed": 0, "failed": 0, "unassessed": 1},
    }
    assert scoring.counts(total) == {"critical": 0, "high": 1, "medium": 0, "low": 0, "info": 0, "unassessed": 1}


@pytest.mark.parametrize(
    ("tally", "status"),
    [
        ({HIGH: {"passed": 2}}, "passed"),
        ({HIGH: {"passed": 2, "failed": 1, "unassessed": 1}}, "failed"),
        ({HIGH: {"passed": 2, "unassessed": 1}}, "not_assessed"),
        ({HIGH: {"passed": 2}, "GUEST-NET-002": {"unassessed": 1}}, "not_assessed"),
    ],
    ids=str,
)
def test_a_control_passes_only_when_all_was_assessed(tally: dict[str, dict[str, int]], status: str) -> None:
    rows = {row["id"]: row["status"] for row in scoring.controls(tally)}
    assert rows["4.4"] == status
    assert "11.2" not in rows  # its rules had nothing to say
