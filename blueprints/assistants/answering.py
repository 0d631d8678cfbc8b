"""What the planner answers in a conversation. It needs no model and no network, and changes nothing."""

from dataclasses import dataclass

from alma.errors import BadRequest
from blueprints import counting
from blueprints.generation import GeneratedBlueprint, generate
from blueprints.generation.planner import GENERATOR, MAX_DESCRIPTION

AUTHOR = GENERATOR


@dataclass(frozen=True)
class Answer:
    """Words for the person, the draft that they are about, and what was understood when there are open questions."""

    content: str
    draft: GeneratedBlueprint | None = None
    wish: str = ""


def answer(words: str, asked_about: str = "") -> Answer:
    """The draft that follows from the words. `asked_about` are earlier words that the planner had questions about:
    an answer to a question is read together with them."""
    wish = f"{asked_about}\n{words}" if asked_about else words
    if len(wish) > MAX_DESCRIPTION:
        wish = words
    try:
        draft = generate(wish)
    except BadRequest as error:
        return Answer(error.message)
    counting.generated()
    return Answer(_in_words(draft), draft, wish if draft["metadata"]["questions"] else "")


def _in_words(draft: GeneratedBlueprint) -> str:
    about = draft["metadata"]
    lines = [draft["description"]]
    if draft["resources"]:
        lines = [f"{draft['description']}: about {about['estimated_cost']:.2f} {about['currency']} a month."]
    said = [*about["assumptions"], *about["warnings"], *about["questions"]]
    return "\n".join([*lines, *(f"- {line}" for line in said)])
