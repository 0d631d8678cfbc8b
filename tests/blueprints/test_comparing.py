"""Differences between revisions."""

from typing import Any

import pytest

from blueprints.comparing import Change, compare
from tests.factories.blueprints import make_document, make_resource


def test_equal_documents_differ_in_nothing() -> None:
    assert compare(make_document(), make_document()).items == ()


def test_destruction_comes_before_changes_and_creation() -> None:
    before = make_document(resources=[make_resource("kept"), make_resource("gone")])
    after = make_document(resources=[make_resource("new"), make_resource("kept", description="x")], name="renamed")
    comparison = compare(before, after)
    assert [(item.name, item.action) for item in comparison.items] == [
        ("", "update"),
        ("gone", "delete"),
        ("kept", "update"),
        ("new", "create"),
    ]
    assert (comparison.created, comparison.updated, comparison.deleted) == (1, 2, 1)


def test_a_renamed_blueprint_is_a_change_of_its_own() -> None:
    (item,) = compare(make_document(), make_document(version="1.1")).items
    assert item.changes == (Change("version", "1.0", "1.1"),)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"tags": ["a", "b"]}, {"tags": ["a"]}, Change("specs.tags", "a, b", "a")),
        ({"ha": True}, {"ha": False}, Change("specs.ha", "true", "false")),
        ({"cpu": 1}, {}, Change("specs.cpu", "1", None)),
        ({}, {"network": {"vlan": 20}}, Change("specs.network.vlan", None, "20")),
        ({"disks": [{"size": "8GB"}]}, {"disks": [{"size": "9GB"}]}, Change("specs.disks[0].size", "8GB", "9GB")),
        ({"count": 0}, {"count": 1}, Change("specs.count", "0", "1")),
        ({"name": "x"}, {"name": "y"}, Change("specs.name", "x", "y")),
    ],
)
def test_values_are_named_by_their_path(before: dict[str, Any], after: dict[str, Any], expected: Change) -> None:
    old, new = (make_document(resources=[make_resource(specs=specs)]) for specs in (before, after))
    (item,) = compare(old, new).items
    assert item.changes == (expected,)


def test_empty_and_missing_are_the_same() -> None:
    old, new = (
        make_document(resources=[make_resource(**extra)]) for extra in ({"dependencies": []}, {"description": ""})
    )
    assert compare(old, new).items == ()
