"""Replies to what changes a draft, in the language of the words: every message is translated, and its values are all there."""

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

import blueprints
from blueprints.assistants.answering import answer
from blueprints.assistants.language import language_of
from blueprints.assistants.talk import Talk, offers
from blueprints.generation import generate

HERE = Path(blueprints.__file__).parent
CATALOGUES = [language for language, _name in settings.LANGUAGES if language != "en"]
FUNCTIONS = {"_": 1, "gettext": 1, "gettext_noop": 1, "ngettext": 2}
VALUES = re.compile(r"%\(\w+\)s")
SHOP = "3 web servers behind a load balancer, with a PostgreSQL database"


def messages() -> Iterator[tuple[str, ...]]:
    """Every message of the modules of an app that speak to somebody, singular and plural."""
    for path in sorted(HERE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
                said = [one.value for one in node.args[: FUNCTIONS[node.func.id]] if isinstance(one, ast.Constant)]
                if len(said) == FUNCTIONS[node.func.id]:
                    yield tuple(str(one) for one in said)


def compiled(language: str) -> gettext.GNUTranslations:
    with (HERE / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        return gettext.GNUTranslations(file)


def written(language: str) -> str:
    return (HERE / "locale" / language / "LC_MESSAGES" / "django.po").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", CATALOGUES)
def test_every_message_is_translated_with_all_its_values(language: str) -> None:
    catalogue = compiled(language)
    found = set(messages())
    assert len(found) > 100
    for said in found:
        numbers = (1, 5) if len(said) > 1 else (0,)
        for number in numbers:
            given = catalogue.ngettext(*said, number) if len(said) > 1 else catalogue.gettext(said[0])
            known = catalogue._catalog.keys()  # type: ignore[attr-defined]
            assert said[0] in known or (said[0], 0) in known, said
            assert sorted(VALUES.findall(given)) == sorted(VALUES.findall(said[0])), given
            assert given[-1:] == said[0][-1:] or said[0][-1] not in ".?", given


@pytest.mark.parametrize("language", CATALOGUES)
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    text = written(language)
    assert "fuzzy" not in text
    assert "#~" not in text
    catalogue = compiled(language)
    singles = re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', text, re.MULTILINE)
    assert len(singles) > 100
    for said, given in singles:
        assert catalogue.gettext(said.replace('\\"', '"')) == given.replace('\\"', '"')


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("gib der Datenbank 16 GB", "de"), ("entferne den Load Balancer", "de"), ("donne 16 Go à la base de données", "fr"),
        ("supprime le répartiteur de charge", "fr"), ("da 16 GB a la base de datos", "es"), ("quita el balanceador de carga", "es"),
        ("dai 16 GB al database", "it"), ("togli il bilanciatore", "it"), ("give the database 16 GB", "en"), ("drop web-1", "en"),
    ],
)  # fmt: skip
def test_the_language_of_words_is_known(words: str, language: str) -> None:
    assert language_of(words, None) == language


@pytest.mark.parametrize(("words", "language"), [("16 GB", "it"), ("ok", "de"), ("web-1: 8 GB", "fr")])
def test_words_of_no_language_are_of_that_of_the_draft(words: str, language: str) -> None:
    assert language_of(words, {"metadata": {"language": language}}) == language


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("gib der Datenbank 16 GB", ["postgresql: Arbeitsspeicher 8GB → 16GB."]),
        ("donne 16 Go à la base de données", ["postgresql: mémoire 8GB → 16GB."]),
        ("da 16 GB a la base de datos", ["postgresql: memoria 8GB → 16GB."]),
        ("togli il bilanciatore", ["load-balancer è tolto."]),
        ("installiere Docker auf den Webservern", [f"web-server-{n}: Software keine → docker." for n in (1, 2, 3)]),
        ("drop the load balancer", ["load-balancer is gone."]),
    ],
)
def test_changes_are_told_in_the_language_of_the_words(words: str, told: list[str]) -> None:
    assert list(answer(words, Talk(drafts=[dict(generate(SHOP))], turn=3)).changes) == told


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        ("mach es größer", "Wessen Größe soll ich ändern? Es gibt postgresql"),
        ("qu'est-ce que ça coûterait avec 2 serveurs web de plus ?", "- web-server-4 est nouveau"),
        ("deshaz", "No hay nada antes de este borrador."),
        ("entferne den zehnten Webserver", "Es gibt 3 davon"),
    ],
)
def test_questions_and_offers_are_in_the_language_of_the_words(words: str, begins: str) -> None:
    given = answer(words, Talk(drafts=[dict(generate(SHOP))], turn=3))
    assert given.content.startswith(begins)


def test_an_offer_is_known_in_every_language() -> None:
    talk = Talk(drafts=[dict(generate("3 web servers"))], turn=3)
    for words in (
        "500 GB disk for the database",
        "500 GB Platte für die Datenbank",
        "500 Go de disque pour la base de données",
    ):
        given = answer(words, talk)
        assert given.wish
        assert offers(given.content), given.content
