"""Whatever is written: never an exception, never a time that grows with the square of the length."""

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alma.errors import BadRequest
from blueprints.generation import generate
from blueprints.generation.constraints import Constraints
from blueprints.generation.planner import MAX_DESCRIPTION, understand
from tests.blueprints.scoring import read_requests

SIGNS = st.sampled_from("|,;:\t\n -+/()[]{}<>@#*.0123456789xGBTabc\"'\u200d\u202e🎉שلعдщ中é\x01\x7f")
ROWS = st.lists(st.text(SIGNS, max_size=12), min_size=1, max_size=6).map(" | ".join)
LONG = [
    " ",
    "\n",
    "\t",
    "a-",
    "1-",
    "4/",
    "7 ",
    "10.0.0.1 ",
    "web1, ",
    "web: ",
    "a and ",
    "2 web servers with 4 GB, ",
    "| web | 2 |\n",
]
LONG += [
    "  - cpu: 2\n",
    "> on\n",
    "thanks\n",
    "foo (4 cores), ",
    "on a wrote: ",
    "🎉",
    "שלום ",
    "\u200d",
    "\x01",
    "[{",
    "sorry 3 ",
    "not ",
]
SLOWEST = 3.0
PIECES = [
    piece
    for case in read_requests(Path(__file__).parent / "data" / "requests.jsonl")
    for piece in re.split(r"(?<=[,.;:])\s+|\s+(?=and |with |on |for )", case["description"])
    if piece.strip()
]
"""Parts of sentences that are understood where they stand."""


def _read(text: str) -> None:
    try:
        generate(text)
    except BadRequest as error:
        assert error.message


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5))
@settings(max_examples=300, deadline=None)
def test_pieces_of_requests_in_any_order_are_read_or_refused(pieces: list[str]) -> None:
    _read(" ".join(pieces))


@pytest.mark.parametrize(
    "text",
    [
        "App 2/4/80 server: DB server 8/32/200, 8/32/400",
        "assistant: ask. NATS delete need each. user: and used, vCPU now cluster, to no MB great, Done. every 3 old 1024 "
        "volume the and machines 1 they NATS nodes,",
    ],
)
def test_what_once_broke_the_reading_is_read_or_refused(text: str) -> None:
    _read(text)


@pytest.mark.parametrize(
    "text",
    [f"{what} {'9' * 30} {unit}" for what in ("a VM with", "") for unit in ("GB", "cores", "VMs", "GPUs", "days")],
)
def test_numbers_without_end_are_refused_in_a_sentence(text: str) -> None:
    _read(text)


@pytest.mark.parametrize(
    ("text", "disk"),
    [
        ("a NAS with 40,000 GB of disk", "40000GB"),
        ("ein NAS mit 1.500 GB Platte", "1500GB"),
        ("a NAS with 3.725 TB of disk", "3814.40GB"),
        ("ein NAS mit 1,5 TB Platte", "1536GB"),
        ("24 TB over all of them in equal parts, 16 GB RAM a node", "24TB"),
    ],
)
def test_marks_within_numbers_and_values_of_nothing_are_read(text: str, disk: str) -> None:
    assert [one["specs"]["disk"] for one in generate(text)["resources"]] == [disk]


@given(st.text(SIGNS, min_size=1, max_size=300))
@settings(max_examples=150, deadline=None)
def test_signs_of_any_script_are_read_or_refused(text: str) -> None:
    _read(text)


@given(st.lists(ROWS, min_size=2, max_size=6))
@settings(max_examples=100, deadline=None)
def test_anything_that_looks_like_a_table_is_read_or_refused(rows: list[str]) -> None:
    _read("name | cpu | ram | disk | count\n" + "\n".join(rows))


@given(
    st.recursive(
        st.text(max_size=8) | st.integers(),
        lambda inner: st.dictionaries(st.sampled_from(["cpu", "ram", "web", "name", "x"]), inner),
    )
)
@settings(max_examples=100, deadline=None)
def test_any_tree_is_read_or_refused(tree: object) -> None:
    _read(f"web:\n  cpu: 2\n  name: {tree}")


@pytest.mark.parametrize("piece", LONG, ids=ascii)
def test_the_longest_text_of_one_piece_takes_no_time_to_speak_of(piece: str) -> None:
    text = (piece * MAX_DESCRIPTION)[:MAX_DESCRIPTION]
    started = time.process_time()
    try:
        understand(text, Constraints())
    except BadRequest as error:
        assert error.message
    assert time.process_time() - started < SLOWEST


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("| Host | vCPU |\n|---|---|\n| fe01 | 2 |\n| fe02 | 4 |", ["fe01", "fe02"]),
        ("name,cores,memory_mb\nmail-gw,2,2048", ["mail-gw"]),
        ("vms:\n  gate:\n    cpu: 1\n  build:\n    cpu: 8", ["gate", "build"]),
        ('[{"name": "kafka", "cpu": 4}, {"name": "zk", "cpu": 1}]', ["kafka", "zk"]),
        ("| | zeus | hera |\n|---|---|---|\n| CPU | 8 | 2 |\n| RAM | 64 GB | 4 GB |", ["zeus", "hera"]),
        ("web01 to web03, 2 cores", ["web01", "web02", "web03"]),
    ],
)
def test_records_are_machines_and_their_causes_quote_the_cells(text: str, names: list[str]) -> None:
    blueprint = generate(text)
    assert sorted(one["name"] for one in blueprint["resources"]) == sorted(names)
    for causes in blueprint["metadata"]["causes"].values():
        for cause in causes.values():
            if "words" in cause:
                assert text[slice(*cause["span"])] == cause["words"]


def test_a_letter_is_read_without_its_signature_and_what_it_quotes() -> None:
    letter = "Hi,\n\na Redis with 4 GB please.\n\nRegards,\nAnn\n12 servers | Room 8\n\n> On Monday Bob wrote:\n> three databases?\n"
    (redis,) = generate(letter)["resources"]
    assert redis["specs"]["memory"] == "4GB"


def test_a_letter_that_only_forwards_is_read_as_it_stands() -> None:
    (redis,) = generate("See below.\n\n> one Redis with 4 GB\n")["resources"]
    assert redis["specs"]["memory"] == "4GB"
