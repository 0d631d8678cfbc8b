"""Words that would change a draft where there is none yet: what they name is drawn, with a remark, or it is said that nothing is
there to change."""

from dataclasses import replace

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from blueprints.assistants.talk import Answer, Talk
from blueprints.assistants.wishing import understood, wished
from blueprints.revising.clauses import clauses
from blueprints.revising.hearing import Heard, hear
from blueprints.revising.manners import is_question
from blueprints.revising.matching import definite_others

_SPEAKING_OF = frozenset({"double", "halve", "bigger", "smaller", "merge"})
"""They change what is there, and say enough to draw what they name."""
_TAKING = frozenset({"undo", "rename", "remove", "fewer"})
"""These do not."""
_MOST_WORDS = 14
"""Who says more describes."""
_NOTHING_YET = gettext_noop(
    "There is nothing to change yet: this conversation has no draft. Say which machines you need, for example “3 web servers "
    "behind a load balancer, with a PostgreSQL database”; then that can be done."
)
_DRAWN = gettext_noop(
    "There was no draft to change, so this is a new one with what you named. Is that what you meant, and what else is there?"
)


def unfounded(words: str, talk: Talk) -> Answer | None:
    """What to say to a change of what is not there; None when the words are a wish of their own."""
    heard = hear(words)
    first = next(iter(clauses(words, lambda part: bool(definite_others(part, ())))), None)
    if first is None or is_question(words) or heard.makes_something or len(heard.words) > _MOST_WORDS:
        return None
    if first.verb == "remove" and heard.has("everything", "all"):
        return None  # what runs is meant, and the planner says where that is taken down
    if _takes(words, heard, first.verb, talk) or _is_of_it(heard, first.verb):
        return Answer(_(_NOTHING_YET))
    return _drawn(words, talk) if _is_of_something(first.phrases[0], first.verb) else None


def _takes(words: str, heard: Heard, verb: str, talk: Talk) -> bool:
    """Whether something is to go, or back; "a web server without a database" is a wish."""
    if verb not in _TAKING:
        return False
    is_first = (heard.position("operations", verb) or 0) <= 1
    is_of_there = verb != "remove" or bool(definite_others(heard, ()))
    return understood(words, talk) is None or (is_first and is_of_there)


def _is_of_it(heard: Heard, verb: str) -> bool:
    """Whether "it" is to change, and nothing is named: "give it 16 GB"."""
    is_change = verb in _SPEAKING_OF or heard.position("sentences", "beginners") == 0
    return (
        is_change and heard.has("sentences", "pronouns") and heard.names_nothing and not heard.has("operations", "add")
    )


def _is_of_something(heard: Heard, verb: str) -> bool:
    """Whether a part is spoken of as if it were there: "make the database bigger", "scale the web servers to 5"."""
    is_change = verb in _SPEAKING_OF or heard.position("sentences", "presuming") == 0
    return is_change and bool(definite_others(heard, ()))


def _drawn(words: str, talk: Talk) -> Answer:
    """A draft of what is named; where the planner makes nothing of it, there is nothing to change."""
    given = wished(words, talk)
    if not given.draft or not given.draft.get("resources"):
        return Answer(_(_NOTHING_YET))
    return replace(given, content=f"{given.content}\n{_(_DRAWN)}")
