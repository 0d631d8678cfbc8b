"""In which language an answer is given: in that of the words, or in that of the conversation where they are of none."""

from typing import Any

from django.conf import settings
from django.utils import translation

from blueprints.assistants.talk import Document
from blueprints.generation.lexicon import table
from blueprints.revising.hearing import phrases, spoken


def language_of(words: str, draft: Document | None, before: str = "") -> str:
    """Where small words of several languages are said equally often ("la", "de"), that of what was said before, or of the draft,
    if it is one of them."""
    scores = _scores(words)
    most = max(scores.values())
    likely = [name for name, score in scores.items() if score == most]
    usual = language_of(before, draft) if before else language_of_draft(draft)
    return usual if usual in likely else likely[0]


_SIGNS = {"de": "äöüß", "fr": "çœêûîë", "es": "¿¡ñáí", "it": "ìò"}
"""Letters and marks of one of the languages alone; each tells as much as two words."""


def _scores(words: str) -> dict[str, int]:
    said, own = spoken(words), phrases("speaking")
    return {
        name: 2 * sum(sign in _SIGNS.get(name, "") for sign in words.lower())
        + sum(word in table("numbers")[name]["markers"] or (word,) in own.get(name, ()) for word in said)
        for name, _title in settings.LANGUAGES
    }


def language_of_draft(draft: Document | None) -> str:
    """The language in which a draft was last talked about."""
    metadata: Any = (draft or {}).get("metadata") or {}
    language = metadata.get("language") if isinstance(metadata, dict) else ""
    return language if language in dict(settings.LANGUAGES) else "en"


def in_this_language(draft: Document) -> Document:
    """The draft, which is talked about in the language that is spoken."""
    return {**draft, "metadata": {**(draft.get("metadata") or {}), "language": translation.get_language()}}
