"""Questions about the product are answered from its own documentation, and from nothing else."""

from pathlib import Path

import pytest
from django.conf import settings

from alma.accounts.actors import Actor
from alma.reception.answering import MOST_CITATIONS, answer
from alma.reception.documents import cut, plain, sections
from alma.reception.ranking import Index, terms
from alma.reception.translating import translated

BY = Actor(1, "ana")

TEXT = """# The tool
It does *things* with [links](https://example.org).

## Use
```bash
# no heading
run it
```

- first point
- second **point**

## Empty
"""


def test_a_text_is_cut_at_its_headings() -> None:
    first, second = cut(TEXT, "tool.md")
    assert (first.title, first.heading, first.passages) == ("The tool", "The tool", ("It does things with links.",))
    assert (second.title, second.heading, second.anchor) == ("The tool", "Use", "tool.md#use")
    assert second.passages[1:] == ("first point", "second point")
    assert "no heading" in second.passages[0]


def test_all_documents_for_users_are_known() -> None:
    files = {path.name for path in Path(settings.BASE_DIR, "docs").glob("*.md")} | {"README.md"}
    assert {Path(section.path).name for section in sections()} == files


@pytest.mark.parametrize(
    ("forms", "stem"),
    [("machine machines", "machin"), ("deploy deployed deploying deploys", "deploy"), ("policy policies", "policy")],
)
def test_forms_of_a_word_are_one_term(forms: str, stem: str) -> None:
    assert set(terms(forms)) == {stem}


def test_the_source_of_a_drawing_is_not_quoted() -> None:
    drawn = "# States\n```mermaid\nstateDiagram-v2\n  draft --> pending\n```\nA draft becomes pending.\n"
    assert [section.passages for section in cut(drawn, "states.md")] == [("A draft becomes pending.",)]


def test_a_word_that_stands_nowhere_weighs_no_more_than_the_others() -> None:
    index = Index(["webhook of an organization", "cluster", "plan"])
    assert [match.coverage for match in index.search("tweak webhook")] == [0.5]
    assert index.search("tweak frobnicate") == []


def test_words_without_meaning_are_no_terms() -> None:
    assert terms("How do I use it?") == []


def test_rare_words_weigh_more_and_short_texts_fit_better() -> None:
    index = Index(["plan plan review", "plan", "cluster of machines and many other words", "review plan cluster"])
    assert [match.number for match in index.search("cluster plan")][0] == 3
    assert [match.number for match in index.search("plan")][:2] == [0, 1]
    assert index.search("zebra") == []
    assert Index([]).search("plan") == []


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("How do I run the tests?", "README.md"),
        ("Which keys may specs have?", "docs/blueprints.md"),
        ("How do I connect a Proxmox cluster?", "docs/operations.md"),
        ("How do I connect a real cluster?", "docs/operations.md"),
        ("What does the sandbox do?", "docs/sandbox.md"),
        ("How do I revoke an API key?", "docs/access.md"),
        ("How do I set up single sign-on?", "docs/access.md"),
        ("How do I add a member?", "docs/access.md"),
        ("How do I configure webhooks?", "docs/webhooks.md"),
    ],
)
def test_questions_are_answered_with_their_places(question: str, path: str) -> None:
    said = answer(question, by=BY)
    assert said.is_found
    assert path in {row.path for row in said.citations}
    for row in said.citations:
        text = plain((Path(settings.BASE_DIR) / row.path).read_text(encoding="utf-8"))
        assert row.quote.removesuffix(" …").split(" ")[0] in text
        assert row.quote in said.answer


@pytest.mark.parametrize(
    "question", ["How do I bake a chocolate cake?", "Who won the world cup in 1998?", "asdf", "???", "how do I use it"]
)
def test_it_says_when_nothing_fits(question: str) -> None:
    said = answer(question, by=BY)
    assert (said.is_found, said.citations) == (False, ())
    assert "says nothing" in said.answer


