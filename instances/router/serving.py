"""Requests from their arrival to their end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from alma.accounts.actors import Actor
from alma.api.dialects import ProtocolError
from alma.asgi_types import Receive, Scope, Send
from alma.errors import BadRequest, DomainError, NotFound, Refused, Unavailable
from alma.server.guard import Refusal
from instances.models import RequestRecord
from instances.router import listing, routes
from instances.router.backends import NotReached
from instances.router.board import Model, Target
from instances.router.bodies import Body
from instances.router.callers import Caller
from instances.router.calls import Call
from instances.router.hanging_up import ClientGone, Listening, read_body
from instances.router.inside import CALLER
from instances.router.plant import Plant
from instances.router.relay import relay
from instances.router.replies import Reply
from instances.router.routes import INFERENCE, Route
from instances.router.waiting import admitted
from instances.router.wishes import JSON, Wish

TRIES = 3
GONE = 499
State = RequestRecord.State


async def serve(plant: Plant, route: Route, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request. Raises Refusal where nothing of the body need be read."""
    try:
        if scope["method"] not in route.methods:
            raise ProtocolError(f"{scope['method']} is not allowed here.", "METHOD_NOT_ALLOWED", 405)
        caller = await _caller(plant, scope)
    except DomainError as error:
        raise Refusal(error) from error
    reply = Reply.to(scope, send)
    try:
        body = await read_body(receive)
    except ClientGone:
        return
    if route in (routes.MODELS, routes.MODEL):
        await _list(plant, caller, route, reply)
        return
    call = Call(caller, reply.request_id, scope["path"])
    async with _logged(plant, call, reply), Listening(receive):
        if route is routes.PROXY:
            await _proxy(plant, call, reply, body)
        else:
            await _infer(plant, call, reply, route, body)


async def _caller(plant: Plant, scope: Scope) -> Caller:
    """Who asks: whom a page of ours names, or whose key the headers hold. Raises NotAuthenticated, BadRequest."""
    if CALLER in scope:
        return await plant.callers.inside(scope[CALLER])
    return await plant.callers.of(scope["headers"], (scope.get("client") or ("", 0))[0])


async def _list(plant: Plant, caller: Caller, route: Route, reply: Reply) -> None:
    try:
        _require(caller.actor, INFERENCE, "instance:read")
        targets = [one for one in plant.board.of(caller.actor.organization_id) if caller.may_use(one.name)]
        if route is routes.MODELS:
            await reply.json(listing.models(targets))
        else:
            name = reply.scope["path"].removeprefix("/v1/models/")
            await reply.json(listing.model(targets, name))
    except DomainError as error:
        await reply.refuse(error)


@asynccontextmanager
async def _logged(plant: Plant, call: Call, reply: Reply) -> AsyncIterator[None]:
    """Within it the call stands in the log, and what goes wrong is told to the client."""
    plant.clerk.begin(call)
    try:
        yield
    except DomainError as error:
        is_fault = isinstance(error, Unavailable) and call.instance_id is not None
        call.end(State.FAILED if is_fault else State.REFUSED, error=error.message)
        await reply.refuse(error)
    except BaseException as error:
        call.end(State.FAILED, error=type(error).__name__)
        raise
    finally:
        call.end(State.CANCELLED)  # had it ended otherwise, that would stand there already
        gone = GONE if call.outcome == State.CANCELLED else None
        call.http_status = call.http_status or gone or reply.code
        plant.clerk.end(call)


async def _infer(plant: Plant, call: Call, reply: Reply, route: Route, raw: bytes) -> None:
    _require(call.caller.actor, INFERENCE)
    wish = Wish.read(raw, _header(reply.scope, b"content-type"))
    call.model, call.is_streamed = wish.model, wish.is_stream
    if wish.dropped:
        names = ", ".join(name for name in wish.dropped if name.isascii() and name.isprintable())
        reply.extra.append((b"x-dropped-fields", names[:500].encode()))
    model = await _model(plant, call.caller, wish.model)
    await plant.gate.enter(call.caller)
    try:
        for _ in range(TRIES):
            target = await admitted(plant.line, model, call, reply)
            if await _asked(plant, target, call, reply, (route, wish)):
                return
        raise Unavailable(f"{wish.model} is not reached.", code="BACKEND_FAILED")
    finally:
        plant.gate.leave(call.caller)


