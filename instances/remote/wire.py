"""Questions to another machine of the installation and its answers. Both are sealed with a key that is derived from the secret
key: whoever is on the way between two machines reads nothing, and can neither ask nor answer."""

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from alma.errors import Refused, Unavailable
from alma.sealing import Seal

FRESH_SECONDS = 60.0
"""How old a question may be, the difference between two clocks included."""
LARGEST = 64 * 1024 * 1024
_LOST = "The two machines do not have the same secret key."
QUESTION = Seal(b"alma instances: question to a node", _LOST, "NODE_UNREADABLE")
ANSWER = Seal(b"alma instances: answer of a node", _LOST, "NODE_UNREADABLE")


@dataclass(frozen=True)
class Question:
    """A verb and what it needs. `nonce` is good once, at the node that is named."""

    node: str
    verb: str
    given: dict[str, Any]
    nonce: str
    at: float

    @classmethod
    def new(cls, node: str, verb: str, given: dict[str, Any]) -> "Question":
        """One that nobody has asked."""
        return cls(node, verb, given, secrets.token_hex(16), time.time())

    def sealed(self) -> str:
        """As it travels."""
        return QUESTION.seal(json.dumps(vars(self)))

    @classmethod
    def opened(cls, text: str, node: str) -> "Question":
        """A question that has come. Raises Unavailable, and Refused for one that is old or meant for another node."""
        asked = cls(**json.loads(QUESTION.unseal(text) or "{}"))
        if asked.node != node or abs(time.time() - asked.at) > FRESH_SECONDS:
            raise Refused("This question is old, or not for this node.", code="STALE_QUESTION")
        return asked


def answered(question: Question, said: dict[str, Any]) -> str:
    """An answer as it travels: it belongs to one question."""
    return ANSWER.seal(json.dumps({"nonce": question.nonce, **said}))


def read(question: Question, text: str) -> dict[str, Any]:
    """What was answered to this very question. Raises Unavailable."""
    said: dict[str, Any] = json.loads(ANSWER.unseal(text) or "{}")
    if said.get("nonce") != question.nonce:
        raise Unavailable("The machine answered to another question.", code="NODE_UNREADABLE")
    return said
