"""The first words of a conversation: a wish is drawn, a change of what is not there is told to be one."""

import pytest

from blueprints.assistants.answering import answer
from blueprints.assistants.talk import Talk

NOTHING, DRAWN = "There is nothing to change yet", "There was no draft to change"


@pytest.mark.parametrize(
    "words",
    [
        "make the database bigger", "mach die Datenbank größer", "rends la base de données plus grande", "haz la base de datos más grande",
        "rendi il database più grande", "scale the web servers to 5", "double the memory of the database", "put the web servers on VLAN 30",
    ],
)  # fmt: skip
def test_what_is_named_is_drawn_with_a_remark(words: str) -> None:
    given = answer(words, Talk(turn=1, language="en"))
    assert given.draft is not None
    assert given.draft["resources"]
    assert DRAWN in given.content


@pytest.mark.parametrize(
    "words",
    [
        "drop the second web server", "entferne den zweiten Webserver", "supprime la base", "give it 16 GB", "make it bigger", "undo",
        "rename db to main", "fewer web servers", "remove our old mail server", "weg mit der Datenbank",
    ],
)  # fmt: skip
def test_where_nothing_is_there_to_change_it_is_said(words: str) -> None:
    given = answer(words, Talk(turn=1, language="en"))
    assert given.draft is None
    assert given.content.startswith(NOTHING)


@pytest.mark.parametrize(
    "words",
    [
        "add a web server", "two more web servers", "a web server without a database", "make a bigger database", "give me 3 web servers",
        "we don't need a database, just two web servers", "A Nextcloud server, backups that we can go back to",
        "3 web servers, make the database highly available", "no database, just two web servers",
    ],
)  # fmt: skip
def test_a_wish_is_no_change(words: str) -> None:
    given = answer(words, Talk(turn=1, language="en"))
    assert given.draft is not None
    assert given.draft["resources"]
    assert not (NOTHING in given.content or DRAWN in given.content)
