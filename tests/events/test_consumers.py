"""Who may open a socket, what they may ask, and what happens to those who ask nonsense or lose their right."""

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings as django_settings
from django.test import Client
from pytest_django import Settings

from alma.accounts.models import Membership, Organization
from alma.accounts.scopes import INFERENCE
from alma.events.admission import doorman_of
from alma.events.hub import Hub, current_hub
from alma.server.sockets import SocketRouter
from tests.events.site import opened, pages, runs, seqs, settled, socket, write_soon
from tests.factories.accounts import make_key, make_organization, make_user

pytestmark = pytest.mark.django_db(transaction=True)
SAME = "http://localhost"


async def refused(communicator: WebsocketCommunicator) -> bool:
    is_open, _ = await communicator.connect(5)
    return not is_open


@sync_to_async
def cookie_of(user: Any) -> str:
    client = Client()
    client.force_login(user)
    return f"{django_settings.SESSION_COOKIE_NAME}={client.cookies[django_settings.SESSION_COOKIE_NAME].value}"


make_user_soon, make_key_soon = sync_to_async(make_user), sync_to_async(make_key)


async def page_of(user: Any, **more: str) -> WebsocketCommunicator:
    return await opened(pages, "/ws/pages", cookie=await cookie_of(user), origin=SAME, **more)


# -- who may connect ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "origin",
    ["null", "http://evil.example", "http://localhost.evil.example", "http://localhost:81", "localhost", "file://localhost",
     "http://evil.example@localhost", "https://localhost:80", "http://", "http://[", "http://localhost/"],
)  # fmt: skip
async def test_a_foreign_page_may_not_connect(hub: Hub, origin: str) -> None:
    user = await make_user_soon()
    is_same = origin == "http://localhost/"  # never sent by a browser, but harmless
    for app in (runs, pages):
        communicator = socket(app, origin=origin, cookie=await cookie_of(user))
        assert await refused(communicator) is not is_same
        await communicator.disconnect()


async def test_a_page_without_an_origin_is_nobody(hub: Hub) -> None:
    user = await make_user_soon()
    assert await refused(socket(pages, cookie=await cookie_of(user)))


async def test_a_trusted_origin_may_connect(hub: Hub, settings: Settings) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://alma.example"]
    user = await make_user_soon()
    page = await opened(pages, origin="https://alma.example", cookie=await cookie_of(user))
    await page.disconnect()


@pytest.mark.parametrize("host", ["evil.example", "", "localhost.evil.example"])
async def test_another_name_of_this_machine_is_refused(hub: Hub, host: str) -> None:
    assert await refused(socket(runs, host=host))


async def test_pages_need_a_session(hub: Hub) -> None:
    assert await refused(socket(pages, origin=SAME))
    assert await refused(socket(pages, origin=SAME, cookie="sessionid=nonsense"))
    assert await refused(socket(pages, origin=SAME, cookie='sessionid="\\"; =;;'))


async def test_a_person_without_an_organization_is_refused(hub: Hub) -> None:
    user = await make_user_soon(None)
    assert await refused(socket(pages, origin=SAME, cookie=await cookie_of(user)))


async def test_a_key_opens_the_stream_of_its_organization(hub: Hub, organization: Organization) -> None:
    other = await sync_to_async(make_organization)("other")
    _, secret = await make_key_soon(organization=other)
    for credential in ({"x_api_key": secret}, {"authorization": f"Bearer {secret}"}):
        theirs = await opened(runs, **credential)
        await write_soon("run:ours", organization.pk)
        await write_soon("run:theirs", other.pk)
        assert (await theirs.receive_json_from(5))["stream"] == "run:theirs"
        await theirs.disconnect()


async def test_a_wrong_key_is_refused_even_where_none_is_needed(hub: Hub) -> None:
    assert await refused(socket(runs, x_api_key="alm_live_wrong"))
    assert await refused(socket(runs, x_api_key="one", authorization="Bearer two"))


async def test_a_key_without_the_right_is_refused(hub: Hub, settings: Settings) -> None:
    settings.ALMA_PUBLIC_READ = False
    _, secret = await make_key_soon(INFERENCE)
    for app in (runs, pages):
        assert await refused(socket(app, x_api_key=secret))


async def test_where_reads_are_public_a_narrow_key_hears_what_everybody_hears_and_no_more(hub: Hub) -> None:
    other = await sync_to_async(make_organization)("other")
    (_, ours), (_, theirs) = await make_key_soon(INFERENCE), await make_key_soon(INFERENCE, organization=other)
    communicator = await opened(runs, x_api_key=ours)
    await communicator.disconnect()
    assert await refused(socket(runs, x_api_key=theirs))
    assert await refused(socket(pages, x_api_key=ours))


async def test_reading_without_a_key_can_be_switched_off(hub: Hub, settings: Settings) -> None:
    settings.ALMA_PUBLIC_READ = False
    assert await refused(socket(runs))
    user = await make_user_soon()
    signed_in = await opened(runs, origin=SAME, cookie=await cookie_of(user))
    await signed_in.disconnect()


