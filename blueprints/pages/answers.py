"""Answers that somebody could give to what was asked back. Only those are offered that the planner has tried: with them the
question is not asked again."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from alma.errors import BadRequest
from blueprints.drafts import draft_of
from blueprints.pricing import default_list
from blueprints.sentences import COUNT_OPEN, MACHINES_OPEN, NOTHING_SAID, values_in

MOST = 3
_EXAMPLE = re.compile(r'["“„«] ?([^"“”„«»]{5,200}?) ?["”“»]')
_USUAL: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(
        (MACHINES_OPEN, NOTHING_SAID),
        (
            gettext_noop("One machine with 2 cores and 4 GB"),
            gettext_noop("2 web servers with 4 GB each and a PostgreSQL database"),
            gettext_noop("3 machines with 2 cores and 4 GB each"),
        ),
    ),
    COUNT_OPEN: (
        gettext_noop("2 %(name)s servers"), gettext_noop("3 %(name)s servers"), gettext_noop("5 %(name)s servers"),
    ),
}  # fmt: skip
"""For questions that are asked often; the planner decides whether they are any."""


@dataclass(frozen=True)
class Question:
    """What was asked back, and answers that can be given with a press."""

    text: str
    answers: Sequence[str]


def question_of(text: str, wish: str) -> Question:
    """A question about these words, with what could be answered."""
    settling = (answer for answer in dict.fromkeys(_candidates(text)) if _settles(answer, text, wish))
    return Question(text, [answer for answer, _number in zip(settling, range(MOST), strict=False)])


def _candidates(text: str) -> Iterator[str]:
    yield from _EXAMPLE.findall(text)
    for question, answers in _USUAL.items():
        values = values_in(text, question)
        if values is not None:
            yield from (_(answer) % values for answer in answers)


def _settles(answer: str, question: str, wish: str) -> bool:
    try:
        draft = draft_of(f"{wish}\n{answer}", prices=default_list())
    except BadRequest:
        return False
    return bool(draft["resources"]) and question not in draft["metadata"]["questions"]
