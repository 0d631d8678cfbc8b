"""What is answered in a conversation: by the planner, which needs no model and no network, and by a model where there is one and
the planner is at a loss. Nothing is changed by it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from alma.errors import BadRequest, Invalid
from blueprints import counting
from blueprints.causes import in_turn, in_words
from blueprints.drafts import draft_of
from blueprints.generation import GeneratedBlueprint
from blueprints.generation.planner import GENERATOR, MAX_DESCRIPTION
from blueprints.pasted import holds_blueprint
from blueprints.portrait import portray
from blueprints.pricing import PriceList, default_list
from blueprints.revising import Revision, revise
from blueprints.revising.hearing import hear, meant, names_other, stem, without_sentence
from blueprints.schema import parse_document
from blueprints.understanding import Asking, draft, source_for
from blueprints.understanding.changes import changed

AUTHOR = GENERATOR
Document = Mapping[str, Any]
_NOT_UNDERSTOOD = (
    "I did not understand what to change, so the draft stays as it is. Say which part and how, for example "
    "“give the database 16 GB”, or begin a new draft with “create …”."
)
REVIEW = ("Review blueprint", "Estimate costs", "Deploy infrastructure")
"""What can be done with a draft, as documented. None of it is done by saying it: each leads to where a person decides."""
BEGIN = ("3 web servers behind a load balancer, with a PostgreSQL database", "Kubernetes cluster with 3 nodes")


@dataclass(frozen=True)
class Talk:
    """What was said so far, as far as an answer needs it: drafts, the newest first, and the words of an open question."""

    drafts: Sequence[Document] = ()
    asked_about: str = ""
    prices: PriceList | None = None
    turn: int = 0
    """The number of the message that is answered."""
    asking: Asking | None = None
    """Who asks, so that a model may help; None for the planner alone."""

    @property
    def draft(self) -> Document | None:
        """What "it" is."""
        return self.drafts[0] if self.drafts else None


@dataclass(frozen=True)
class Answer:
    """Words for the person, the draft that they are about when there is a new one, what changed in it, and what was
    understood when there are open questions."""

    content: str
    draft: Document | None = None
    wish: str = ""
    changes: Sequence[str] = ()


def next_steps(draft: Document | None) -> list[str]:
    """What could come next."""
    return list(REVIEW if draft and draft.get("resources") else BEGIN)


def answer(words: str, talk: Talk) -> Answer:
    """What to say to these words. A question about the draft is answered, a change is made to a copy of it, anything
    else is a wish of its own."""
    if holds_blueprint(words):
        return _wished(words, talk)
    if talk.asked_about:
        return _wished(words, talk, asked_about=talk.asked_about)
    if talk.draft is None or not talk.draft.get("resources"):
        return _wished(words, talk)
    heard = hear(words)
    asked = next((name for name in _REPLIES if heard.has("questions", name)), None)
    if asked:
        return _replied(asked, words, talk.draft, talk)
    if heard.verb == "undo":
        return _undone(talk)
    return _revised(words, talk.draft, talk)


def _replied(asked: str, words: str, draft: Document, talk: Talk) -> Answer:
    """The answer to a question; what is to be done first is done first: "make it bigger. What would it cost?" """
    wish = without_sentence(words, "questions", asked)
    if hear(wish).verb in ("", "undo"):
        return _REPLIES[asked](draft, talk.prices)
    done = _revised(wish, draft, talk)
    if not done.changes or done.draft is None:
        return done
    return replace(done, content=f"{_listed(done.changes)}\n{_REPLIES[asked](done.draft, talk.prices).content}")


def _wished(words: str, talk: Talk, *, asked_about: str = "") -> Answer:
    """An answer to a question is read together with the words that it was about."""
    wish = f"{asked_about}\n{words}" if asked_about else words
    if len(wish) > MAX_DESCRIPTION:
        wish = words
    try:
        document = _drafted(wish, talk)
    except BadRequest as error:
        return Answer(error.message)
    causes = document["metadata"]["causes"]
    turn = 0 if asked_about else talk.turn
    causes.update({name: in_turn(rows, turn) for name, rows in causes.items()})
    questions = document["metadata"]["questions"]
    if asked_about and questions:
        anew = _wished(words, talk)  # who says it all anew is not held to what contradicted itself before
        if anew.draft and not anew.wish:
            return anew
    return Answer(_in_words(document), document, wish if questions else "")


def _drafted(wish: str, talk: Talk) -> GeneratedBlueprint:
    """With a model where there is somebody to ask it for."""
    if talk.asking:
        return draft(wish, about=talk.asking)
    counting.generated()
    return draft_of(wish, prices=talk.prices or default_list())


def _revised(words: str, draft: Document, talk: Talk) -> Answer:
    """The planner's change, or a model's where the planner finds none, or else a wish of its own."""
    problem = ""
    try:
        revision = revise(draft, words, talk.prices, turn=talk.turn)
    except BadRequest as error:
        revision, problem = None, error.message
    problem = problem or (revision.question if revision else "")
    if revision is None and not problem and _begins_anew(words, draft, talk):
        return _wished(words, talk)
    if revision is None or problem:
        heard, remark = _heard_by_model(words, draft, talk)
        if heard is None:
            return Answer(f"{problem or _NOT_UNDERSTOOD}{remark}")
        revision = heard
    counting.generated()
    return Answer(
        f"{_listed(revision.changes)}\n{_cost_line(revision.document, talk.prices)}",
        revision.document,
        changes=revision.changes,
    )


def _begins_anew(words: str, draft: Document, talk: Talk) -> bool:
    """Whether the words are a wish of their own. What speaks of the draft, or of nothing that can be built, leaves it."""
    heard = hear(words)
    if heard.makes_something:
        return True
    parts = parse_document(draft).resources
    speaks_of_it = heard.has("sentences", "beginners") or (meant(heard, parts) and not names_other(heard, parts))
    return not speaks_of_it and _is_wish(words, talk)


def _listed(changes: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in changes)


def _is_wish(words: str, talk: Talk) -> bool:
    """Whether the planner understands the words as a wish of their own."""
    try:
        return not draft_of(words, prices=talk.prices or default_list())["metadata"]["questions"]
    except BadRequest:
        return False


def _heard_by_model(words: str, draft: Document, talk: Talk) -> tuple[Revision | None, str]:
    """What a model hears, and what to say when it was of no help."""
    source = source_for(talk.asking.by, talk.asking.assistant) if talk.asking else None
    if source is None:
        return None, ""
    revision, badge = changed(draft, words, source, prices=talk.prices, turn=talk.turn)
    return revision, "" if revision or not badge.reason else f"\n- {badge.name} did not help: {badge.reason}"


def _undone(talk: Talk) -> Answer:
    if len(talk.drafts) < 2:
        return Answer("There is nothing before this draft.")
    return Answer("This is the draft as it was before.", talk.drafts[1], changes=["The last change is undone."])


def _costs(draft: Document, prices: PriceList | None) -> Answer:
    """The sum and its parts, the dearest first."""
    portrait = _portrait(draft, prices)
    if portrait is None:
        return Answer("This draft cannot be priced as it stands; review it first.")
    each = sorted(portrait.cost["per_machine"].items(), key=lambda row: -row[1])
    lines = [f"- {name}: {amount:.2f}" for name, amount in each[:20]]
    rest = [f"- {len(each) - 20} more"] if len(each) > 20 else []
    return Answer("\n".join([_cost_line(draft, prices), *lines, *rest]))


def _reasons(draft: Document, prices: PriceList | None) -> Answer:
    """What was assumed, and where the values come from."""
    about = draft.get("metadata", {})
    lines = [f"- {line}" for line in about.get("assumptions", [])]
    for row in draft["resources"][:20]:
        lines += [f"- {row['name']}: {key} from {cause}" for key, cause in reasons(about, row["name"])[:12]]
    return Answer("\n".join(lines) or "Nothing was assumed: every value was given.")


def _deployment(draft: Document, prices: PriceList | None) -> Answer:
    return Answer(
        "I change nothing by myself. Create the blueprint and open an IPR: its plan shows exactly what would happen, and "
        "what is approved there is deployed.",
    )


def _portrait(draft: Document, prices: PriceList | None) -> Any:
    try:
        return portray(parse_document(draft), prices)
    except Invalid:
        return None


def reasons(metadata: Document, name: str) -> list[tuple[str, str]]:
    """Where the values of a resource come from, by key; causes stand under its name or under that of all its siblings."""
    causes = metadata.get("causes")
    found = (causes.get(name) or causes.get(stem(name))) if isinstance(causes, Mapping) else None
    return [(key, in_words(cause)) for key, cause in found.items()] if isinstance(found, Mapping) else []


def _cost_line(draft: Document, prices: PriceList | None) -> str:
    portrait = _portrait(draft, prices)
    if portrait is None or not portrait.machine_count:
        return "Nothing is left in this draft."
    count = portrait.machine_count
    return f"{count} machine{'s' if count > 1 else ''}, about {portrait.cost['total']:.2f} {portrait.cost['currency']} a month."


def _in_words(draft: Document) -> str:
    about = draft["metadata"]
    lines = [draft["description"]]
    if draft["resources"]:
        lines = [f"{draft['description']}: about {about['estimated_cost']:.2f} {about['currency']} a month."]
    said = [*about["assumptions"], *about["warnings"], *about["questions"]]
    return "\n".join([*lines, *(f"- {line}" for line in said)])


_REPLIES: Mapping[str, Callable[[Document, PriceList | None], Answer]] = {
    "cost": _costs,
    "why": _reasons,
    "deploy": _deployment,
}