async def test_an_unknown_path_is_refused() -> None:
    router = SocketRouter({"/ws/runs": runs})
    assert await refused(socket(router, "/ws/nothing"))


async def test_a_trailing_slash_is_no_other_path(hub: Hub) -> None:
    communicator = await opened(SocketRouter({"/ws/runs": runs}), "/ws/runs/")
    await communicator.disconnect()


# -- how many, and for how long -----------------------------------------------------------------------
async def test_a_person_may_hold_so_many_sockets(hub: Hub, settings: Settings) -> None:
    settings.ALMA_SOCKETS_PER_ACTOR = 2
    user = await make_user_soon()
    held = [await page_of(user) for _ in range(2)]
    third = await page_of(user)
    assert (await third.receive_json_from(5))["code"] == "TOO_MANY_SOCKETS"
    assert (await third.receive_output(5))["code"] == 1013
    await held.pop().disconnect()
    await third.disconnect()
    again = await page_of(user)
    await settled(again)
    for page in (*held, again):
        await page.disconnect()
    assert not doorman_of(hub).guests


async def test_the_process_holds_so_many_sockets(hub: Hub, settings: Settings) -> None:
    settings.ALMA_SOCKETS = 1
    first, second = await opened(), await opened()
    assert (await second.receive_json_from(5))["code"] == "TOO_MANY_SOCKETS"
    for communicator in (first, second):
        await communicator.disconnect()


async def dismissed(communicator: WebsocketCommunicator) -> bool:
    """Whether the socket is told that its right has ended, and closed."""
    frame = await communicator.receive_json_from(5)
    closing = await communicator.receive_output(5)
    await communicator.disconnect()
    return frame["code"] == "RIGHT_ENDED" and closing["code"] == 4403


async def test_who_may_still_stays(hub: Hub) -> None:
    user = await make_user_soon()
    _, secret = await make_key_soon()
    held = [await page_of(user), await opened(runs, x_api_key=secret), await opened()]
    await doorman_of(hub).recheck()
    for communicator in held:
        await settled(communicator)
        await communicator.disconnect()


async def test_a_revoked_key_ends_its_sockets(hub: Hub) -> None:
    key, secret = await make_key_soon()
    communicator = await opened(runs, x_api_key=secret)
    await sync_to_async(key.revoke)()
    await doorman_of(hub).recheck()
    assert await dismissed(communicator)


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": "another"}])
async def test_a_person_who_lost_the_session_loses_the_sockets(hub: Hub, change: dict[str, Any]) -> None:
    user = await make_user_soon()
    page = await page_of(user)
    await sync_to_async(type(user).objects.filter(pk=user.pk).update)(**change)
    await doorman_of(hub).recheck()
    assert await dismissed(page)


async def test_a_changed_role_asks_for_a_new_connection(hub: Hub) -> None:
    user = await make_user_soon()
    page = await page_of(user)
    await sync_to_async(Membership.objects.filter(user=user).update)(role=Membership.Role.VIEWER)
    await doorman_of(hub).recheck()
    assert await dismissed(page)


# -- what they may ask --------------------------------------------------------------------------------
NONSENSE = [
    (" ", "INVALID_JSON"), ("{", "INVALID_JSON"), ("[]", "INVALID_JSON"), ("null", "INVALID_JSON"), ("{}", "UNKNOWN_ACTION"),
    ('{"action": 5}', "UNKNOWN_ACTION"), ('{"action": ["subscribe"]}', "UNKNOWN_ACTION"), ("NaN", "INVALID_JSON"),
    ('{"action": "subscribe", "run": "hidden"}', "NOT_FOUND"), ('{"action": "subscribe", "run": "a\\u0000"}', "INVALID_CHARACTER"),
    ('{"action": "subscribe", "run": "a", "last_seq": -1}', "INVALID_PARAMETER"),
    ('{"action": "subscribe", "run": "a", "last_seq": "3"}', "INVALID_PARAMETER"),
    ('{"action": "subscribe", "run": "a", "last_seq": true}', "INVALID_PARAMETER"),
    ('{"action": "subscribe", "run": "a", "last_seq": 1e400}', "INVALID_JSON"),
    ('{"action": "subscribe", "run": "a", "last_seq": 99999999999999999999}', "VALIDATION_ERROR"),
    ("[" * 5_000, "INVALID_JSON"), ('{"action": "' + "x" * 66_000 + '"}', "FRAME_TOO_LARGE"), ("\ud800", "INVALID_JSON"),
]  # fmt: skip


async def test_nonsense_is_answered_and_the_socket_stays(hub: Hub, organization: Organization) -> None:
    communicator = await opened()
    for frame, code in NONSENSE:
        await communicator.send_to(text_data=frame)
        answer = await communicator.receive_json_from(5)
        assert (answer["type"], answer["code"]) == ("error", code), frame[:80]
        assert answer["message"]
    await communicator.send_to(bytes_data=b"\xff\xfe")
    assert (await communicator.receive_json_from(5))["code"] == "INVALID_JSON"
    await communicator.send_to(bytes_data=json.dumps({"action": "subscribe", "run": "a"}).encode())
    await settled(communicator)
    await write_soon("run:a", organization.pk)
    assert await seqs(communicator, 1) == [1]
    await communicator.disconnect()


