"""An answer of an instance on its way to the client: bytes as they come, counted as they pass."""

import logging

import aiohttp
import orjson
from aiohttp import ClientResponse

from alma.api.dialects import ANTHROPIC, dialect_of
from alma.errors import BadRequest, Unavailable
from instances.models import RequestRecord
from instances.router.backends import answer_headers
from instances.router.calls import Call
from instances.router.metering import UsageFilter
from instances.router.refusals import is_of_the_request, unquoted
from instances.router.replies import STREAM, STREAM_HEADERS, Reply

logger = logging.getLogger(__name__)

LONGEST_ERROR = 64 * 1024
State = RequestRecord.State
_CUT = Unavailable("The model ended the connection within its answer.", code="BACKEND_FAILED")


async def relay(answer: ClientResponse, call: Call, reply: Reply, *, is_filtered: bool) -> None:
    """Pass an answer on, and note in the call how it ended."""
    if answer.status in {401, 403}:
        raise Unavailable("The model does not take the key that it was started with.", code="BACKEND_FAILED")
    try:
        if answer.status >= 400:
            await _fault(answer, call, reply)
        elif answer.content_type == STREAM.decode():
            await _stream(answer, call, reply, is_filtered=is_filtered)
        else:
            await _plain(answer, call, reply)
    except aiohttp.ClientError:
        await _cut(call, reply)


async def _stream(answer: ClientResponse, call: Call, reply: Reply, *, is_filtered: bool) -> None:
    call.is_streamed = True
    usage = UsageFilter() if is_filtered else None
    if not reply.has_begun:
        headers = [row for row in answer_headers(answer.raw_headers, is_changed=True) if row[0] != b"cache-control"]
        await reply.begin(answer.status, [*headers, *STREAM_HEADERS])
    async for chunk in answer.content.iter_any():
        call.meter.see(chunk, is_stream=True)
        if piece := usage.feed(chunk) if usage else chunk:
            await reply.piece(piece)
    call.end(State.DONE)
    await reply.piece(usage.end() if usage else b"", is_last=True)


async def _plain(answer: ClientResponse, call: Call, reply: Reply) -> None:
    """In one piece where it is short, else as it comes."""
    headers = answer_headers(answer.raw_headers, is_changed=False)
    if reply.has_begun:  # a stream was promised
        call.end(State.DONE)
        await reply.error_event(await answer.read())
        return
    length = answer.content_length
    if length is not None and length <= LONGEST_ERROR:
        body = await answer.read()
        call.meter.see(body)
        call.end(State.DONE)
        await reply.begin(answer.status, headers)
        await reply.piece(body, is_last=True)
        return
    await reply.begin(answer.status, headers)
    async for chunk in answer.content.iter_any():
        call.meter.see(chunk)
        await reply.piece(chunk)
    call.end(State.DONE)
    await reply.piece(b"", is_last=True)


async def _fault(answer: ClientResponse, call: Call, reply: Reply) -> None:
    """What the instance refuses, in its words; Anthropic's clients are told in a shape that they read. Raises BadRequest for
    what the request is to blame for although the instance blames itself."""
    body = await answer.content.read(LONGEST_ERROR)
    message = _message(body)
    is_clients = answer.status < 500 or is_of_the_request(message)
    call.end(State.REFUSED if is_clients else State.FAILED, error=unquoted(message))
    if is_clients and answer.status >= 500:
        raise BadRequest(message)
    call.http_status = answer.status
    if dialect_of(call.path) is ANTHROPIC and not body.startswith(b'{"type":"error"'):
        body = orjson.dumps(
            {
                "type": "error",
                "error": {"type": _kind(answer.status), "message": message},
                "request_id": call.request_id,
            }
        )
    if reply.has_begun:
        await reply.error_event(body)
    else:
        headers = answer_headers(answer.raw_headers, is_changed=True)
        await reply.whole(answer.status, headers, body)


def _message(body: bytes) -> str:
    try:
        error = orjson.loads(body)["error"]
        return str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError):
        return body[:300].decode(errors="replace")


def _kind(status: int) -> str:
    return "api_error" if status >= 500 else "not_found_error" if status == 404 else "invalid_request_error"


async def _cut(call: Call, reply: Reply) -> None:
    """The instance went away within its answer. A stream ends with an event that says so; anything else just breaks off,
    which the missing bytes tell."""
    call.end(State.FAILED, error=_CUT.message)
    if not reply.has_begun or call.is_streamed:
        await reply.refuse(_CUT)
    logger.warning("an answer of a model broke off", extra={"instance": call.instance_id})
