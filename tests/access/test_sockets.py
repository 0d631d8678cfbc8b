"""Every socket and each of its actions, for every kind of caller; and how soon an open one ends with its right."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from functools import cache
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings as configured
from django.db import connections
from django.test import Client
from django.utils.module_loading import import_string

from alma.accounts.models import ApiKey, Membership
from alma.accounts.scopes import EVERYTHING
from alma.events import admission
from alma.events.hub import Hub, current_hub
from alma.events.services import emit
from alma.server.sockets import SocketRouter
from iprs.models import Deployment
from tests.access import table_live, world
from tests.access.callers import NOBODY, Caller, keys, of_key, people
from tests.access.conftest import Stage
from tests.factories.accounts import make_key, make_organization, make_user, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
PATHS = sorted({name.split()[0] for name in table_live.SOCKETS})
SAME = "http://localhost"
SECONDS = 5


@cache
def routes() -> Mapping[str, Any]:
    """As they are served. Asked for late: the module makes the server's handler, which looks for collected files."""
    return import_string("alma.application.SOCKETS")


def actions(path: str) -> set[str]:
    return set(routes()[path].consumer_class().actions())


def test_every_action_has_an_expectation() -> None:
    """A new socket or action needs a line in table_live.py."""
    found = {f"{path} {name}" for path in routes() for name in {"connect", *actions(path)}}
    assert found == table_live.SOCKETS.keys()


def _stage() -> Stage:
    ours, theirs = make_organization(), make_organization("theirs")
    own, foreign = world.furnish(ours, world.OURS), world.furnish(theirs, world.THEIRS)
    narrow = [
        of_key(f"only {live.rights}", make_key(frozenset(live.rights))[1], frozenset(live.rights)) for live in _rows()
    ]
    without = [_all_but(right) for live in _rows() for right in live.rights]
    return Stage(ours, theirs, own, foreign, [NOBODY, *people(ours, theirs), *keys(ours), *narrow, *without], {})


def _rows() -> list[table_live.Live]:
    return list(dict.fromkeys(table_live.SOCKETS.values()))


def _all_but(right: str) -> Caller:
    scopes = EVERYTHING - {right}
    return of_key(f"all but {right}", make_key(scopes)[1], scopes)


@pytest_asyncio.fixture
async def hub(transactional_db: None) -> AsyncIterator[Hub]:
    hub = current_hub()
    hub.start()
    yield hub
    await hub.stop()
    await sync_to_async(connections.close_all)()


def socket(path: str, caller: Caller) -> WebsocketCommunicator:
    session = caller.client.cookies.get(configured.SESSION_COOKIE_NAME)
    given = {"host": "localhost", **{name.lower(): value for name, value in caller.headers.items()}}
    if session is not None:
        given |= {"cookie": f"{configured.SESSION_COOKIE_NAME}={session.value}", "origin": SAME}
    return WebsocketCommunicator(
        SocketRouter(routes()), path, headers=[(k.encode(), v.encode()) for k, v in given.items()]
    )


async def said(communicator: WebsocketCommunicator, *requests: dict[str, Any]) -> list[Any]:
    """What was answered to these, until the socket has dealt with them all."""
    for request in (*requests, {"action": "no such action"}):
        await communicator.send_json_to(request)
    heard: list[Any] = []
    while not heard or heard[-1].get("code") != "UNKNOWN_ACTION":
        heard.append(await communicator.receive_json_from(SECONDS))
    return heard[:-1]


def asked(path: str, things: Any) -> list[dict[str, Any]]:
    """Each action of a socket, about these things."""
    topics = [f"ipr:{things.ipr}", f"blueprint:{things.blueprint}#0", f"deployment:{things.deployment}#0"]
    about = {"deployment_id": things.deployment, "topics": topics, "name": things.instance, "vm": things.vm_number}
    return [{"action": name, **about} for name in sorted(actions(path))]


