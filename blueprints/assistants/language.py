"""In which language an answer is given: in that of the words, or in that of the conversation where they are of none."""

from typing import Any

from django.conf import settings

from blueprints.assistants.talk import Document
from blueprints.generation.lexicon import table
from blueprints.revising.hearing import phrases, spoken


def language_of(words: str, draft: Document | None) -> str:
    """Where small words of several languages are said equally often ("la", "de"), that of the draft, if it is one of them."""
    said, own = spoken(words), phrases("speaking")
    scores = {
        name: sum(word in table("numbers")[name]["markers"] or (word,) in own.get(name, ()) for word in said)
        for name, _title in settings.LANGUAGES
    }
    most = max(scores.values())
    likely = [name for name, score in scores.items() if score == most]
    before = _language_of_draft(draft)
    return before if before in likely else likely[0]


def _language_of_draft(draft: Document | None) -> str:
    metadata: Any = (draft or {}).get("metadata") or {}
    language = metadata.get("language") if isinstance(metadata, dict) else ""
    return language if language in dict(settings.LANGUAGES) else "en"
