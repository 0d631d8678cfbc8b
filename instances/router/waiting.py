"""A request that stands in the line: it is told its place, and gives it up when its client goes."""

import asyncio
from time import perf_counter

from instances.router.board import Model, Target
from instances.router.calls import Call
from instances.router.line import Line, Ticket
from instances.router.replies import Reply

QUIET_SECONDS = 1.0
"""For so long a stream that waits is told nothing: until then a refusal can have a status of its own."""
REPEAT_SECONDS = 10.0
"""A proxy in between ends what says nothing for long."""


async def admitted(line: Line, model: Model, call: Call, reply: Reply) -> Target:
    """The instance that the request may ask now; `line.release` has to follow. Raises NotFound, Unavailable, RateLimited."""
    return line.take(model) or await _waited(line, model, call, reply)


async def _waited(line: Line, model: Model, call: Call, reply: Reply) -> Target:
    ticket = line.join(call.marker, model, call.caller.actor.label)
    began = perf_counter()
    call.instance_id = ticket.target.pk
    call.position = call.position or line.position(ticket)
    estimate = line.estimate(ticket)
    try:
        if call.is_streamed:
            await _tell(line, ticket, reply, call)
        return await ticket.future
    except BaseException:
        _give_back(line, ticket)
        raise
    finally:
        call.queue_seconds += perf_counter() - began
        line.leave(ticket)
        if not reply.has_begun:
            _note(reply, call, estimate)


def _note(reply: Reply, call: Call, estimate: int | None) -> None:
    reply.extra = [row for row in reply.extra if not row[0].startswith(b"x-queue-")]
    reply.extra += [
        (b"x-queue-position", str(call.position).encode()), (b"x-queue-seconds", f"{call.queue_seconds:.3f}".encode())
    ]  # fmt: skip
    if estimate is not None:
        reply.extra.append((b"x-queue-estimate", str(estimate).encode()))


def _give_back(line: Line, ticket: Ticket) -> None:
    """It was its turn in the very moment in which its client went."""
    future = ticket.future
    if future.done() and not future.cancelled() and future.exception() is None:
        line.release(future.result())


async def _tell(line: Line, ticket: Ticket, reply: Reply, call: Call) -> None:
    """Comment lines with the place, whenever it changes and every now and then, until there is nothing to wait for."""
    told, told_at = "", 0.0
    while not (await asyncio.wait({ticket.future}, timeout=QUIET_SECONDS))[0]:
        words = _words(line, ticket)
        if words != told or perf_counter() - told_at > REPEAT_SECONDS:
            if not reply.has_begun:
                _note(reply, call, line.estimate(ticket))
            await reply.comment(words)
            told, told_at = words, perf_counter()


def _words(line: Line, ticket: Ticket) -> str:
    estimate = line.estimate(ticket)
    return f"position {line.position(ticket)}" + (f", about {estimate} s" if estimate is not None else "")
