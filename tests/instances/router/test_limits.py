"""What a key may have of models, and what the log tells of its requests."""

import openai
import pytest

from tests.instances.router.installation import Installation, chat, wait

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def serving(installation: Installation) -> str:
    return installation.create("limited", aliases=["known-as"])


def test_tokens_of_a_day(installation: Installation, serving: str) -> None:
    client = installation.openai(installation.key(tokens_per_day=20))
    assert client.chat.completions.create(**chat(serving)).usage
    with pytest.raises(openai.RateLimitError, match="20 tokens that this key has for a day are used up") as used_up:
        client.chat.completions.create(**chat(serving))
    assert used_up.value.code == "insufficient_quota"
    assert 0 < int(used_up.value.response.headers["Retry-After"]) <= 86_400
    sql = "SELECT sum(prompt_tokens + completion_tokens) FROM instances_tokenuse"
    wait(lambda: (installation.row(sql)[0] or 0) >= 20, lambda: "tokens that are written down")


def test_tokens_of_a_month_and_of_a_stream(installation: Installation, serving: str) -> None:
    client = installation.openai(installation.key(tokens_per_month=25))
    assert list(client.chat.completions.create(**chat(serving), stream=True))
    with pytest.raises(openai.RateLimitError, match="for a month"):
        list(client.chat.completions.create(**chat(serving), stream=True))


def test_requests_a_minute(installation: Installation, serving: str) -> None:
    client = installation.openai(installation.key(requests_per_minute=2))
    for _ in range(2):
        client.chat.completions.create(**chat(serving))
    with pytest.raises(openai.RateLimitError, match="2 times a minute") as refused:
        client.chat.completions.create(**chat(serving))
    assert int(refused.value.response.headers["Retry-After"]) >= 1


def test_requests_at_once(installation: Installation, serving: str) -> None:
    key = installation.key(requests_at_once=1)
    with installation.paused(serving), installation.http(key) as client:
        with pytest.raises(Exception, match="timed out"):
            client.post("/v1/chat/completions", json=chat(serving), timeout=0.5)
        # the first has hung up, so there is room again; the next two come together
        port = installation.row("SELECT port FROM instances_instance WHERE name = ?", serving)[0]
        wait(lambda: installation.upstream(port) == 0, lambda: "nothing under way")
        with client.stream("GET", "/v1/models") as listing:
            assert listing.status_code == 200, "the list costs nothing"


def test_models_that_a_key_may_use(installation: Installation, serving: str) -> None:
    other = installation.create("off-limits", starts=False)
    client = installation.openai(installation.key(instances=[serving]))
    assert [row.id for row in client.models.list()] == [serving, "known-as"]
    assert client.chat.completions.create(**chat("known-as")).choices
    with pytest.raises(openai.PermissionDeniedError, match="does not reach off-limits"):
        client.chat.completions.create(**chat(other))


def test_list_asks_no_instance(installation: Installation, serving: str) -> None:
    """Weak point 10: llamactl waits for each instance, and leaves out what loads or rests."""
    resting = installation.create("resting", starts=False)
    with installation.paused(serving):
        rows = {row.id: row for row in installation.openai().with_options(timeout=5).models.list()}
    assert {serving, resting} <= rows.keys()
    assert [rows[name].status for name in (serving, resting)] == ["running", "stopped"]  # type: ignore[attr-defined]


def test_a_key_without_the_right_and_one_that_is_revoked(installation: Installation, serving: str) -> None:
    with pytest.raises(openai.PermissionDeniedError, match="inference:use"):
        installation.openai(installation.key("vm:read")).chat.completions.create(**chat(serving))
    secret = installation.key()
    client = installation.openai(secret)
    assert client.chat.completions.create(**chat(serving)).choices
    installation.shell(
        "from alma.accounts.models import ApiKey\nfrom alma.accounts.actors import for_service\n"
        "from alma.accounts.desk.keys import end\n"
        f"end(ApiKey.objects.get(digest=ApiKey.digest_of({secret!r})), by=for_service('test'))"
    )
    with pytest.raises(openai.AuthenticationError):
        client.chat.completions.create(**chat(serving))


def test_the_log_tells_what_became_of_requests(installation: Installation, serving: str) -> None:
    key = installation.key()
    client = installation.openai(key)
    whole = client.chat.completions.with_raw_response.create(**chat(serving), extra_headers={"X-Request-ID": "whole-1"})
    list(client.chat.completions.create(**chat("known-as"), stream=True))
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(**chat("nothing-there"))
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(**chat(serving) | {"messages": "wrong"})
    label = installation.row("SELECT name FROM accounts_apikey ORDER BY id DESC")[0]
    query = {"key": label, "limit": "10"}
    rows = wait(
        lambda: (
            (found := installation.admin.get("/api/v1/requests", params=query).json()) and len(found) == 4 and found
        ),
        lambda: installation.admin.get("/api/v1/requests", params=query).text,
    )
    assert whole.headers["X-Request-ID"] == "whole-1"
    told = [(row["model"], row["instance"], row["state"], row["status"], row["stream"]) for row in rows]
    assert told == [
        (serving, serving, "refused", 400, False), ("nothing-there", None, "refused", 404, False), ("known-as", serving, "done", 200, True),
        (serving, serving, "done", 200, False),
    ]  # fmt: skip
    usage = whole.parse().usage
    assert usage
    assert (rows[3]["prompt_tokens"], rows[3]["completion_tokens"]) == (usage.prompt_tokens, usage.completion_tokens)
    assert rows[3]["request_id"] == "whole-1"
    assert rows[2]["completion_tokens"] > 0
    assert 0 < rows[2]["first_token_seconds"] <= rows[2]["duration_seconds"]
    assert rows[2]["tokens_per_second"] > 0
    assert "no model nothing-there" in rows[1]["error"]
    done = installation.admin.get("/api/v1/requests", params=query | {"state": "done"}).json()
    assert [row["id"] for row in done] == [rows[2]["id"], rows[3]["id"]]
    assert installation.admin.get("/api/v1/requests", params={"state": "odd"}).status_code == 400
    figures = installation.admin.get("/metrics").text
    assert 'alma_inference_requests_total{state="done"}' in figures
    assert 'alma_inference_tokens_total{kind="completion"}' in figures