@pytest.mark.parametrize("path", PATHS)
async def test_a_socket_for_every_caller(hub: Hub, is_open: bool, path: str) -> None:
    stage = await sync_to_async(_stage)()
    live = table_live.SOCKETS[f"{path} connect"]
    for caller in stage.callers:
        communicator = socket(path, caller)
        is_connected, _ = await communicator.connect(SECONDS)
        is_public = is_open and live.is_opened and (caller.is_member or caller == NOBODY)
        may = frozenset(live.rights) <= caller.scopes or is_public
        if caller.kind == "dead" or caller.name == "disabled user":
            may = False
        assert is_connected is may, caller.name
        if is_connected:
            await check_answers(path, communicator, stage)
        await communicator.disconnect()


async def check_answers(path: str, communicator: WebsocketCommunicator, stage: Stage) -> None:
    """Another's things are as if they had never been, and its events do not come."""
    theirs = await said(communicator, *asked(path, stage.foreign))
    nobodys = await said(communicator, *asked(path, world.NOWHERE))
    assert answers(theirs, stage.foreign.deployment) == answers(nobodys, world.NOWHERE.deployment)
    assert world.THEIRS not in json.dumps(theirs)
    await asyncio.to_thread(_happen, stage)
    assert world.THEIRS not in json.dumps(await said(communicator, *asked(path, stage.own)))


def answers(heard: list[Any], deployment: str) -> str:
    """What was said in answer; what happened for the caller before this one may still be told in between."""
    return json.dumps([message for message in heard if "seq" not in message]).replace(deployment, "#")


def _happen(stage: Stage) -> None:
    """Something in each organization, the other one's first."""
    for organization, things in ((stage.theirs, stage.foreign), (stage.ours, stage.own)):
        stream = Deployment.objects.get(job__public_id=things.deployment).job.stream
        emit(
            stream,
            "deployment.log",
            organization_id=organization.pk,
            message=things.word,
            level="info",
            step=1,
            key="x",
        )
    connections.close_all()


# -- how soon it ends -----------------------------------------------------------------------------
ENDS = {
    "revoked": lambda key: key.revoke(),
    "expired": lambda key: ApiKey.objects.filter(pk=key.pk).update(expires_at=world._long_ago()),
    "owner left": lambda key: Membership.objects.filter(user=key.owner).delete(),
    "owner disabled": lambda key: type(key.owner).objects.filter(pk=key.owner_id).update(is_active=False),
    "owner has another role": lambda key: Membership.objects.filter(user=key.owner).update(role="viewer"),
}


@pytest.mark.parametrize("end", ENDS)
async def test_an_open_socket_ends_with_its_key_and_so_does_the_next_request(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """By the clock of the doorman alone; that is ten seconds, and sped up here."""
    assert admission.RECHECK_SECONDS <= 30
    monkeypatch.setattr(admission, "RECHECK_SECONDS", 0.05)
    key, secret = await sync_to_async(_key)()
    communicator = socket("/ws/deployments", of_key("key", secret, EVERYTHING))
    assert (await communicator.connect(SECONDS))[0]
    await sync_to_async(ENDS[end])(key)
    assert (await communicator.receive_json_from(SECONDS))["code"] == "RIGHT_ENDED"
    assert (await communicator.receive_output(SECONDS))["code"] == 4403
    answer = await sync_to_async(_write)(secret)
    assert answer.status_code == 403


def _key() -> tuple[ApiKey, str]:
    organization = make_organization()
    return make_key(EVERYTHING, organization=organization, owner=make_user(organization=organization))


def _write(secret: str) -> Any:
    return Client().delete("/api/v1/blueprints/1", headers={"X-API-Key": secret})


async def test_revoking_rings_the_doorman_at_once(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long before his clock: the event of the revocation is what wakes him."""
    monkeypatch.setattr(admission, "RECHECK_SECONDS", 3_600)
    key, secret = await sync_to_async(_key)()
    communicator = socket("/ws/deployments", of_key("key", secret, EVERYTHING))
    assert (await communicator.connect(SECONDS))[0]
    await sync_to_async(_revoke_on_page)(key)
    assert (await communicator.receive_json_from(SECONDS))["code"] == "RIGHT_ENDED"


def _revoke_on_page(key: ApiKey) -> None:
    client = sign_in(Client(), make_user(organization=key.organization))
    assert client.post(f"/settings/keys/{key.token_id}/revoke/").status_code == 302