async def _asked(plant: Plant, target: Target, call: Call, reply: Reply, asked: tuple[Route, Wish]) -> bool:
    """Ask the instance and pass its answer on; False when it was not reached and nothing was sent."""
    route, wish = asked
    call.instance_id = target.pk
    try:
        answer = await plant.backends.ask(
            target,
            "POST",
            route.asks,
            headers=reply.scope["headers"],
            body=wish.body_for(target, route),
            is_stream=wish.is_stream,
        )
    except NotReached:
        plant.board.doubt(target)
        return False
    else:
        async with answer:
            await relay(answer, call, reply, is_filtered=wish.is_filtered)
        return True
    finally:
        plant.line.release(target)
        if wish.keeps:
            plant.clerk.keep(target.pk, wish.kept_until())


async def _proxy(plant: Plant, call: Call, reply: Reply, body: bytes) -> None:
    scope = reply.scope
    raw_path = scope.get("raw_path", b"").decode("latin-1") or scope["path"]
    name, path = routes.proxied(raw_path)
    call.model = name
    right = routes.right_for(scope["method"], path)
    _require(call.caller.actor, right, routes.SERVICE)
    if not call.caller.actor.has(routes.SERVICE) and _header(scope, b"content-type").startswith(JSON) and body:
        known = Body.read(body)
        known.keep_known()
        body = known.raw()
    model = await _model(plant, call.caller, name)
    await plant.gate.enter(call.caller)
    try:
        await _pass_through(plant, plant.line.take_named(model), call, reply, (path, body))
    finally:
        plant.gate.leave(call.caller)


async def _pass_through(plant: Plant, target: Target, call: Call, reply: Reply, asked: tuple[str, bytes]) -> None:
    path, body = asked
    query = reply.scope.get("query_string", b"").decode("latin-1")
    call.instance_id = target.pk
    try:
        async with await plant.backends.ask(
            target,
            reply.scope["method"],
            path + (f"?{query}" if query else ""),
            headers=reply.scope["headers"],
            body=body,
        ) as answer:
            await relay(answer, call, reply, is_filtered=False)
    except NotReached as error:
        plant.board.doubt(target)
        raise Unavailable(f"{target.name} is not running.", code="INSTANCE_NOT_RUNNING") from error
    finally:
        plant.line.release(target)


async def _model(plant: Plant, caller: Caller, name: str) -> Model:
    """What the name stands for in the caller's organization. Raises NotFound with names that there are, Refused."""
    model = (caller.actor.organization_id or 0, name)
    if not plant.board.find(model):
        await plant.board.refresh()
    targets = plant.board.find(model)
    usable = [one for one in targets if caller.may_use(one.name)]
    if targets and not usable:
        raise Refused(f"This key does not reach {name[:100]}.", code="MODEL_NOT_ALLOWED")
    if not targets:
        known = [one.name for one in plant.board.of(caller.actor.organization_id) if caller.may_use(one.name)]
        raise NotFound(
            listing.unknown(name, known),
            code="MODEL_NOT_FOUND",
            details=[{"field": "model", "message": "is not known"}],
        )
    return model


def _require(actor: Actor, *rights: str) -> None:
    """One of these rights. Raises Refused, BadRequest."""
    if not any(actor.has(right) for right in rights):
        actor.require(rights[0])
    if actor.organization_id is None:
        raise BadRequest("This credential belongs to no organization.", code="NO_ORGANIZATION")


def _header(scope: Scope, name: bytes) -> bytes:
    found: bytes = next((value for key, value in scope["headers"] if key.lower() == name), b"")
    return found
