"""Parameters as Proxmox's HTTP server reads them from bodies and queries."""

from typing import Any

import pytest

from vms.sandbox.bodies import FORM, JSON, form, kind_of, parameters


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("a=1&b=x+y%20z", {"a": "1", "b": "x y z"}),
        ("a=1;b=2", {"a": "1", "b": "2"}),
        ("a=order=scsi0", {"a": "order"}),
        ("a=%3D%3B%26", {"a": "=;&"}),
        ("a=", {"a": None}),
        ("a", {"a": None}),
        ("a=1&a=2&a=3", {"a": ["1", "2", "3"]}),
        ("name=%C3%A4", {"name": "\xe4"}),
        ("", {}),
    ],
)
def test_forms(text: str, given: dict[str, Any]) -> None:
    assert form(text) == given


def test_the_query_overlays_the_body() -> None:
    assert parameters(FORM, b"a=1&b=2", "b=3&_dc=17") == {"a": "1", "b": "3"}
    assert parameters(JSON, b'{"a": 1, "b": true}', "b=3") == {"a": 1, "b": "3"}
    assert parameters(None, b"", "a=1") == {"a": "1"}


def test_a_type_has_parameters_or_is_missing() -> None:
    assert kind_of("application/json; charset=utf-8") == JSON
    assert kind_of("") == FORM
