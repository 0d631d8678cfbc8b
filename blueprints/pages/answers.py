"""Answers that somebody could give to what was asked back. Only those are offered that the planner has tried: with them the
question is not asked again."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alma.errors import BadRequest
from blueprints.drafts import draft_of
from blueprints.pricing import default_list

MOST = 3
_EXAMPLE = re.compile(r'"([^"]{5,200})"')
_USUAL: Sequence[tuple[str, Sequence[str]]] = (
    (
        r"How many machines|Which machines",
        (
            "One machine with 2 cores and 4 GB",
            "2 web servers with 4 GB each and a PostgreSQL database",
            "3 machines with 2 cores and 4 GB each",
        ),
    ),
    (
        r"How many of the (?P<what>[\w -]{1,40}) do you need",
        ("2 {what} servers", "3 {what} servers", "5 {what} servers"),
    ),
)
"""For questions that are asked often; the planner decides whether they are any."""


@dataclass(frozen=True)
class Question:
    """What was asked back, and answers that can be given with a press."""

    text: str
    answers: Sequence[str]


def question_of(text: str, wish: str) -> Question:
    """A question about these words, with what could be answered."""
    settling = (answer for answer in dict.fromkeys(_candidates(text)) if _settles(answer, text, wish))
    return Question(text, [answer for answer, _ in zip(settling, range(MOST), strict=False)])


def _candidates(text: str) -> Iterator[str]:
    yield from _EXAMPLE.findall(text)
    for pattern, answers in _USUAL:
        found = re.search(pattern, text)
        if found:
            yield from (answer.format(**found.groupdict()) for answer in answers)


def _settles(answer: str, question: str, wish: str) -> bool:
    try:
        draft = draft_of(f"{wish}\n{answer}", prices=default_list())
    except BadRequest:
        return False
    return bool(draft["resources"]) and question not in draft["metadata"]["questions"]
