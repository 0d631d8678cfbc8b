"""Passages of the documentation put into sentences that answer a question. Whoever asks checks them against the passages."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from alma.accounts.actors import Actor
from alma.reception.phrasing import Sentence
from blueprints.understanding.asking import Question, ask_here, schema_of
from blueprints.understanding.proposals import Closed
from blueprints.understanding.sources import source_for

MOST_SENTENCES = 5
Text = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9À-ž_ ,.:;'()=/+-]{1,300}$")]
TASK = """Answer `question` from `passages` and from nothing else, in one to five short sentences. Each sentence names in `cites` \
the numbers of the passages that say it. When the passages do not answer the question, give no sentences."""


class CitedSentence(Closed):
    """One sentence and where it stands."""

    text: Text
    cites: Annotated[list[Annotated[int, Field(ge=1, le=9)]], Field(min_length=1, max_length=3)]


class Answer(Closed):
    """All of it."""

    sentences: Annotated[list[CitedSentence], Field(max_length=MOST_SENTENCES)]


def phrase(question: str, passages: Sequence[str], by: Actor) -> tuple[Sequence[Sentence], Mapping[str, Any] | None]:
    """Sentences, and what became of asking a model; None where there is none."""
    source = source_for(by)
    if source is None:
        return (), None
    data = {"question": question, "passages": {str(number): text for number, text in enumerate(passages, start=1)}}
    schema = schema_of(Answer)
    schema["$defs"]["CitedSentence"]["properties"]["cites"]["items"]["maximum"] = len(passages)
    outcome = ask_here(source, Question("answer", TASK, data, Answer, schema))
    said = outcome.value.sentences if outcome.value else []
    return [Sentence(one.text.strip(), tuple(dict.fromkeys(one.cites))) for one in said], outcome.badge.as_dict()
