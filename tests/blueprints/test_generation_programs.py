"""Names of programs: what they do, that they count nothing, and that everyday words are none."""

import re

import pytest

from blueprints.generation import generate
from blueprints.generation.lexicon import Sense, senses, software, software_facts


@pytest.mark.parametrize(
    ("text", "name", "count"),
    [
        ("3CX on one VM with 4 GB", "3cx", 1),
        ("two 7 Days to Die VMs with 8 GB each", "7-days-to-die", 2),
        ("one Arma 3 server, 8 GB", "arma-3", 1),
        ("2 xwiki VMs with 4 GB each", "xwiki", 2),
        ("a grafana loki vm with 4 gb", "loki", 1),
    ],
)
def test_a_name_with_a_number_in_it_counts_nothing(text: str, name: str, count: int) -> None:
    resources = generate(text)["resources"]
    assert [resource["specs"]["software"] for resource in resources] == [[name]] * count


@pytest.mark.parametrize("text", ["the rancid smell near two web servers", "beets and two web servers"])
def test_an_everyday_word_is_a_program_only_with_a_capital(text: str) -> None:
    assert {resource["specs"]["role"] for resource in generate(text)["resources"]} == {"web"}


def test_programs_of_which_little_is_known_do_not_hide_those_that_are_known_well() -> None:
    assert software_facts("cratedb") == {
        "role": "database", "aliases": ["crate db"], "proper": False, "rare": True
    }  # fmt: skip
    for name, facts in software().items():
        if facts.get("rare"):
            assert senses()[tuple(re.split("[^a-z0-9]+", name))] == Sense("software", name), name
