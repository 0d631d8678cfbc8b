"""Asking the supervisor of another machine. It answers within seconds or counts as away; nobody waits for it any longer."""

import http.client
import time
from http import HTTPStatus
from typing import Any

from django.conf import settings

from alma.errors import DomainError, Invalid, NotFound, Refused, Unavailable, WrongState
from instances.models import Node
from instances.remote import wire

SECONDS = 5.0
REST_SECONDS = 2.0
"""A machine that was silent is not asked again for so long: pages that look every second do not wait for it each time."""
_SILENT: dict[str, float] = {}
_KINDS = {one.__name__: one for one in (Invalid, NotFound, Refused, Unavailable, WrongState)}


def is_here(node: str) -> bool:
    """Whether this process runs on that machine itself."""
    return node in {"", settings.ALMA_NODE}


def can_ask(node: str) -> bool:
    """Whether there is a supervisor that answers, as far as is known."""
    return Node.objects.answering().filter(name=node).exists()


def is_known(node: str) -> bool:
    """Whether it can be said now what lies there."""
    return is_here(node) or can_ask(node)


def ask(node: str, verb: str, *, seconds: float = SECONDS, **given: Any) -> Any:
    """What the machine answers. Raises Unavailable when it does not, and whatever the machine itself objects."""
    row = Node.objects.answering().filter(name=node).first()
    if row is None or row.ask_port is None or time.monotonic() < _SILENT.get(node, 0.0):
        raise _away(node)
    question = wire.Question.new(node, verb, given)
    try:
        said = wire.read(question, _sent(row, question.sealed(), seconds))
    except (OSError, http.client.HTTPException, ValueError) as error:
        _SILENT[node] = time.monotonic() + REST_SECONDS
        raise _away(node) from error
    if "error" in said:
        raise _objection(said["error"])
    return said["value"]


def _away(node: str) -> Unavailable:
    return Unavailable(f"The machine {node} does not answer now.", code="NODE_AWAY")


def _sent(node: Node, sealed: str, seconds: float) -> str:
    connection = http.client.HTTPConnection(node.address, node.ask_port, timeout=seconds)
    try:
        connection.request("POST", "/", body=sealed.encode(), headers={"Content-Type": "text/plain"})
        answer = connection.getresponse()
        if answer.status == HTTPStatus.FORBIDDEN:
            raise Unavailable(
                f"The machine {node.name} does not take our questions: it has another secret key, or another time.",
                code="NODE_REFUSES",
            )
        if answer.status != HTTPStatus.OK:
            raise http.client.HTTPException(f"{node.name} answers {answer.status}")
        return answer.read(wire.LARGEST).decode()
    finally:
        connection.close()


def _objection(error: dict[str, str]) -> DomainError:
    kind = _KINDS.get(error["kind"], Unavailable)
    return kind(error["message"], code=error["code"])
