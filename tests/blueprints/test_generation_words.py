"""Words of every day beside words of the trade: they are no slips of them, and who writes is no machine."""

from typing import Any

import pytest

from blueprints.generation.planner import generate

SHOP = "2 web servers with 4 GB"


def machines(text: str) -> list[tuple[str, int]]:
    """Roles and numbers of what is drawn."""
    found: dict[str, int] = {}
    for one in generate(text)["resources"]:
        role = one["specs"].get("role", "machine")
        found[role] = found.get(role, 0) + one["specs"].get("count", 1)
    return sorted(found.items())


@pytest.mark.parametrize(
    "words",
    [
        "It is for a conference.", "The professor is on holiday until then.", "My daughter will use it.", "Our sales people asked for it.",
        "The entrance is on the left.", "Please confirm by e-mail.", "I wrote it on Telegram.", "It was posted last week.",
        "Sorry for the long mail.", "The collector of the museum insists.", "Geht das?", "Die Rechnung geht an den Einkauf.",
        "Ein sicherer Weg, finden wir.", "La dirección ha dado el visto bueno.", "La direzione ha dato il via libera.",
        "I documenti sono pronti.", "Ogni persona ha il suo badge.", "Le professeur attend.", "El elemento es nuevo.",
    ],
)  # fmt: skip
def test_words_of_every_day_draw_nothing(words: str) -> None:
    assert machines(f"{SHOP}. {words}") == [("web", 2)]


@pytest.mark.parametrize(
    "words",
    [
        "We run a small museum: {}", "We run a hotel and need {}", "We operate a clinic that needs {}", "Wir betreiben ein Museum: {}",
        "We run a bakery with 3 shops and 14 employees: {}",
    ],
)  # fmt: skip
def test_who_asks_is_not_what_is_there(words: str) -> None:
    assert machines(words.format(SHOP)) == [("web", 2)]


@pytest.mark.parametrize(
    "words", ["Already there: Prometheus, Grafana. New: {}", "We run a cluster: three nodes. Add {}"]
)
def test_what_is_there_is_not_drawn(words: str) -> None:
    assert machines(words.format(SHOP)) == [("web", 2)]


@pytest.mark.parametrize(
    ("text", "specs"),
    [
        ("a VM with 2 terabytes of disk", {"disk": "2TB"}),
        ("a VM with 512 megabytes of memory", {"memory": "512MB"}),
        ("a VM with 512 megs of ram and 3 terabytes", {"memory": "512MB", "disk": "3TB"}),
        ("a VM w/ 8 gigabytes", {"memory": "8GB"}),
    ],
)
def test_units_may_be_written_out(text: str, specs: dict[str, Any]) -> None:
    (one,) = generate(text)["resources"]
    assert {key: one["specs"][key] for key in specs} == specs


@pytest.mark.parametrize("text", ["three severs with 4 GB", "drei Sever mit 4 GB", "three hots with 4 GB"])
def test_slips_that_are_words_are_still_slips_behind_a_number(text: str) -> None:
    assert machines(text) == [("machine", 3)]


@pytest.mark.parametrize(
    "text", ["Three app servers fronted by an nginx proxy", "Three app servers behind an nginx proxy"]
)
def test_who_is_fronted_is_behind(text: str) -> None:
    assert machines(text) == [("app", 3), ("load_balancer", 1)]
