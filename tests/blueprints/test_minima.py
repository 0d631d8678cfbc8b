"""The least that systems and software run on."""

import pytest

from blueprints.generation import generate
from blueprints.generation.lexicon import software_facts, table

FACTS = table("minima")


@pytest.mark.parametrize(
    ("words", "sizes"),
    [
        ("A Windows Server 2022 VM", {"memory": "4GB", "disk": "40GB"}),
        ("A Windows 11 VM", {"memory": "4GB", "disk": "64GB"}),
        ("A small Windows Server", {"memory": "4GB", "disk": "40GB"}),
        ("A Debian 12 VM", {"memory": "2GB", "disk": "20GB"}),
        ("A small GitLab", {"memory": "4GB"}),
        ("A Windows Server VM. No VM gets more than 30 GB of disk.", {"disk": "30GB"}),
        ("A Windows Server VM with 25 GB of disk", {"disk": "25GB"}),
    ],
)
def test_what_nobody_says_is_enough(words: str, sizes: dict[str, str]) -> None:
    specs = generate(words)["resources"][0]["specs"]
    assert {name: specs[name] for name in sizes} == sizes


def test_the_cause_names_what_needs_it() -> None:
    causes = generate("A Windows Server VM")["metadata"]["causes"]["server"]
    assert causes["disk"] == {"default": "the least that windows runs on"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            "A Windows Server VM with 25 GB of disk",
            ["server gets less than the 32 GB of disk that the vendor of windows asks for."],
        ),
        ("A Windows Server VM with 60 GB of disk", []),
        ("A GitLab with 2 GB", ["gitlab gets less than the 4 GB of memory that the vendor of gitlab asks for."]),
        ("A Debian VM with 1 GB", []),
    ],
)
def test_less_than_the_vendor_asks_for_is_told(words: str, told: list[str]) -> None:
    assert generate(words)["metadata"]["warnings"] == told


def test_every_minimum_is_of_something_known_and_no_less_than_its_vendor_asks_for() -> None:
    for name, facts in FACTS.items():
        assert software_facts(name) or name.split("-")[0] in table("systems")["systems"], name
        assert all(facts.get(size, 0) >= least for size, least in facts.get("vendor", {}).items() if size in facts), (
            name
        )
