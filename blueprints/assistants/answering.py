"""What is answered in a conversation: by the planner, which needs no model and no network, and by a model where there is one and
the planner is at a loss. Nothing is changed by it."""

from dataclasses import replace

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from blueprints.assistants.beginning import unfounded
from blueprints.assistants.editing import edited, heard_by_model, settled, unasked
from blueprints.assistants.language import language_of
from blueprints.assistants.pointing import pointed
from blueprints.assistants.replying import aside, by_tool, replied
from blueprints.assistants.talk import UNDONE, Answer, Document, Talk
from blueprints.assistants.wishing import begun_anew, wished
from blueprints.generation.planner import GENERATOR
from blueprints.pasted import holds_blueprint
from blueprints.revising.hearing import hear
from blueprints.revising.manners import is_no, is_question

AUTHOR = GENERATOR
REVIEW = ("Review blueprint", "Estimate costs", "Deploy infrastructure")
"""What can be done with a draft, as documented. None of it is done by saying it: each leads to where a person decides."""
BEGIN = ("3 web servers behind a load balancer, with a PostgreSQL database", "Kubernetes cluster with 3 nodes")
_MOST_UNDOING = 8
"""Who says more, such as "backups that we can go back to", describes."""
_EMPTIED = gettext_noop("Begun anew: say which machines you need. “Undo” brings the draft back.")


def next_steps(draft: Document | None) -> list[str]:
    """What could come next."""
    return list(REVIEW if draft and draft.get("resources") else BEGIN)


def answer(words: str, talk: Talk) -> Answer:
    """What to say to these words, in their language. A question about the draft is answered, a change is made to a copy of it,
    anything else is a wish of its own."""
    with translation.override(talk.language or language_of(words, talk.draft, talk.before)):
        return _answer(words, talk)


def _answer(words: str, talk: Talk) -> Answer:
    if holds_blueprint(words):
        return begun_anew(words, talk)
    given = _settled(words, talk) or aside(words) or _gone_back(words, talk) or pointed(words, talk)
    if given is not None:
        return given
    if talk.asked_about:
        return _asked_meanwhile(words, talk) or wished(words, talk, asked_about=talk.asked_about)
    if talk.draft is None or not talk.has_parts:
        return unfounded(words, talk) or wished(words, talk)
    return _about_draft(words, talk.draft, talk)


def _about_draft(words: str, draft: Document, talk: Talk) -> Answer:
    """What the first of these says that knows an answer; the last always does."""
    steps = (unasked, replied, edited, by_tool, heard_by_model)
    return next(given for step in steps if (given := step(words, draft, talk)) is not None)


def _settled(words: str, talk: Talk) -> Answer | None:
    return settled(words, talk.draft, talk) if talk.pending and talk.draft and talk.has_parts else None


def _asked_meanwhile(words: str, talk: Talk) -> Answer | None:
    """A question, before what was asked back is answered: it stays open."""
    if talk.draft is None or not talk.has_parts:
        return None
    if is_no(words):
        return Answer(_("Good: the draft stays as it is."))
    if not is_question(words):
        return None
    has_figures = any(sign.isdigit() for sign in words)
    given = (by_tool if has_figures else replied)(words, talk.draft, talk)
    return given and replace(given, wish="")


def _gone_back(words: str, talk: Talk) -> Answer | None:
    """To the draft before this one, or to none."""
    heard = hear(words)
    if heard.verb == "undo" and len(heard.words) <= _MOST_UNDOING and talk.drafts:
        if len(talk.drafts) < 2:
            return Answer(_("There is nothing before this draft."))
        return Answer(_("This is the draft as it was before."), talk.drafts[1], changes=[UNDONE])
    if not (talk.has_parts and talk.draft and heard.has("operations", "anew")):
        return None
    given = wished(words, talk)
    if given.draft and given.draft.get("resources"):
        return begun_anew(words, talk)
    return Answer(_(_EMPTIED), {**talk.draft, "resources": []}, changes=[_("The draft is put aside.")])
