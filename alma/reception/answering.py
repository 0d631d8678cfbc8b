"""Answers to questions about the product, from its documentation alone and with the places where it says so."""

from dataclasses import dataclass
from functools import cache

from alma.accounts.actors import Actor
from alma.reception.documents import Section, sections
from alma.reception.phrasing import Badge, phrased
from alma.reception.ranking import Index, terms, words_of
from alma.reception.translating import translated

MOST_CITATIONS = 5
ENOUGH = 0.5
"""A section that speaks of less than this share of a question's weight is no answer to it."""
CLOSE = 0.55
"""A section this much worse than the best one is not cited beside it."""
_LONGEST_QUOTE = 600
_NOTHING = "The documentation says nothing about this. Try other words, or ask your operator."


@dataclass(frozen=True)
class Citation:
    """A passage of the documentation, without its markup, and where it stands."""

    path: str
    title: str
    heading: str
    anchor: str
    quote: str
    score: float


@dataclass(frozen=True)
class Said:
    """What there is to say to a question."""

    answer: str
    citations: tuple[Citation, ...]
    model: Badge | None = None
    """What became of asking a model; None where there is none."""
    note: str = ""
    """Of an answer in another language than the question: that it is, in the language of the question."""

    @property
    def is_found(self) -> bool:
        """Whether the documentation has an answer."""
        return bool(self.citations)


@cache
def _index() -> Index:
    """Headings count twice: they say what the section is about."""
    return Index([" ".join((row.title, row.heading, row.heading, *row.passages)) for row in sections()])


@cache
def _vocabulary() -> frozenset[str]:
    """Every word that stands in the documentation, as it stands there."""
    return frozenset(word for row in sections() for text in (row.heading, *row.passages) for word in words_of(text))


def answer(question: str, *, limit: int = 3, by: Actor) -> Said:
    """The sections that speak of the question, quoted, or in the words of a model that keeps to them; says so when there is
    none."""
    asked = translated(question, _vocabulary())
    found = [match for match in _index().search(asked.words) if match.coverage >= ENOUGH]
    best = found[0].score if found else 0.0
    close = [match for match in found if match.score >= CLOSE * best][: min(limit, MOST_CITATIONS)]
    citations = tuple(_cite(sections()[match.number], asked.words, match.score) for match in close)
    if not citations:
        return Said(asked.nothing or _NOTHING, ())
    text, model = phrased(question, [row.quote for row in citations], by=by)
    quoted = "\n\n".join(f"{row.quote} [{number}]" for number, row in enumerate(citations, start=1))
    note = f"{asked.note}\n\n" if asked.note and not text else ""
    return Said(text or f"{note}{quoted}", citations, model, "" if text else asked.note)


def _cite(section: Section, question: str, score: float) -> Citation:
    left = [term for term in terms(question) if term not in terms(section.heading)]
    ranked = Index(section.passages).search(" ".join(left))  # what the heading says, all of the section is about
    best = max(ranked, key=lambda match: (match.coverage, match.score), default=None)
    passage = section.passages[best.number if best else 0]
    quote = passage if len(passage) <= _LONGEST_QUOTE else f"{passage[:_LONGEST_QUOTE].rsplit(' ', 1)[0]} …"
    return Citation(section.path, section.title, section.heading, section.anchor, quote, round(score, 3))
