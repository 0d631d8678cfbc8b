"""The rounds of one exchange with a model, over OpenAI's own client, within its budget of tokens. Loaded by the first question, for
the client takes most of a second that no start should wait for."""

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self

import httpx2
import openai
from django.conf import settings
from openai import AsyncOpenAI

from alma.errors import DomainError
from blueprints.understanding.outcomes import Failed, Status
from blueprints.understanding.sources import Source
from blueprints.understanding.transports import Broken, Endpoint, Inside

LEAST_TOKENS = 32
"""With fewer left no round is begun."""
LETTERS_PER_TOKEN = 16
"""More than any tokenizer packs into one on average; where no usage is told, a text of so many letters is too long."""
_INSTANCE = "http://instance.invalid/v1"
_REFUSING = frozenset({400, 415, 422})
"""How endpoints refuse a request that they do not understand."""
_REFUSALS = {
    401: "The endpoint refuses the key ({}).", 403: "The endpoint refuses the key ({}).",
    429: "The endpoint takes no more requests for now ({}).",
}  # fmt: skip
_NAME = re.compile(r"[\x20-\x7e]{1,100}")
Message = Mapping[str, str]


class Exchange:
    """One conversation with a model about one question."""

    def __init__(self, source: Source, name: str, schema: Mapping[str, Any], progress: Callable[[int], None]) -> None:
        self.source = source
        self.rounds = 0
        self.tokens = 0
        self._progress = progress
        self._model = source.model
        form = {"type": "json_schema", "json_schema": {"name": name, "schema": schema, "strict": True}}
        # Some know no temperature and call the limit otherwise, and some know no schema.
        self._ways: list[tuple[str, dict[str, Any]]] = [
            ("max_tokens", {"response_format": form, "temperature": 0}),
            ("max_completion_tokens", {"response_format": form}),
            ("max_tokens", {"response_format": {"type": "json_object"}}),
        ]
        self._client = _client(source)

    @property
    def name(self) -> str:
        """Of the model, as people are told."""
        return self._model or self.source.name

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def round(self, messages: Sequence[Message]) -> str:
        """What the model writes. Raises Failed, DomainError."""
        left = settings.ALMA_MODEL_TOKENS - self.tokens
        if left < LEAST_TOKENS:
            raise Failed(Status.OVER_BUDGET, f"The {settings.ALMA_MODEL_TOKENS} tokens for one request are used up.")
        self.rounds += 1
        try:
            return await self._written(messages, left)
        except openai.APITimeoutError as error:
            raise Failed(Status.SLOW, "It took too long.") from error
        except openai.APIStatusError as error:
            raise Failed(Status.DOWN, self._refusal(error)) from error
        except (openai.APIConnectionError, httpx2.HTTPError) as error:
            raise _unreached(error) from error
        except (openai.OpenAIError, ValueError) as error:  # an event that is none
            raise Failed(Status.GARBLED, "Its answer is no answer of the protocol.") from error

    async def _written(self, messages: Sequence[Message], left: int) -> str:
        """In the first way that the endpoint understands, which is that of later rounds as well."""
        while len(self._ways) > 1:
            try:
                return await self._streamed(messages, left)
            except openai.APIStatusError as error:
                if error.status_code not in _REFUSING:
                    raise
            del self._ways[0]
        return await self._streamed(messages, left)

    async def _streamed(self, messages: Sequence[Message], left: int) -> str:
        limit, form = self._ways[0]
        stream: Any = await self._client.chat.completions.create(
            model=await self._name(), messages=list(messages), stream=True, stream_options={"include_usage": True},
            extra_body={limit: left}, **form,
        )  # type: ignore[call-overload]  # fmt: skip
        text, parts, used = "", 0, None
        async with aclosing(stream.response):
            async for chunk in _chunks(stream):
                text += _text_of(chunk)
                parts += 1
                used = _usage_of(chunk) or used
                self._progress(len(text))
                if parts > 2 * left or len(text) > LETTERS_PER_TOKEN * left:
                    self.tokens += left
                    raise Failed(Status.OVER_BUDGET, f"It wrote more than {left} tokens.")
        self.tokens += min(used or parts, left)
        if self.source.key and self.source.key in text:
            raise Failed(Status.GARBLED, "Its answer holds the key of the endpoint.")
        return text

    def _refusal(self, error: Any) -> str:
        """In our own words: only those of our own data plane are to be trusted."""
        told = error.body.get("message") if isinstance(error.body, dict) else None
        if not self.source.url and isinstance(told, str):
            return told[:300]
        return _REFUSALS.get(error.status_code, "The endpoint answered {}.").format(error.status_code)

    async def _name(self) -> str:
        """Of the model; the first that the endpoint serves when none was named. Raises Failed."""
        if not self._model:
            page: Any = await self._client.models.list()
            names = [getattr(row, "id", None) for row in getattr(page, "data", None) or ()]
            found = next((name for name in names if isinstance(name, str) and _NAME.fullmatch(name)), None)
            if found is None:
                raise Failed(Status.DOWN, "The endpoint serves no model.")
            self._model = found
        return self._model


def _client(source: Source) -> AsyncOpenAI:
    """Without retries, redirects and whatever the environment says of proxies and keys."""
    transport = Endpoint(source) if source.url else Inside(source)
    http = httpx2.AsyncClient(
        transport=transport, trust_env=False, follow_redirects=False, timeout=float(settings.ALMA_MODEL_SECONDS)
    )
    return AsyncOpenAI(
        base_url=source.url or _INSTANCE, api_key=source.key or "none", organization="", project="", max_retries=0,
        http_client=http,
    )  # fmt: skip


async def _chunks(stream: Any) -> AsyncIterator[Any]:
    async for chunk in stream:
        yield chunk


def _text_of(chunk: Any) -> str:
    """What a chunk adds. Nothing of it was checked: it may be anything that is JSON."""
    choices = getattr(chunk, "choices", None)
    delta = getattr(choices[0], "delta", None) if isinstance(choices, list) and choices else None
    content = getattr(delta, "content", None)
    return content if isinstance(content, str) else ""


def _usage_of(chunk: Any) -> int | None:
    tokens = getattr(getattr(chunk, "usage", None), "completion_tokens", None)
    return tokens if isinstance(tokens, int) and tokens > 0 else None


def _unreached(error: BaseException) -> Failed:
    """In words that tell nothing of a network that only we see."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, DomainError):
            return Failed(Status.DOWN, cause.message)
        if isinstance(cause, Broken):
            return Failed(Status.GARBLED, str(cause))
        if isinstance(cause, httpx2.TimeoutException):
            return Failed(Status.SLOW, "It took too long.")
        cause = cause.__cause__
    return Failed(Status.DOWN, "It cannot be reached.")
