"""What is to be set up inside the guests and holds for all of them: the account that signs in, and the time zone."""

import re

from blueprints.generation.facts import Cause, Request

_ACCOUNT = re.compile(
    r"\b(?:user|account|login|benutzer|konto|utilisateur|compte|usuario|cuenta|utente)\s(?:(?:named|called|namens|nommé|llamado|chiamato)\s)?"
    r"[\"'“„«]?(?P<said>[a-z_][a-z0-9_-]{0,31})[\"'”“»]?,?\s(?:who\sgets\s|with\s|mit\s|avec\s|con\s|and\s)(?:\w+\s)?sudo\b",
    re.IGNORECASE,
)
_ZONE = re.compile(
    r"\b(?P<said>(?:Africa|America|Antarctica|Asia|Atlantic|Australia|Europe|Indian|Pacific)/[A-Z][A-Za-z_]{2,30}(?:/[A-Z][A-Za-z_]{2,30})?)\b"
)


def read(text: str, request: Request) -> None:
    """Given to every machine, with the words that say so."""
    for name, pattern in (("user", _ACCOUNT), ("timezone", _ZONE)):
        if match := pattern.search(text):
            because = Cause(match["said"], match.start("said"), match.end("said"))
            for group in request.groups:
                group.set(name, match["said"].lower() if name == "user" else match["said"], because)
