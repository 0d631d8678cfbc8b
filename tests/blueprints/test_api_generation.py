"""Words into drafts over the API: shapes, refusals, the stream, and that nothing is stored."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import AsyncClient, Client

from alma.api import streaming
from alma.errors import Unavailable
from alma.events.models import Event
from blueprints.models import Blueprint
from tests.blueprints.test_api import assert_error, send
from tests.factories.accounts import make_key, make_organization

pytestmark = pytest.mark.django_db
URL = "/api/v1/blueprints/generate-blueprint"
STREAM = "/api/v1/blueprints/generate-blueprint-stream"
DOCUMENTED = {
    "description": "I need a highly available web application with 3 servers, load balancer, and PostgreSQL database",
    "constraints": {"max_cost": 500, "region": "us-east-1", "environment": "production"},
}


@pytest.mark.parametrize("suffix", ["", "/"])
def test_generate_answers_as_documented(client: Client, suffix: str) -> None:
    response = send(client, "post", f"{URL}{suffix}", DOCUMENTED)
    body = response.json()
    assert response.status_code == 200
    assert set(body) >= {"version", "name", "description", "resources", "metadata"}
    assert set(body["metadata"]) >= {"generated_by", "estimated_cost", "complexity_score"}
    assert len(body["resources"]) >= 3
    assert not Blueprint.objects.exists()
    assert not Event.objects.exists()


def test_a_draft_can_be_created_as_it_is(client: Client) -> None:
    make_organization()
    draft = send(client, "post", URL, {"description": "Production web app with HA database"}).json()
    created = send(client, "post", "/api/v1/blueprints", draft, **{"X-API-Key": make_key()[1]})
    assert created.status_code == 201, created.content
    assert created.json()["resources"] == draft["resources"]


@pytest.mark.parametrize("url", [URL, STREAM])
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "description"),
        ({"description": ""}, "description"),
        ({"description": "  \n"}, "description"),
        ({"description": 7}, "description"),
        ({"description": ["web"]}, "description"),
        ({"description": "web " * 2001}, "description"),
        ({"description": "3 web servers", "constraints": [500]}, "constraints"),
        ({"description": "3 web servers", "constraints": {"max_cost": "much"}}, "max_cost"),
        ({"description": "3 web servers", "model": "gpt"}, "model"),
    ],
)
def test_generate_refuses_what_is_no_wish(client: Client, url: str, body: dict[str, Any], field: str) -> None:
    response = send(client, "post", url, body)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/json"
    assert field in response.json()["detail"]


@pytest.mark.parametrize("url", [URL, STREAM])
def test_generate_refuses_broken_bodies(client: Client, url: str) -> None:
    assert_error(client.post(url, b"{", content_type="application/json"), 400, "INVALID_JSON")
    assert_error(client.post(url, b"[]", content_type="application/json"), 400, "INVALID_JSON")
    assert_error(client.post(url, b"x", content_type="text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("url", [URL, STREAM])
def test_generate_is_a_post(client: Client, url: str) -> None:
    make_organization()
    assert_error(client.get(url), 405, "METHOD_NOT_ALLOWED")


def test_generate_refuses_a_wrong_key(client: Client) -> None:
    """Public, yet a credential that is sent has to be one."""
    assert_error(send(client, "post", URL, DOCUMENTED, **{"X-API-Key": "alm_live_x"}), 403, "INVALID_API_KEY")


async def events_of(
    url: str, body: dict[str, Any], accept: str = "text/event-stream"
) -> tuple[Any, list[dict[str, Any]]]:
    response = await AsyncClient().post(
        url, json.dumps(body), content_type="application/json", headers={"Accept": accept}
    )
    raw = b"".join([chunk async for chunk in response.streaming_content]).decode()
    assert raw.endswith("\n\n")
    lines = raw.removesuffix("\n\n").split("\n\n")
    assert all(line.startswith("data: ") for line in lines)
    return response, [json.loads(line.removeprefix("data: ")) for line in lines]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("accept", ["text/event-stream", "*/*", "application/json"])
async def test_stream_tells_the_documented_events(accept: str) -> None:
    response, events = await events_of(STREAM, {"description": "Kubernetes cluster with 5 nodes"}, accept)
    assert response["Content-Type"].startswith("text/event-stream")
    assert (response["Cache-Control"], response["X-Accel-Buffering"]) == ("no-cache", "no")
    assert {event["type"] for event in events} == {"thinking", "progress", "resource", "complete"}
    assert [event["type"] for event in events][0] == "thinking"
    blueprint = events[-1]["blueprint"]
    told = [event["content"]["name"] for event in events if event["type"] == "resource"]
    assert told == [resource["name"] for resource in blueprint["resources"]]


def interrupted() -> Iterator[dict[str, Any]]:
    yield {"type": "thinking", "content": "…"}
    raise Unavailable("The model does not answer.")


async def test_stream_ends_with_what_went_wrong() -> None:
    lines = [line async for line in streaming.frames(interrupted())]
    assert json.loads(lines[-1].removeprefix(b"data: ")) == {
        "type": "error",
        "content": "The model does not answer.",
        "error_code": "UNAVAILABLE",
    }


async def test_stream_shows_life_while_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow thought is bridged by comments, and the loop serves others meanwhile."""
    monkeypatch.setattr(streaming, "HEARTBEAT_SECONDS", 0.02)
    thought = threading.Event()

    def slow() -> Iterator[dict[str, Any]]:
        thought.wait(10)
        yield {"type": "complete"}

    lines = []
    async for line in streaming.frames(slow()):
        lines.append(line)
        if len(lines) == 2:
            thought.set()
    assert lines[0] == lines[1] == streaming.HEARTBEAT
    assert [line for line in lines if line != streaming.HEARTBEAT] == [b'data: {"type":"complete"}\n\n']
