"""Accounts and time zones that the words ask for."""

import pytest

from blueprints.code import cloud_init
from blueprints.generation import generate
from blueprints.schema import parse_document


@pytest.mark.parametrize(
    ("words", "user", "timezone"),
    [
        ("Two Ubuntu VMs with a user deploy with sudo and timezone Europe/Berlin.", "deploy", "Europe/Berlin"),
        ('Eine Debian-VM mit Benutzer "admin" mit sudo, Zeitzone Europe/Vienna.', "admin", "Europe/Vienna"),
        ("Une VM Debian, utilisateur ops avec sudo.", "ops", None),
        ("Una VM Debian, zona horaria America/Argentina/Cordoba.", None, "America/Argentina/Cordoba"),
        ("A VM for 20 users with 4 GB in Europe.", None, None),
    ],
)
def test_what_is_set_up_inside_is_in_the_specs(words: str, user: str | None, timezone: str | None) -> None:
    document = generate(words)
    assert {(row["specs"].get("user"), row["specs"].get("timezone")) for row in document["resources"]} == {
        (user, timezone)
    }


def test_user_data_says_both() -> None:
    text = cloud_init.render(parse_document(generate("A VM with user deploy with sudo, timezone Europe/Berlin")))
    assert "name: deploy" in text
    assert "timezone: Europe/Berlin" in text


def test_the_cause_quotes_the_words() -> None:
    words = "A VM, timezone Europe/Berlin"
    assert generate(words)["metadata"]["causes"]["server"]["timezone"] == {"words": "Europe/Berlin", "span": [15, 28]}