IN_OTHER_LANGUAGES = {
    "How do I run the tests?": [
        "Wie führe ich die Tests aus?",
        "Comment lancer les tests ?",
        "¿Cómo ejecuto las pruebas?",
        "Come eseguo i test?",
    ],
    "How do I connect a Proxmox cluster?": [
        "Wie verbinde ich einen Proxmox-Cluster?",
        "Comment connecter un cluster Proxmox ?",
        "¿Cómo conecto un clúster de Proxmox?",
        "Come collego un cluster Proxmox?",
    ],
    "What does the sandbox do?": [
        "Was macht der Sandkasten?",
        "Que fait le bac à sable ?",
        "¿Qué hace el sandbox?",
        "Cosa fa la sandbox?",
    ],
    "How do I revoke an API key?": [
        "Wie widerrufe ich einen API-Schlüssel?",
        "Comment révoquer une clé API ?",
        "¿Cómo revoco una clave de API?",
        "Come revoco una chiave API?",
    ],
    "How do I set up single sign-on?": [
        "Wie richte ich Single Sign-On ein?",
        "Comment configurer l'authentification unique ?",
        "¿Cómo configuro el inicio de sesión único?",
        "Come configuro il single sign-on?",
    ],
    "How do I add a member?": [
        "Wie füge ich ein Mitglied hinzu?",
        "Comment ajouter un membre ?",
        "¿Cómo añado un miembro?",
        "Come aggiungo un membro?",
    ],
    "How do I configure webhooks?": [
        "Wie konfiguriere ich Webhooks?",
        "Comment configurer les webhooks ?",
        "¿Cómo configuro los webhooks?",
        "Come configuro i webhook?",
    ],
    "How do I restore a backup?": [
        "Wie stelle ich eine Sicherung wieder her?",
        "Comment restaurer une sauvegarde ?",
        "¿Cómo restauro una copia de seguridad?",
        "Come ripristino un backup?",
    ],
    "What does a backup need to count as good?": [
        "Was braucht eine Sicherung, um als gut zu gelten?",
        "Que faut-il pour qu'une sauvegarde compte comme bonne ?",
        "¿Qué necesita una copia de seguridad para contar como buena?",
        "Di cosa ha bisogno un backup per contare come buono?",
    ],
    "How can a key be limited?": [
        "Wie kann ein Schlüssel begrenzt werden?",
        "Comment limiter une clé ?",
        "¿Cómo se puede limitar una clave?",
        "Come si può limitare una chiave?",
    ],
    "How do I connect a real cluster?": [
        "Wie verbinde ich einen echten Cluster?",
        "Comment connecter un vrai cluster ?",
        "¿Cómo conecto un clúster real?",
        "Come collego un cluster vero?",
    ],
    "How is the security score computed?": [
        "Wie wird die Punktzahl der Sicherheit berechnet?",
        "Comment est calculé le score de sécurité ?",
        "¿Cómo se calcula la puntuación de seguridad?",
        "Come si calcola il punteggio di sicurezza?",
    ],
    "How do I upgrade ALMA?": [
        "Wie aktualisiere ich ALMA auf eine neue Version?",
        "Comment mettre à jour ALMA ?",
        "¿Cómo actualizo ALMA?",
        "Come aggiorno ALMA?",
    ],
    "Which templates are there?": [
        "Welche Vorlagen gibt es?",
        "Quels modèles de blueprint y a-t-il ?",
        "¿Qué plantillas hay?",
        "Quali template ci sono?",
    ],
    "How do I use PostgreSQL as the database?": [
        "Wie benutze ich PostgreSQL als Datenbank?",
        "Comment utiliser PostgreSQL comme base de données ?",
        "¿Cómo uso PostgreSQL como base de datos?",
        "Come uso PostgreSQL come database?",
    ],
}
"""German, French, Spanish, Italian."""


@pytest.mark.parametrize(
    ("question", "english", "language"),
    [(row, english, at) for english, rows in IN_OTHER_LANGUAGES.items() for at, row in zip(("de", "fr", "es", "it"), rows, strict=True)],
)  # fmt: skip
def test_a_question_in_another_language_finds_the_same_answer(question: str, english: str, language: str) -> None:
    said, wanted = answer(question, by=BY), answer(english, by=BY)
    assert [row.anchor for row in said.citations][:1] == [row.anchor for row in wanted.citations][:1]
    notes = {"de": "auf Englisch", "fr": "en anglais", "es": "en inglés", "it": "in inglese"}
    assert notes[language] in said.answer.splitlines()[0]
    assert said.citations[0].quote in said.answer


@pytest.mark.parametrize(
    ("question", "begins"),
    [
        ("Wie backe ich einen Schokoladenkuchen?", "Die Dokumentation sagt dazu nichts."),
        ("Comment faire un gâteau au chocolat ?", "La documentation n'en dit rien."),
        ("¿Cómo hago una tarta de chocolate?", "La documentación no dice nada"),
        ("Come faccio una torta al cioccolato?", "La documentazione non ne dice nulla."),
    ],
)
def test_it_says_in_the_language_of_the_question_when_nothing_fits(question: str, begins: str) -> None:
    said = answer(question, by=BY)
    assert (said.is_found, said.answer.startswith(begins)) == (False, True)


@pytest.mark.parametrize("question", ["How do I run the tests?", "sandbox cluster", "webhooks", "PostgreSQL?"])
def test_a_question_in_english_is_taken_as_it_is(question: str) -> None:
    assert translated(question, frozenset()).words == question


@pytest.mark.parametrize(
    ("question", "begins"),
    [
        ("How do I create an API key?", "Settings → Keys and members → New key."),
        ("How do I revoke an API key?", "Revoke on the page of keys"),
    ],
)
def test_what_a_heading_says_already_decides_no_passage(question: str, begins: str) -> None:
    assert answer(question, by=BY).citations[0].quote.startswith(begins)


def test_no_more_is_cited_than_asked_for() -> None:
    assert len(answer("sandbox cluster", limit=1, by=BY).citations) == 1
    assert len(answer("sandbox", limit=99, by=BY).citations) <= MOST_CITATIONS
