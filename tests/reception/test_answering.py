"""Questions about the product are answered from its own documentation, and from nothing else."""

from pathlib import Path

import pytest
from django.conf import settings

from alma.accounts.actors import Actor
from alma.reception.answering import MOST_CITATIONS, answer
from alma.reception.documents import cut, plain, sections
from alma.reception.ranking import Index, terms

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
        ("How do I connect a Proxmox cluster?", "README.md"),
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


def test_no_more_is_cited_than_asked_for() -> None:
    assert len(answer("sandbox cluster", limit=1, by=BY).citations) == 1
    assert len(answer("sandbox", limit=99, by=BY).citations) <= MOST_CITATIONS
