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


@pytest.mark.parametrize(
    ("text", "system"),
    [
        ("alma 9 vm with 4 GB", "alma-9"),
        ("el9 vm", "rhel-9"),
        ("OEL 8 VM", "oracle-8"),
        ("Leap 15.6 VM", "opensuse-15.6"),
        ("SLES 15 SP6 VM", "suse-15"),
        ("SUSE Linux Enterprise Server 15 VM", "suse-15"),
        ("w2k19 VM", "windows-2019"),
        ("one VM on Server 2022 Core", "windows-2022"),
        ("Windows 11 Enterprise VM", "windows-11"),
        ("SQL Server 2022 on Server 2019", "windows-2019"),
        ("ubuntu2204 vm", "ubuntu-22.04"),
        ("Ubuntu Jammy 22.04 VM", "ubuntu-22.04"),
        ("debian bookworm (12) vm", "debian-12"),
        ("arch vm", "arch"),
    ],
)
def test_a_system_is_one_machine_however_it_is_spelled(text: str, system: str) -> None:
    assert [resource["specs"]["os"] for resource in generate(text)["resources"]] == [system]


def test_a_release_of_the_software_is_none_of_the_system() -> None:
    assert "os" not in generate("one VM with SQL Server 2022")["resources"][0]["specs"]
