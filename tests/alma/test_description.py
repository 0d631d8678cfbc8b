"""The OpenAPI document is made once, and is the same whatever is asked for beside its format."""

from typing import Any

import pytest
import yaml
from django.test import Client

from alma.api.description import Description

pytestmark = pytest.mark.django_db
PATH = "/api/v1/schema/"
AS_JSON = "application/vnd.oai.openapi+json"


class Unasked:
    """A generator that may not be asked again."""

    def get_schema(self, **about: Any) -> Any:
        raise AssertionError("it was made before")


def test_it_is_made_once_in_each_format(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    first = [client.get(PATH), client.get(PATH, headers={"Accept": AS_JSON})]
    monkeypatch.setattr(Description, "generator_class", Unasked)
    again = [client.get(PATH[:-1]), client.get(f"{PATH}?format=json")]
    assert [answer.content for answer in again] == [answer.content for answer in first]
    assert [answer["Content-Type"].partition(";")[0] for answer in again] == [AS_JSON.removesuffix("+json"), AS_JSON]
    assert yaml.load(first[0].content, Loader=yaml.CSafeLoader) == first[1].json()


@pytest.mark.parametrize("query", ["version=%0d%0aX-Evil:1", "version=<script>", "lang=../x", "lang=%00", "urlconf=os"])
def test_nothing_else_has_any_say_in_it(client: Client, query: str) -> None:
    answer = client.get(f"{PATH}?{query}")
    assert (answer.status_code, answer.content) == (200, client.get(PATH).content)
    assert answer["Content-Disposition"] == 'inline; filename="ALMA.yaml"'


def test_a_format_that_is_none(client: Client) -> None:
    assert client.get(f"{PATH}?format=nope").status_code == 404
    assert client.get(PATH, headers={"Accept": "image/png"}).status_code == 406


def test_the_explorer_reads_it(client: Client) -> None:
    assert client.get("/swagger").status_code == 200
    assert '"/api/v1/schema"' in client.get("/swagger/?script=").content.decode()
