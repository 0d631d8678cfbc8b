"""The official clients of OpenAI and Anthropic, against the real llama.cpp through the router."""

import base64

import anthropic
import openai
import pytest

from tests.instances.router.installation import Installation, wait

pytestmark = pytest.mark.processes
HELLO = [{"role": "user", "content": "Hello!"}]


@pytest.fixture(scope="module")
def serving(installation: Installation) -> str:
    return installation.create("clients", aliases=["gpt-tiny"], pooling="mean", embedding=True, parallel=2)


def test_a_chat_whole_and_as_a_stream(installation: Installation, serving: str) -> None:
    client = installation.openai()
    whole = client.chat.completions.create(model=serving, messages=HELLO, max_tokens=12, seed=1, temperature=0)
    parts = client.chat.completions.create(
        model="gpt-tiny", messages=HELLO, max_tokens=12, seed=1, temperature=0, stream=True,
        stream_options={"include_usage": True},
    )  # fmt: skip
    chunks = list(parts)
    assert whole.model == chunks[0].model == serving
    assert (
        "".join(one.choices[0].delta.content or "" for one in chunks if one.choices) == whole.choices[0].message.content
    )
    assert whole.usage is not None
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens == 12


def test_completions_embeddings_and_responses(installation: Installation, serving: str) -> None:
    client = installation.openai()
    text = client.completions.create(model=serving, prompt="Once", max_tokens=4)
    assert text.choices[0].finish_reason in {"length", "stop"}
    plain = client.embeddings.create(model=serving, input=["one", "two"], encoding_format="float")
    packed = client.embeddings.with_raw_response.create(model=serving, input="one", encoding_format="base64")
    assert len(plain.data) == 2
    assert len(base64.b64decode(packed.http_response.json()["data"][0]["embedding"])) == 4 * len(
        plain.data[0].embedding
    )
    answer = client.responses.create(model=serving, input="Hello!", max_output_tokens=5)
    assert answer.usage is not None
    assert 1 <= answer.usage.output_tokens <= 5
    events = [
        event.type for event in client.responses.create(model=serving, input="Hi", max_output_tokens=5, stream=True)
    ]
    assert events[0] == "response.created"
    assert events[-1] == "response.completed"


def test_messages_of_anthropic(installation: Installation, serving: str) -> None:
    client = installation.anthropic()
    whole = client.messages.create(model=serving, max_tokens=6, messages=HELLO, extra_body={"temperature": 0})
    assert whole.stop_reason in {"max_tokens", "end_turn"}
    with client.messages.stream(model=serving, max_tokens=6, messages=HELLO, extra_body={"temperature": 0}) as stream:
        text = "".join(stream.text_stream)
        told = stream.get_final_message()
    assert text == "".join(block.text for block in whole.content if block.type == "text")
    assert told.usage.output_tokens == whole.usage.output_tokens <= 6
    assert client.messages.count_tokens(model=serving, messages=HELLO).input_tokens > 3


def test_models_are_listed_with_their_aliases(installation: Installation, serving: str) -> None:
    client = installation.openai()
    rows = {row.id: row for row in client.models.list()}
    assert {serving, "gpt-tiny"} <= rows.keys()
    assert (rows[serving].object, client.models.retrieve("gpt-tiny").id) == ("model", "gpt-tiny")
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nothing")


def test_what_goes_wrong_is_an_error_that_the_clients_know(installation: Installation, serving: str) -> None:
    with pytest.raises(openai.NotFoundError, match=r"no model client.*There are:.*clients") as unknown:
        installation.openai().chat.completions.create(model="client", messages=HELLO)
    assert unknown.value.code == "model_not_found"
    with pytest.raises(anthropic.NotFoundError, match="no model client"):
        installation.anthropic().messages.create(model="client", max_tokens=5, messages=HELLO)
    with pytest.raises(openai.AuthenticationError):
        installation.openai("sk-wrong").models.list()
    with pytest.raises(anthropic.AuthenticationError):
        installation.anthropic("sk-wrong").messages.create(model=serving, max_tokens=5, messages=HELLO)
    with pytest.raises(openai.BadRequestError, match="messages"):
        installation.openai().chat.completions.create(model=serving, messages="no list")  # type: ignore[arg-type]
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    with pytest.raises(anthropic.BadRequestError, match="image input is not supported") as refused:
        installation.anthropic().messages.create(
            model=serving,
            max_tokens=5,
            messages=[{"role": "user", "content": [image]}],  # type: ignore[list-item,typeddict-item]
        )
    assert refused.value.type == "invalid_request_error"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/messages/count_tokens"])
@pytest.mark.parametrize("body", [{}, {"messages": [{"content": "a secret"}]}], ids=["no messages", "no role"])
def test_fault_of_the_request_is_none_of_the_server_and_quoted_in_no_log(
    installation: Installation, serving: str, path: str, body: dict[str, object]
) -> None:
    """llama.cpp answers 500, which clients take for an invitation to try again."""
    marker = f"{path[4:]}-{len(body)}"
    with installation.http() as client:
        answer = client.post(path, json={"model": serving, **body}, headers={"X-Request-ID": marker.replace("/", "-")})
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert "essage" in answer.json()["error"]["message"]
    rows = wait(
        lambda: [row for row in logged(installation) if row["request_id"] == answer.headers["X-Request-ID"]],
        lambda: f"a row of {answer.headers['X-Request-ID']}",
    )
    assert [(row["state"], row["status"], row["instance"]) for row in rows] == [("refused", 400, serving)]
    assert rows[0]["error"] and "secret" not in rows[0]["error"]


def logged(installation: Installation) -> list[dict[str, object]]:
    """The newest rows of the log."""
    rows: list[dict[str, object]] = installation.admin.get("/api/v1/requests", params={"limit": "20"}).json()
    return rows
