"""Answers to questions, and what a new draft assumes, warns of and asks, in the language of a conversation; the API beside it stays
English."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from alma.accounts.models import Environment
from alma.errors import BadRequest
from blueprints.assistants.answering import answer, next_steps
from blueprints.assistants.finding import APPROVALS, TITLES
from blueprints.assistants.talk import Talk
from blueprints.causes import in_words
from blueprints.generation import generate
from blueprints.generation.lexicon import table
from blueprints.pages.answers import question_of
from blueprints.sentences import REASONS, TERMS, reason_in_words, retold, values_in
from iprs.pages.words import rule_of
from vms.scans.rules import REGISTER

SHOP = {
    "de": "2 Webserver hinter einem Load Balancer mit einer PostgreSQL-Datenbank, Budget 50 Dollar",
    "fr": "2 serveurs web derrière un répartiteur de charge avec une base de données PostgreSQL, budget 50 dollars",
    "es": "2 servidores web detrás de un balanceador de carga con una base de datos PostgreSQL, presupuesto 50 dólares",
    "it": "2 server web dietro un bilanciatore di carico con un database PostgreSQL, budget 50 dollari",
}
REQUESTS = Path(__file__).parent / "data" / "requests.jsonl"


def drawn(language: str) -> Mapping[str, Any]:
    draft = answer(SHOP[language], Talk(turn=1)).draft
    assert draft is not None
    return draft


@pytest.mark.parametrize(
    ("language", "assumed", "warned"),
    [
        ("de", "postgresql: CPU, Arbeitsspeicher, Platte nicht angegeben", "übersteigen das Budget von 50."),
        ("fr", "postgresql: CPU, mémoire, disque non précisé", "dépasse le budget de 50."),
        ("es", "postgresql: CPU, memoria, disco sin indicar", "supera el presupuesto de 50."),
        ("it", "postgresql: CPU, memoria, disco non indicato", "supera il budget di 50."),
    ],
)
def test_a_new_draft_is_told_in_its_language(language: str, assumed: str, warned: str) -> None:
    about = drawn(language)["metadata"]
    assert about["language"] == language
    assert any(line.startswith(assumed) for line in about["assumptions"])
    assert about["warnings"][0].endswith(warned)
    given = answer(SHOP[language], Talk(turn=1)).content
    assert all(line in given for line in (*about["assumptions"], *about["warnings"]))


@pytest.mark.parametrize("language", SHOP)
def test_the_api_beside_conversations_is_english(language: str) -> None:
    about = generate(SHOP[language])["metadata"]
    assert all("not given, so the usual for" in line for line in about["assumptions"])
    assert about["warnings"][0].startswith("The estimated cost of ")


@pytest.mark.parametrize(
    ("language", "words", "said"),
    [
        ("de", "warum 8 GB?", "- postgresql: Arbeitsspeicher 8GB, nicht angegeben, daher der übliche Wert (Datenbank)."),
        ("de", "warum 2 Webserver?", "- web-server: Anzahl 2, aus „2“."),
        ("de", "was kostet das im Jahr?", " USD im Jahr."),
        ("de", "was passiert, wenn die Datenbank ausfällt?", "- postgresql gibt es nur einmal"),
        ("de", "ist das sicher?", "Hier kann ich das nicht beurteilen: Niemand ist angemeldet."),
        ("fr", "pourquoi 8 Go ?", "- postgresql: mémoire 8GB, non précisé, donc la valeur habituelle (base de données)."),
        ("fr", "combien de machines y a-t-il ?", "- web-server-1 et web-server-2: 2 × 2 cœurs, 2GB de mémoire"),
        ("fr", "combien de temps prend le déploiement ?", "Je ne peux pas encore dire"),
        ("es", "¿por qué 8 GB?", "- postgresql: memoria 8GB, no indicado, así que el valor habitual (base de datos)."),
        ("es", "¿cuánto cuesta?", "4 máquinas, unos 80,00 USD al mes."),
        ("es", "¿qué ha cambiado?", "Este es el primer borrador"),
        ("it", "perché 8 GB?", "- postgresql: memoria 8GB, non indicato, quindi il valore abituale (database)."),
        ("it", "è sicuro?", "Qui non posso giudicarlo: nessuno ha effettuato l'accesso."),
        ("it", "grazie", "Prego. La bozza resta com'è"),
    ],
)  # fmt: skip
def test_questions_are_answered_in_their_language(language: str, words: str, said: str) -> None:
    given = answer(words, Talk(drafts=[drawn(language)], turn=3))
    assert said in given.content
    assert next_steps(drawn(language)) == ["Review blueprint", "Estimate costs", "Deploy infrastructure"]


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        ("Was ist das Wetter heute in der Stadt?", "Das beschreibt keine Infrastruktur."),
        ("Quelle est la météo pour les vacances ?", "Cela ne décrit pas d'infrastructure."),
        ("¿Qué tiempo hace hoy en la ciudad?", "Esto no describe una infraestructura."),
        ("Che tempo fa oggi nella città?", "Questo non descrive un'infrastruttura."),
    ],
)
def test_refusals_are_in_the_language_of_the_words(words: str, refusal: str) -> None:
    assert answer(words, Talk(turn=1)).content.startswith(refusal)


def test_who_changes_the_language_is_followed() -> None:
    draft = drawn("de")
    asked = answer("why 8 GB?", Talk(drafts=[draft], turn=3)).content
    assert asked == "- postgresql: memory 8GB, not said, so the usual for database."
    changed = answer("donne 4 cœurs à la base de données", Talk(drafts=[draft], turn=3)).draft
    assert changed is not None
    about = changed["metadata"]
    assert about["language"] == "fr"
    assert (
        "postgresql: mémoire, disque non précisé, donc les valeurs habituelles (base de données)."
        in about["assumptions"]
    )
    assert answer("ok", Talk(drafts=[changed], turn=5)).content.startswith("Rien n'attend un oui")


def test_words_of_no_language_are_of_that_of_the_words_before() -> None:
    talk = Talk(drafts=[drawn("de")], turn=5, before="combien de machines y a-t-il ?")
    assert answer("ok", talk).content.startswith("Rien n'attend un oui")


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        ("ein paar Webserver und eine Datenbank", ["Webserver: 2", "Webserver: 3", "Webserver: 5"]),
        ("il me faut des serveurs", ["Une machine avec 2 cœurs et 4 Go"]),
        ("necesito servidores", ["Una máquina con 2 núcleos y 4 GB"]),
    ],
)
def test_what_could_be_answered_is_in_the_language_of_the_question(words: str, answers: list[str]) -> None:
    draft = answer(words, Talk(turn=1)).draft
    assert draft is not None
    (question,) = draft["metadata"]["questions"]
    with translation.override(draft["metadata"]["language"]):
        assert list(question_of(question, words).answers)[: len(answers)] == answers


def test_every_reason_of_the_planner_is_known_again() -> None:
    for line in REQUESTS.read_text(encoding="utf-8").splitlines()[::25]:
        try:
            causes = generate(json.loads(line)["description"])["metadata"]["causes"]
        except BadRequest:
            continue
        for cause in (cause for rows in causes.values() for cause in rows.values()):
            text = cause.get("rule") or cause.get("default")
            if text and not str(text).isdigit():
                assert any(values_in(text, reason) for reason in REASONS) or text in REASONS, text
                assert reason_in_words(text) == in_words(cause).removeprefix("default: ") == text


def test_every_role_has_a_word() -> None:
    assert {name.replace("_", " ") for name in table("roles")} - {"default"} <= set(TERMS)


def test_what_the_scanner_and_the_reviewers_say_is_known() -> None:
    titles = {rule.title for rule in REGISTER.values()}
    assert {title for title in TITLES if "specs." not in title} <= titles
    with translation.override("de"):
        for number in range(4):
            said = rule_of(Environment(required_approvals=number, slug="staging", name="Staging"))
            assert retold(said, APPROVALS) != said
