"""The base of every API view: it speaks its dialect, counts who asks how often, and gives the answer of a POST again to
whoever repeats it."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any, ClassVar, cast

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.views import APIView

from alma.accounts.actors import Actor
from alma.api.authentication import actor_of, still_stands
from alma.api.dialects import Dialect
from alma.api.idempotency import HEADER, Claim, Replay, claim_of
from alma.api.limits.charging import charge_request
from alma.api.permissions import Openings, Rights
from alma.api.streaming import StreamNegotiation, while_allowed
from alma.errors import BadRequest, DomainError


class Endpoint(APIView):
    """A view names its dialect, the scope that each method needs, and the settings that open a method to everybody, if
    any do; it returns data and raises domain errors."""

    dialect: ClassVar[Dialect]
    scopes: ClassVar[Rights]
    openings: ClassVar[Openings] = {}
    _claim: Claim | None = None
    _caller: Actor | None = None

    @property
    def default_response_headers(self) -> dict[str, str]:
        """What the family says beside every answer."""
        return {**super().default_response_headers, **self.dialect.headers}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who calls and whether they may; only then whether this has been answered already. Raises Replay,
        and BadRequest for a NUL character in the address, which no database of ours can look for."""
        super().initial(request, *args, **kwargs)
        if "%00" in request.META["QUERY_STRING"]:
            raise BadRequest("A parameter of the address holds a NUL character.", code="INVALID_CHARACTER")
        if request.method == "POST" and HEADER in request.headers and self.keeps_answers:
            self._claim = claim_of(request)

    def perform_authentication(self, request: Request) -> None:
        """Note who calls."""
        super().perform_authentication(request)
        self._caller = actor_of(request)

    def check_throttles(self, request: Request) -> None:
        """Count the request. Raises RateLimited, or what a family says in its place."""
        charge_request(request._request, self.dialect, self._caller)

    @property
    def keeps_answers(self) -> bool:
        """Whether a POST here honours an Idempotency-Key; a stream cannot be kept."""
        return hasattr(self, "post") and not issubclass(self.content_negotiation_class, StreamNegotiation)

    def handle_exception(self, exc: Exception) -> Any:
        """A kept answer is no error. Whoever is refused at the door has asked all the same, and is counted."""
        if isinstance(exc, Replay):
            return exc.answer
        try:
            self.check_throttles(self.request)
        except DomainError as refusal:
            exc = refusal
        return super().handle_exception(exc)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Keep the answer under its claim, or give up the claim when there is none worth keeping; a stream goes on only
        while its caller may have it."""
        try:
            response = super().dispatch(request, *args, **kwargs)
        except Exception:
            if self._claim:
                self._claim.give_up()
            raise
        if self._claim:
            self._claim.settle(response)
        if isinstance(response, StreamingHttpResponse) and response.is_async and self._caller is not None:
            parts = cast(AsyncIterator[bytes], response.streaming_content)
            response.streaming_content = while_allowed(parts, partial(still_stands, request, self._caller))
        return response
