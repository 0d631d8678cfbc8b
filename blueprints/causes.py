"""Why a value of a draft is what it is: one object for each, whoever made the draft. `docs/words.md` has the shape."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from blueprints.sentences import reason_in_words

Cause = Mapping[str, Any]
_LONGEST = 200


def quoted(words: str, *, start: int = 0) -> dict[str, Any]:
    """Words that somebody said, and where they stand in what was said."""
    shown = words[:_LONGEST]
    return {"words": shown, "span": [start, start + len(shown)]}


def in_turn(causes: Mapping[str, Cause], turn: int) -> dict[str, dict[str, Any]]:
    """The causes of a resource, their places told as places of that message of a conversation; 0 is none."""
    return {
        key: {**cause, **({"turn": turn} if turn and isinstance(cause, Mapping) and "span" in cause else {})}
        for key, cause in causes.items()
    }


def in_words(cause: object) -> str:
    """For a person who asks why. Metadata is free-form, so anything may stand where a cause should."""
    if not isinstance(cause, Mapping):
        return str(cause)[:_LONGEST]
    kind = next((kind for kind in _IN_WORDS if kind in cause), "")
    return _IN_WORDS[kind](cause)[: 2 * _LONGEST] if kind else ""


def _of_parameter(cause: Cause) -> str:
    values = {"name": cause["parameter"], "value": cause.get("value")}
    if cause.get("chosen"):
        return _("parameter %(name)s = %(value)s") % values
    return _("parameter %(name)s = %(value)s, by default") % values


_IN_WORDS = {
    "words": lambda cause: _('"%(words)s"') % {"words": cause["words"]},
    "rule": lambda cause: reason_in_words(str(cause["rule"])),
    "parameter": _of_parameter,
    "template": lambda cause: _("template %(name)s") % {"name": cause["template"]},
    "model": lambda cause: _("proposed by %(name)s") % {"name": cause["model"]},
    "default": lambda cause: _("default: %(reason)s") % {"reason": reason_in_words(str(cause["default"]))},
}
