"""A blueprint in a request is taken as that blueprint, and what only looks like one is words."""

import json
import time
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from alma.errors import BadRequest
from blueprints.drafts import draft_of
from blueprints.generation import generate
from blueprints.pasted import holds_blueprint, pasted_in
from blueprints.pricing import default_list
from tests.factories.accounts import make_key

YAML = """\
name: shop
resources:
  - name: web
    type: vm
    specs:
      count: 3
      cpu: 4
      memory: 8GB
      disk: 100GB
"""
VALUES = {
    "name": "shop",
    "resources": [{"name": "web", "type": "vm", "specs": {"count": 3, "cpu": 4, "memory": "8GB", "disk": "100GB"}}],
}
GIVEN = {
    "yaml": YAML,
    "json": json.dumps(VALUES),
    "json with tabs": json.dumps(VALUES, indent="\t"),
    "fenced": f"Please build this:\n\n```yaml\n{YAML}```\nThank you!",
    "fenced json": f"~~~\n{json.dumps(VALUES, indent=2)}\n~~~",
    "in a list": "1. This\n   ```yml\n" + "".join(f"   {line}\n" for line in YAML.splitlines()) + "   ```",
    "beside other fences": f"As in\n```\nfoo: bar\n```\nthis:\n```\n{YAML}```",
    "windows": YAML.replace("\n", "\r\n"),
}
WORDS = [
    "3 web servers",
    "resources:\n  kafka:\n    replicas: 3\n    memory: 16 GiB",
    "resources:\n  - 3 web servers\n  - a database with 8 GB",
    "resources:\n  - name: web\n    count: 3\n    memory: 8GB",
    "web:\n  count: 2\n  ram: 2GiB\nenv: development",
    "The specs: 4 cores each.\nresources: plenty",
    '{"web": {"count": 3}}',
    "```\nservers: [web, db]\n```",
    "",
    "{" * 9000,
    "resources:\n" + "- [" * 3000,
]


def draft(text: str, **constraints: Any) -> Any:
    return draft_of(text, constraints or None, prices=default_list())


@pytest.mark.parametrize("text", GIVEN.values(), ids=GIVEN)
def test_it_is_taken_as_it_stands(text: str) -> None:
    """Three machines at 2 + 4 x 4 + 8 x 2 + 100 x 0.06 = 40."""
    found = draft(text, max_cost=100, environment="prod")
    assert found["resources"] == VALUES["resources"]
    about = found["metadata"]
    assert (about["estimated_cost"], about["environment"], about["questions"]) == (120.0, "production", [])
    assert "exceeds the budget of 100" in about["warnings"][-1]
    assert any("were not read" in line for line in about["warnings"]) == any(word in text for word in ("this", "This"))
    assert about["causes"]["web"]["cpu"] == {"rule": "as the blueprint in the request has it"}


@pytest.mark.parametrize("text", WORDS, ids=lambda text: text[:20])
def test_what_is_none_stays_words(text: str) -> None:
    assert pasted_in(text) is None
    assert not holds_blueprint(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (YAML.replace("8GB", "8"), "Line 8"),
        (YAML.replace("cpu: 4", "cpus_: 4"), "did you mean"),
        (YAML.replace("cpu: 4", "cpu: [4"), "Line"),
        (YAML.replace("name: shop\n", ""), "name: is required"),
        (f"Hello,\nbuild\n```\n{YAML.replace('8GB', '-8GB')}```", "Line 11"),
        (json.dumps(VALUES).replace('"cpu": 4', '"cpu": -4'), "cpu"),
        (json.dumps(VALUES)[:-2], "Line"),
        (json.dumps(VALUES).replace('"cpu": 4', '"cpu": NaN'), "cpu"),
        (YAML.replace("specs:", "spec:"), 'did you mean "specs"'),
        (f"```\n{YAML}```\n\n```\n{YAML}```", "2 blueprints"),
        (YAML.replace("shop", "&a shop"), "anchors"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, words: str) -> None:
    with pytest.raises(BadRequest) as caught:
        draft(text)
    assert words in caught.value.message


@given(st.text(alphabet=st.sampled_from('resourcs:\n -{}[]"`~spect,1 '), max_size=300))
def test_any_text_is_looked_at_without_trouble(text: str) -> None:
    for one in (text, f"resources:\n{text}", f"```\nresources:\n{text}\n```", '{"resources": [' + text):
        try:
            pasted_in(one)
        except BadRequest as error:
            assert error.message


@pytest.mark.parametrize(
    "text",
    [
        "```\n" * 25_000,
        "resources:\n" + "- a: {specs: 1}\n" * 6_000,
        " " * 100_000,
        "~~~x\n" * 20_000,
        "a ```\n" * 15_000,
        " " * 99_999 + "```",
    ],
)
def test_long_text_takes_no_longer_than_its_length(text: str) -> None:
    started = time.process_time()
    holds_blueprint(text)
    assert time.process_time() - started < 1


@pytest.mark.django_db
def test_wherever_words_are_taken(client: Client) -> None:
    headers = {"X-API-Key": make_key()[1]}

    def post(path: str, body: dict[str, Any]) -> Any:
        return client.post(f"/api/v1/{path}", data=body, content_type="application/json", headers=headers)

    drafted = post("blueprints/generate-blueprint", {"description": YAML})
    assert drafted.json()["resources"] == VALUES["resources"]
    assert post("blueprints", drafted.json()).status_code == 201
    context = {"conversation_id": "c"}
    said = post("conversation/chat", {"message": "a mail server", "context": context})
    assert said.json()["blueprint"]["resources"] != VALUES["resources"]
    said = post("conversation/chat", {"message": f"no, remove that, take ```yaml\n{YAML}```", "context": context})
    assert said.json()["blueprint"]["resources"] == VALUES["resources"]
    wrong = post("blueprints/generate-blueprint", {"description": YAML.replace("8GB", "8")})
    assert (wrong.status_code, wrong.json()["errors"][0]["line"]) == (400, 8)


def test_a_request_in_words_is_as_before() -> None:
    assert draft("3 web servers") == generate("3 web servers")
