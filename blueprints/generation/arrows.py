"""Arrows between machines: "web -> app -> MySQL". Requests go along them, so what is left needs what is right."""

import re

from blueprints.generation.lexicon import fold, role_defaults, software_facts
from blueprints.generation.phrases import Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk, kind_of

_STARTING = re.compile(r"\b(?:order|sequence|start|boot|reihenfolge|ordre|orden|ordine|sequen)")


def read(walk: Walk, token: Token) -> None:
    """The machines that are named next complete it. "Start: etcd -> workers" and "database -> app" are orders of starting."""
    left, following = walk.in_focus, walk.elements[walk.position + 1 : walk.position + 2]
    if left is None or not following or kind_of(following[0]) not in ("phrase", "host", "article", "definite"):
        return
    left.is_umbrella = False
    is_backwards = isinstance(following[0], Phrase) and left.role in role_defaults(_role(following[0]))["needs"]
    is_order = is_backwards or _STARTING.search(fold(walk.text[: token.start])) is not None
    walk.order = ("before" if is_order else "after", (left,))


def _role(phrase: Phrase) -> str:
    return phrase.role or next((str(software_facts(name).get("role", "")) for name in phrase.software), "")
