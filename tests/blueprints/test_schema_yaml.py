"""YAML for the editor: the plain part of YAML 1.2, and errors with line and column."""

from typing import Any

import pytest

from alma.errors import Invalid
from blueprints.schema import from_yaml, parse_document, to_yaml

TEXT = """\
version: 1.10
name: shop
resources:
  - name: web-1
    type: vm
    specs: {cpu: 4, memory: 8GB, tags: [no, web]}
    depends_on:
      - db
  - name: db
    type: vm
metadata:
  answer: no
  hexadecimal: 0x1F
  octal: 0o17
  old_octal: 017
  float: 1e3
  nothing: ~
"""


def refusal(text: str) -> tuple[str, dict[str, Any]]:
    with pytest.raises(Invalid) as caught:
        from_yaml(text)
    assert isinstance(caught.value.details, list)
    return caught.value.message, caught.value.details[0]


def test_values_are_those_of_yaml_1_2() -> None:
    document = from_yaml(TEXT)
    assert document.version == "1.10"
    assert document.resources[0].specs.tags == ["no", "web"]
    assert document.resources[0].dependencies == ["db"]
    assert document.metadata == {
        "answer": "no",
        "hexadecimal": 31,
        "octal": 15,
        "old_octal": 17,
        "float": 1000.0,
        "nothing": None,
    }


def test_round_trip_keeps_the_digest() -> None:
    document = from_yaml(TEXT)
    assert from_yaml(to_yaml(document)).digest() == document.digest()


@pytest.mark.parametrize(
    "word", ["no", "on", "0o17", "0x1F", "1e3", "12", "1.0", "~", "null", "true", ".inf", "", " a", "a: b", "#x"]
)
def test_words_that_look_like_something_else_survive(word: str) -> None:
    document = parse_document({"name": "x", "resources": [], "metadata": {"word": word, word or "k": 1}})
    assert from_yaml(to_yaml(document)).metadata == document.metadata


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("name: &a x", 1, 7, "anchors"),
        ("name: *a", 1, 7, "aliases"),
        ("<<: {a: 1}", 1, 1, "merge keys"),
        ("name: !x y", 1, 7, "tags"),
        ("a: 1\nb: 2\na: 3", 3, 1, 'key "a" is given twice'),
        ("a: 1\n---\nb: 2", 2, 1, "second document"),
        ("a: 1\n b: 2", 2, 3, "not allowed in this context"),
        ("? [a]\n: b", 1, 3, "a key must be text"),
        ("a: .nan", 1, 4, "not a number"),
        ("a: 123456789012345678901234", 1, 4, "must be quoted"),
        ("name: x\x07", 1, 1, "control characters"),
        ("x: " + "[" * 40, 1, 35, "nested more than 32"),
        ("x: " + "a" * 140_000, 1, 1, "longer than 128 KB"),
    ],
)
def test_refusal_has_line_and_column(text: str, line: int, column: int, words: str) -> None:
    message, detail = refusal(text)
    assert words in detail["message"]
    assert detail["line"] == line
    assert detail["column"] == column
    assert message.startswith(f"Line {line}")


def test_refusal_of_a_field_points_at_its_line() -> None:
    message, detail = refusal(TEXT.replace("type: vm\nmetadata", "type: vm\n    specs:\n      memroy: 8GB\nmetadata"))
    assert (detail["resource"], detail["field"], detail["line"]) == ("db", "specs.memroy", 12)
    assert message.startswith('Line 12: Resource "db", field specs.memroy')


def test_refusal_of_a_missing_field_points_at_its_resource() -> None:
    assert refusal(TEXT.replace("    type: vm\nmetadata", "metadata"))[1]["line"] == 9


@pytest.mark.parametrize("text", ["", "- 1", "just text", "# nothing"])
def test_refusal_of_what_is_no_object(text: str) -> None:
    assert "must be an object" in refusal(text)[0]
