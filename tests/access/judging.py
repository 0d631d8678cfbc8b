"""What a caller should meet at a route, and what an answer amounts to."""

import re
from collections.abc import Iterable
from typing import Any

from tests.access.callers import Caller
from tests.access.expectations import Expected
from tests.access.routes import SAFE, Route
from tests.access.world import Things

ALLOWED, UNKNOWN, REFUSED, MISSING, LOGIN = "allowed", "unknown", "refused", "missing", "sent to sign in"
_SAYS_403 = (
    "/api/v1/blueprints",
    "/api/v1/iprs",
    "/api/v1/deployments",
    "/api/v1/monitoring",
    "/api/v1/templates",
    "/api/v1/tools",
    "/api/v1/conversation",
    "/metrics",
    "/graphql",
)
"""The document of these answers 403 to callers that it does not know; those of the others answer 401."""
_VARYING = re.compile(r"[0-9a-f]{32}|[A-Za-z0-9]{64}|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)|\d{10}\.\d+")
_OWN_HEADERS = ("x-request-id", "content-length", "set-cookie", "date")


def outcome(route: Route, expected: Expected, caller: Caller, *, is_open: bool = False) -> str:
    """What the caller should meet, asking for something of their own organization."""
    is_known = caller.kind in {"person", "key"}
    holds = is_known and expected.rights <= caller.scopes
    if expected.kind == "anybody":
        return UNKNOWN if caller.kind == "dead" and expected.looks_at_keys else ALLOWED
    if expected.kind in {"page", "desk"}:
        return _of_page(expected, caller, holds)
    if caller.kind == "dead" or (caller.kind == "nobody" and not (is_open and expected.is_opened)):
        return UNKNOWN
    if expected.kind == "measured":
        return ALLOWED if is_open or any(scope.endswith(":read") for scope in caller.scopes) else REFUSED
    if expected.kind == "in person" and caller.kind == "key":
        return REFUSED
    may_as_anybody = caller.kind == "nobody" or (caller.is_member and expected.is_opened_to_keys)
    is_public = is_open and expected.is_opened and may_as_anybody
    holds = holds and (caller.is_staff or not expected.is_for_staff)
    return ALLOWED if holds or is_public else REFUSED


def _of_page(expected: Expected, caller: Caller, holds: bool) -> str:
    if caller.kind == "nobody":
        return LOGIN
    if caller.kind in {"key", "dead"}:
        return REFUSED if expected.kind == "desk" else LOGIN
    return ALLOWED if holds and (caller.is_staff or not expected.is_for_staff) else REFUSED


def met(route: Route, response: Any) -> str:
    """What an answer amounts to."""
    if response.status_code == 302 and response["Location"].startswith("/login/"):
        return LOGIN
    if response.status_code == 404:
        return MISSING
    if response.status_code == 401 or (response.status_code == 403 and _is_unknown(response)):
        return UNKNOWN
    return REFUSED if response.status_code == 403 else ALLOWED


def _is_unknown(response: Any) -> bool:
    return b'"INVALID_API_KEY"' in response.content


def says_so(route: Route, response: Any) -> bool:
    """Whether a caller who is not known is told so in the status of the route's family."""
    return response.status_code == (403 if route.path.startswith(_SAYS_403) else 401)


def is_fit(route: Route, expected: Expected, caller: Caller, found: str, wanted: str) -> bool:
    """Whether an answer is what it should be. Who belongs to no organization has nothing there to be shown."""
    if expected.kind == "anybody" and not expected.looks_at_keys:
        return True  # the answer of an entrance may itself be a refusal
    if wanted == ALLOWED and not caller.is_member and caller.kind == "person":
        return found in {ALLOWED, MISSING, REFUSED} and (found != ALLOWED or route.method in SAFE or not expected.of)
    if wanted == REFUSED and not caller.is_member:
        return found in {REFUSED, MISSING}
    return found == wanted


def bytes_of(response: Any) -> bytes:
    """All of an answer, headers included."""
    content = b"".join(_pieces(response)) if response.streaming else response.content
    head = "\n".join(f"{name}: {value}" for name, value in response.items())
    return head.encode() + b"\n" + response.cookies.output().encode() + b"\n" + content


def _pieces(response: Any) -> Iterable[bytes]:
    """Of a stream nothing is read here: those there are tell of nobody's data, and the tests of each read them."""
    return () if response.is_async else response.streaming_content


def shape(response: Any, *ids: str) -> tuple[int, tuple[tuple[str, str], ...], str]:
    """Status, headers and body without what differs between any two requests, and without these ids."""
    named = re.compile(
        r"(?<![\w-])(?:" + "|".join(re.escape(text) for text in sorted(set(ids), key=len)) + r")(?![\w-])"
    )

    def plain(text: str) -> str:
        return _VARYING.sub("*", named.sub("#", text))

    kept = [(name, plain(value)) for name, value in response.items() if _is_kept(name)]
    return response.status_code, tuple(sorted(kept)), plain(response.content.decode())


def _is_kept(name: str) -> bool:
    return name.lower() not in _OWN_HEADERS and not name.lower().startswith("x-ratelimit")


def filled(route: Route, expected: Expected, *things: Things) -> str:
    """The path with its parameters named by these things, one after the other; the last one names all the rest."""
    path = route.path.replace("{template_id}", "simple-web-app")  # they come along, and belong to nobody
    path = path.replace("{tool_name}", "suggest_architecture")
    for position, name in enumerate(expected.of):
        value = things[min(position, len(things) - 1)].named(name)
        path = re.sub(r"\{\w+\}", lambda _, value=value: value, path, count=1)
    return path


def body_of(expected: Expected, things: Things) -> dict[str, Any]:
    """The body with what it names put in."""
    return {name: _put_in(value, things) for name, value in expected.body.items()}


def _put_in(value: Any, things: Things) -> Any:
    return getattr(things, value[1:-1]) if _is_reference(value) else value


def _is_reference(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\{\w+\}", value) is not None


def names_things(expected: Expected) -> bool:
    """Whether a request names anything of an organization."""
    return bool(expected.of) or any(map(_is_reference, expected.body.values()))


def lacks(headers: dict[str, str]) -> list[str]:
    """Which of the headers that browsers need an answer lacks, or has weakened."""
    policy = headers.get("content-security-policy", "")
    wanted = {
        "content-security-policy": "default-src 'self'" in policy or "default-src 'none'" in policy,
        "frame-ancestors": "frame-ancestors 'none'" in policy,
        "base-uri": "base-uri 'none'" in policy,
        "scripts": "unsafe-inline' " not in policy.partition("script-src")[2].partition(";")[0] + " ",
        "x-content-type-options": headers.get("x-content-type-options") == "nosniff",
        "x-frame-options": headers.get("x-frame-options") == "DENY",
        "referrer-policy": headers.get("referrer-policy") == "same-origin",
        "no cross-origin": not any(name.startswith("access-control-") for name in headers),
    }
    return [name for name, holds in wanted.items() if not holds]


def headers_of(response: Any) -> dict[str, str]:
    """The headers of an answer, by their names in lower case."""
    return {name.lower(): value for name, value in response.items()}
