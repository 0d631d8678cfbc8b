"""Every operation of the OpenAPI document, asked what the document allows and what it does not: no fault of ours, and
no answer unlike its schema. A few cases each, always the same ones; `make fuzz` asks thousands of a running ALMA."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from pytest_django import Settings
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from alma.events.models import WebhookEndpoint
from tests.access.world import OURS, Things, furnish
from tests.factories.accounts import make_organization, make_user, sign_in

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings(
        "ignore:StreamingHttpResponse must consume"
    ),  # streams are served by ASGI, asked here by WSGI
]
KEY = "a key of the environment"
HEADERS = {"X-API-Key": KEY, "Authorization": f"Bearer {KEY}", "Prefer": "respond-async", "Accept": "application/json"}
ASKS_THE_CLUSTER = "/v1/vms/{vm_id}/console"
"""What has to ask a cluster before it can answer. Here nobody answers it, so 503 is right."""


def no_fault_of_ours(context: CheckContext, response: Response, case: Case) -> bool | None:
    """No 500, and 503 only where it is the answer."""
    is_silence = response.status_code == 503 and case.operation.path == ASKS_THE_CLUSTER
    return None if is_silence else not_a_server_error(context, response, case)


CHECKS = [
    no_fault_of_ours, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance, unsupported_method,
]  # fmt: skip
HEAPS, CASES = 6, 4
CREDENTIALS = ("X-API-Key", "Authorization", "Cookie")
"""Are made up from the document as well, and replaced by real ones."""
QUIET = settings(
    max_examples=CASES, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@cache
def operations() -> list[APIOperation]:
    """All that the document describes; what deletes comes last."""
    schema = schemathesis.openapi.from_wsgi("/api/v1/schema/", get_wsgi_application())
    found = [
        result.ok() for result in schema.exclude(tag="inference").get_all_operations()
    ]  # no Django view answers these
    return sorted(found, key=lambda operation: operation.method.upper() == "DELETE")


@pytest.fixture(autouse=True)
def connections_stay() -> Iterator[None]:
    """Requests end in the middle of the test's own transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def things(settings: Settings) -> Things:
    """One of everything, and a key that no operation can revoke."""
    settings.ALMA_API_KEYS = [KEY]
    return furnish(make_organization(), OURS)


@pytest.mark.parametrize("heap", range(HEAPS))
def test_every_operation(things: Things, heap: int) -> None:
    asked = operations()[heap::HEAPS]
    assert asked
    for operation in asked:
        for mode in GenerationMode:
            fuzz(operation, mode, things, headers=HEADERS)


def test_what_only_people_may(things: Things, client: Client) -> None:
    """The same in a browser, for keys are refused there."""
    session, token = sign_in(client, make_user()).cookies["sessionid"].value, "t" * 32
    caller = {
        "headers": {"X-CSRFToken": token, "Accept": "application/json"},
        "cookies": {"sessionid": session, "csrftoken": token},
    }
    asked = [operation for operation in operations() if operation.path.startswith("/api/v1/webhooks")]
    for operation in asked:
        for mode in GenerationMode:
            fuzz(operation, mode, things, **caller)
    assert asked
    assert WebhookEndpoint.objects.get(uid=things.webhook_uuid).deleted_at


def fuzz(operation: APIOperation, mode: GenerationMode, things: Things, **caller: dict[str, str]) -> None:
    """A few cases of one operation, about things that are there."""

    @QUIET
    @given(case=operation.as_strategy(mode, path_parameters=known(operation, things)))
    def ask(case: Case) -> None:
        for name in CREDENTIALS:
            case.headers.pop(name, None)
        case.cookies.clear()
        case.query.pop("follow", None)  # a log that is followed has no end
        case.call_and_validate(**caller, checks=CHECKS)

    with suppress(Unsatisfiable):  # there is nothing that such an operation could be asked wrongly
        ask()


def known(operation: APIOperation, things: Things) -> dict[str, Any]:
    """What the parameters of its path name, as far as there is such a thing; others are made up."""
    webhook = "webhook_uuid" if operation.path.startswith("/api/") else "webhook_number"
    names = {"webhook_id": webhook, "token_id": "key", "number": "revision"}
    wanted = {one.name: names.get(one.name, one.name.removesuffix("_id")) for one in operation.path_parameters}
    return {name: things.named(thing) for name, thing in wanted.items() if hasattr(things, thing)}