async def test_a_flood_of_frames_ends_the_socket(hub: Hub) -> None:
    communicator = await opened()
    for _ in range(101):
        await communicator.send_to(text_data="{}")
    codes = [(await communicator.receive_json_from(5))["code"] for _ in range(101)]
    assert codes[-1] == "TOO_MANY_FRAMES"
    assert (await communicator.receive_output(5))["code"] == 1008
    await communicator.send_to(text_data="{}")  # was on its way; an answer after the close would be a fault of ours
    assert await communicator.receive_nothing(0.2)
    await communicator.disconnect()


async def test_another_organizations_stream_cannot_be_followed(hub: Hub, organization: Organization) -> None:
    other = await sync_to_async(make_organization)("other")
    await write_soon("run:theirs", other.pk)
    communicator = await opened()
    await communicator.send_json_to({"action": "subscribe", "run": "theirs"})
    assert (await communicator.receive_json_from(5))["code"] == "NOT_FOUND"
    await communicator.disconnect()


# -- nudges for pages ---------------------------------------------------------------------------------
async def test_a_page_is_nudged_about_its_topics_only(hub: Hub, organization: Organization) -> None:
    page = await page_of(await make_user_soon())
    await write_soon("ipr:1", organization.pk, 6)
    await page.send_json_to({"action": "watch", "topics": ["ipr:1", "run:*"]})
    await settled(page)
    for stream in ("ipr:1", "ipr:2", "run:a"):
        await write_soon(stream, organization.pk)
    nudges = [await page.receive_json_from(5) for _ in range(2)]
    assert nudges == [{"type": "changed", "what": "ipr:1", "seq": 7}, {"type": "changed", "what": "run:a", "seq": 1}]
    assert await page.receive_nothing(0.2)
    await page.disconnect()


async def test_a_page_is_nudged_where_no_lifespan_started_the_hub(organization: Organization) -> None:
    page = await page_of(await make_user_soon())
    await page.send_json_to({"action": "watch", "topics": ["ipr:1"]})
    await settled(page)
    await write_soon("ipr:1", organization.pk)
    assert await page.receive_json_from(5) == {"type": "changed", "what": "ipr:1", "seq": 1}
    await page.disconnect()
    await current_hub().stop()


async def test_a_page_learns_at_once_what_it_missed(hub: Hub, organization: Organization) -> None:
    await write_soon("ipr:1", organization.pk, 7)
    page = await page_of(await make_user_soon())
    await page.send_json_to({"action": "watch", "topics": ["ipr:1#5"]})
    assert await page.receive_json_from(5) == {"type": "changed", "what": "ipr:1", "seq": 7}
    await page.send_json_to({"action": "watch", "topics": ["ipr:1#7"]})
    await settled(page)
    await page.disconnect()


async def test_many_changes_are_few_nudges(hub: Hub, organization: Organization) -> None:
    page = await page_of(await make_user_soon())
    await page.send_json_to({"action": "watch", "topics": ["ipr:1"]})
    await settled(page)
    await write_soon("ipr:1", organization.pk, 40)
    heard: list[int] = []
    while not heard or heard[-1] < 40:
        heard += await seqs(page, 1)
    assert heard == sorted(set(heard))
    await page.disconnect()


async def test_pages_hear_of_their_own_organization_only(hub: Hub, organization: Organization) -> None:
    other = await sync_to_async(make_organization)("other")
    await write_soon("ipr:8", other.pk)
    page = await page_of(await make_user_soon())
    await page.send_json_to({"action": "watch", "topics": ["ipr:8", "ipr:9", "ipr:*", "ipr:8#0"]})
    await settled(page)
    await write_soon("ipr:8", other.pk)
    await write_soon("ipr:9", other.pk)
    assert await page.receive_nothing(0.3)
    await page.disconnect()


@pytest.mark.parametrize("topics", [None, "ipr:1", [5], [""], ["x" * 101], {}, ["x"] * 5 + [None]])
async def test_topics_that_are_none_are_refused(hub: Hub, topics: object) -> None:
    page = await page_of(await make_user_soon())
    await page.send_json_to({"action": "watch", "topics": topics})
    assert (await page.receive_json_from(5))["code"] == "INVALID_PARAMETER"
    await page.disconnect()


async def test_a_page_has_so_many_topics(hub: Hub) -> None:
    page = await page_of(await make_user_soon())
    await page.send_json_to({"action": "watch", "topics": [f"ipr:{number}" for number in range(201)]})
    assert (await page.receive_json_from(5))["code"] == "TOO_MANY_TOPICS"
    await page.disconnect()


async def test_a_closed_socket_leaves_nothing_behind(hub: Hub, organization: Organization) -> None:
    communicator = await opened()
    await communicator.send_json_to({"action": "subscribe", "run": "a"})
    await settled(communicator)
    await communicator.disconnect()
    await asyncio.sleep(0)
    assert not hub.subscribers
    assert not doorman_of(hub).guests
    assert not hub.feeds["run:a"].followers
