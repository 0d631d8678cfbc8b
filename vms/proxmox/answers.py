"""One classification of every answer. What is not clearly said is Unknown, and Unknown is never absent."""

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from proxmoxer.core import ResourceException

from alma.jobs.kinds import Unknown

MAX_TEXT = 400
UNREACHABLE = frozenset({401, 408, 429, 502, 503, 504, 595, 596, 597, 598, 599})
"""Codes by which a proxy or a node that has lost the cluster says that it cannot answer now."""


class Verdict(StrEnum):
    """What a clear answer means."""

    ABSENT = "absent"
    TAKEN = "taken"
    LOCKED = "locked"
    CHANGED = "changed"
    MUTE = "mute"
    """The guest agent of a machine said nothing; the cluster did answer."""
    REFUSED = "refused"
    UNCLEAR = "unclear"


_TEXTS = (
    (Verdict.ABSENT, re.compile(r"^Configuration file '[^']*' does not exist")),
    (Verdict.LOCKED, re.compile(r"\b(VM|CT) (\d+ )?is locked|can't lock file '[^']*'")),
    (Verdict.CHANGED, re.compile(r"checksum mismatch|detected modified configuration")),
    (Verdict.TAKEN, re.compile(r"^(unable to create (VM|CT) \d+\b.*|(VM|CT) \d+ )(config file )?already exists")),
    (Verdict.MUTE, re.compile(r"^(No )?QEMU guest agent\b|^Agent error\b|\bqga command\b|\bguest-[a-z-]+' failed")),
    (Verdict.REFUSED, re.compile(r"protection mode enabled|used in HA resources|^only root can set|does not support")),
)


class Refusal(Exception):
    """Proxmox answered, and the answer is no. `text` are its own words."""

    def __init__(self, verdict: Verdict, status: int, text: str) -> None:
        super().__init__(text)
        self.verdict = verdict
        self.status = status
        self.text = text


def clean(text: object, limit: int = MAX_TEXT) -> str:
    """A remote text on one line, without control characters, of bounded length."""
    words = "".join(sign if sign.isprintable() else " " for sign in str(text))
    return re.sub(r"\s+", " ", words).strip()[:limit]


def classify(status: int, text: str) -> Verdict:
    """What an error with a text means. Raises Unknown when it says nothing about the thing asked for."""
    if status in UNREACHABLE or not 400 <= status < 600:
        raise Unknown(f"{status} {text}".strip())
    if status == 500:
        return next((verdict for verdict, pattern in _TEXTS if pattern.search(text)), Verdict.UNCLEAR)
    if status in {400, 403}:
        return Verdict.REFUSED
    raise Unknown(f"{status} {text}".strip())


def refusal(error: ResourceException) -> Refusal:
    """The refusal that an exception of proxmoxer stands for. Raises Unknown."""
    text = clean(error.content or "")
    verdict = classify(int(error.status_code), text)
    if isinstance(error.errors, Mapping) and error.errors:
        text += " " + "; ".join(f"{clean(name, 60)}: {clean(words, 120)}" for name, words in error.errors.items())
    return Refusal(verdict, int(error.status_code), clean(text))


class StrictSerializer:
    """Takes an object with `data` and nothing else; proxmoxer's own would hand on what it could not read."""

    def __init__(self) -> None:
        self.beside: Mapping[str, Any] = {}
        """What else the last answer told."""

    def loads(self, response: Any) -> Any:
        """The data of an answer. Raises Unknown."""
        body = self.beside = _document(response)
        if "data" not in body:
            raise Unknown("The answer has no data.")
        return body["data"]

    def loads_errors(self, response: Any) -> Any:
        """The errors per parameter, when there are any."""
        try:
            return _document(response).get("errors")
        except Unknown:
            return None


def _document(response: Any) -> dict[str, Any]:
    try:
        body = json.loads(response.content.decode())
    except (ValueError, RecursionError) as error:
        raise Unknown(f"The answer is no JSON: {clean(response.content[:60])}") from error
    if not isinstance(body, dict):
        raise Unknown("The answer is JSON, but not an object.")
    return body


def mapping(data: Any, what: str) -> dict[str, Any]:
    """Data that must be an object. Raises Unknown."""
    if not isinstance(data, dict):
        raise Unknown(f"{what}: an object was expected, not {type(data).__name__}.")
    return data


def rows(data: Any, what: str) -> list[dict[str, Any]]:
    """Data that must be a list of objects. Raises Unknown."""
    if not isinstance(data, list):
        raise Unknown(f"{what}: a list was expected, not {type(data).__name__}.")
    return [mapping(row, what) for row in data]


def text(data: Mapping[str, Any], name: str, default: str = "") -> str:
    """A field as text. Raises Unknown when it is an object or a list."""
    value = data.get(name, default)
    if isinstance(value, (dict, list)):
        raise Unknown(f"{name}: a text was expected, not {type(value).__name__}.")
    return default if value is None else str(value)


def number(data: Mapping[str, Any], name: str, default: float = 0) -> float:
    """A field as a number; Proxmox also sends numbers as text. Raises Unknown."""
    value = data.get(name, default)
    if value is None or value == "":
        return default
    try:
        result = float(value)
    except (TypeError, ValueError) as error:
        raise Unknown(f"{name}: a number was expected, not {clean(value, 40)!r}.") from error
    if result != result or abs(result) == float("inf"):
        raise Unknown(f"{name}: a number was expected, not {result}.")
    return result


def whole(data: Mapping[str, Any], name: str, default: int = 0) -> int:
    """A field as a whole number, not negative. Raises Unknown."""
    return max(0, int(number(data, name, default)))
