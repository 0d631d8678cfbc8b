"""What the tests of dialects share: asking a family of the test site, and reading its documented error body."""

import re
from typing import Any

from django.test import Client

from tests.alma.dialect_site import FAMILIES

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def get(client: Client, family: str, path: str = "", **headers: str) -> Any:
    return client.get(FAMILIES[family][1] + path, headers={k.replace("_", "-"): v for k, v in headers.items()})


def said(family: str, response: Any) -> tuple[str | None, str]:
    """Code and message of the documented error body, which has these keys and no others."""
    body = response.json()
    if family == "alma":
        assert TIME.fullmatch(body["timestamp"])
        return body["error_code"], body["detail"]
    if family == "alumia":
        assert set(body) == {"success", "error"}
        assert body["success"] is False
        assert {"code", "message"} <= set(body["error"]) <= {"code", "message", "details"}
        return body["error"]["code"], body["error"]["message"]
    if family == "proxmox":
        assert list(body) == ["success", "error", "meta"]
        assert body["success"] is False
        assert list(body["error"]) == ["code", "message", "details"]
        assert isinstance(body["error"]["details"], dict)
        assert body["meta"]["request_id"] == response["X-Request-ID"]
        assert TIME.fullmatch(body["meta"]["timestamp"])
        return body["error"]["code"], body["error"]["message"]
    return _of_models(family, body, response)


def _of_models(family: str, body: dict[str, Any], response: Any) -> tuple[str | None, str]:
    if family == "llamactl-old":
        assert list(body) == ["error", "code", "details"]
        assert isinstance(body["details"], str)
        return body["code"], body["error"]
    if family == "llamactl":
        assert list(body) == ["error"]
        assert isinstance(body["error"], str)
        return None, body["error"]
    if family == "anthropic":
        assert list(body) == ["type", "error", "request_id"]
        assert body["request_id"] == response["X-Request-ID"]
        return body["error"]["type"], body["error"]["message"]
    assert list(body) == ["error"]
    assert list(body["error"]) == ["message", "type", "param", "code"]
    return body["error"]["code"], body["error"]["message"]
