"""Idempotency-Key: a POST that is repeated has one effect and one answer (the IETF draft of that name).

A key belongs to one actor and one route. While the first request runs, the next is refused with 409; once it is
answered, with the answer; with another body, with 422. A refusal has changed nothing and is not kept: the same key may
be used again. A request whose process died gives its key free after a minute.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac
from rest_framework.request import Request

from alma.api.authentication import actor_of
from alma.api.dialects import ProtocolError
from alma.api.models import KeptAnswer
from alma.errors import BadRequest, Unavailable
from alma.sealing import Seal

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
TRIES = 3
_KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
_SEAL = Seal(b"alma api: an answer that is kept", "The answer was kept under another secret key.", "ANSWER_UNREADABLE")
_NOT_KEPT = frozenset({"allow", "vary", "api-version"})
"""What every answer of a view says anew."""


class Replay(Exception):
    """The request has been answered before."""

    def __init__(self, answer: HttpResponse) -> None:
        super().__init__("answered before")
        self.answer = answer


@dataclass(frozen=True)
class Claim:
    """The right to answer under a key, held by one request."""

    digest: str
    holder: str

    def settle(self, response: HttpResponseBase) -> None:
        """Keep an answer; give up the claim where there is none to keep: a refusal, a fault, a stream."""
        if response.streaming or response.status_code >= 400:
            self.give_up()
            return
        assert isinstance(response, HttpResponse)
        if hasattr(response, "render"):
            response.render()
        headers = {name: value for name, value in response.items() if name.lower() not in _NOT_KEPT}
        self._mine().update(
            http_status=response.status_code, headers=headers, body=_SEAL.seal(response.content.decode("latin-1"))
        )

    def give_up(self) -> None:
        """As if it had never been asked."""
        self._mine().delete()

    def _mine(self) -> "QuerySet[KeptAnswer]":
        """None when another has taken it over meanwhile."""
        return KeptAnswer.objects.filter(digest=self.digest, holder=self.holder, http_status=None)


def claim_of(request: Request) -> Claim:
    """The claim of a POST with an Idempotency-Key. Raises Replay, BadRequest, ProtocolError."""
    key = request.headers[HEADER]
    if not _KEY.fullmatch(key):
        raise BadRequest(f"{HEADER} must be 1 to 255 printable characters.", code="INVALID_IDEMPOTENCY_KEY")
    claim = Claim(_digest(request, key), secrets.token_hex(16))
    fingerprint = _fingerprint(request)
    for _ in range(TRIES):
        row = KeptAnswer(digest=claim.digest, fingerprint=fingerprint, holder=claim.holder)
        KeptAnswer.objects.bulk_create([row], ignore_conflicts=True)
        kept = KeptAnswer.objects.filter(digest=claim.digest).first()
        if kept is not None and kept.holder == claim.holder:
            return claim
        if kept is not None and not _is_freed(kept):
            raise _answer(kept, fingerprint)
    raise _running()


def _is_freed(kept: KeptAnswer) -> bool:
    """Whether the claim was nobody's any more, which ends it."""
    return KeptAnswer.objects.free().filter(pk=kept.pk, holder=kept.holder).delete()[0] > 0


def _answer(kept: KeptAnswer, fingerprint: str) -> Exception:
    if kept.fingerprint != fingerprint:
        return ProtocolError(f"This {HEADER} was used with another body.", "IDEMPOTENCY_KEY_REUSED", 422)
    if kept.http_status is None:
        return _running()
    try:
        body = _SEAL.unseal(kept.body).encode("latin-1")
    except Unavailable as error:
        return error
    return Replay(HttpResponse(body, status=kept.http_status, headers={**kept.headers, REPLAYED: "true"}))


def _running() -> ProtocolError:
    return ProtocolError(
        f"The first request with this {HEADER} is still running.", "IDEMPOTENCY_KEY_IN_USE", 409, retry_after=1
    )


def _digest(request: Request, key: str) -> str:
    """Who, where, and which key. Strangers are told apart by their address."""
    actor = actor_of(request)
    address = request.META.get("REMOTE_ADDR", "") if actor.is_anonymous else ""
    who = (actor.organization_id, actor.key_id, actor.user_id, actor.label, address)
    return hashlib.sha256(repr((who, request.path.rstrip("/"), key)).encode()).hexdigest()


def _fingerprint(request: Request) -> str:
    """Of what is asked; keyed, for a body may hold a password that could be guessed from a plain digest."""
    asked = request.META.get("QUERY_STRING", "").encode() + b"\n" + request.body
    return salted_hmac("alma.api.idempotency", asked, algorithm="sha256").hexdigest()


def sweep() -> int:
    """Forget what has been kept for long enough; how many answers that were."""
    return KeptAnswer.objects.outdated().delete()[0]
