"""Arguments by hand, as somebody sends them who does not read the document: every tool, every argument, every wrong value."""

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from django.db import transaction
from django.test import Client

from alma.accounts.scopes import SERVICE
from alma.errors import DomainError
from blueprints import tools
from blueprints.tools import execute
from tests.factories.accounts import make_actor, make_environment, make_key, make_organization
from tests.factories.blueprints import make_blueprint, make_document, make_resource
from tests.factories.vms import make_cluster, make_guest
from vms.machines import public_id

pytestmark = pytest.mark.django_db
DIRECT = "/api/v1/tools/execute-direct"
WRONG: dict[str, Any] = {
    "negative": -1, "zero": 0, "huge": 10**30, "fraction": 0.5, "true": True, "text": "x", "empty": "", "long": "9" * 30_000,
    "not a number": "NaN", "list": [], "object": {}, "nested": [[{}]], "control": "\x00\x1b", "null": None,
    "ids of others": ["vm-999999"], "path": "../../etc/passwd", 
    "big list": ["vm-1"] * 60,
}  # fmt: skip


def client() -> Client:
    return Client(headers={"X-API-Key": make_key(SERVICE)[1]})


def usable() -> dict[str, dict[str, Any]]:
    """Arguments with which each tool runs, where there is something to look at."""
    cluster = make_cluster(organization=make_organization(), slug="main")
    guest = make_guest(cluster)
    make_environment("staging")
    one, other = make_blueprint(), make_blueprint(name="other")
    names = {"blueprint_id": one.pk, "other_blueprint_id": other.pk, "vm_ids": [public_id(guest)]}
    return {row.name: {key: names.get(key, value) for key, value in row.example.items()} for row in tools.tools()}


def cases() -> Iterator[tuple[str, str, str]]:
    for row in tools.tools():
        for name in row.arguments.model_fields:
            yield from ((row.name, name, what) for what in WRONG)


@pytest.mark.parametrize("tool", tools.NAMES)
def test_an_example_fits_its_schema(tool: str) -> None:
    found = tools.find(tool)
    jsonschema.Draft202012Validator.check_schema(found.schema())
    (example,) = found.schema()["examples"]
    jsonschema.validate(example, found.schema(), jsonschema.Draft202012Validator)
    assert example.keys() <= found.arguments.model_fields.keys()


def test_wrong_values_are_refused_by_name_or_make_sense_and_never_break() -> None:
    """Some are right somewhere: a fraction of a rate, an empty list of machines. What is not is told with its field."""
    given, by = usable(), make_actor()
    for tool, name, what in cases():
        case = f"{tool} {name} {what}"
        try:
            with transaction.atomic():
                assert execute(tool, {**given[tool], name: WRONG[what]}, by=by).summary, case
        except DomainError as error:
            assert 10 < len(error.message) < 1000, case


@pytest.mark.parametrize(
    "body",
    [
        '{"tool": "forecast_metrics", "arguments": {"level": NaN}}',
        '{"tool": "estimate_resources", "arguments": {"peak_users": 1e999}}',
    ],
)
def test_what_json_does_not_have(body: str) -> None:
    assert client().post(DIRECT, body, content_type="application/json").status_code == 400


def test_a_second_identical_request_answers_the_same() -> None:
    given, sent = usable(), client()
    for tool, arguments in given.items():
        first, second = (
            sent.post(DIRECT, {"tool": tool, "arguments": arguments}, content_type="application/json") for _ in range(2)
        )
        assert first.status_code == second.status_code, tool
        same = [
            {key: value for key, value in one.json().items() if key not in {"timestamp", "request_id"}}
            for one in (first, second)
        ]
        assert same[0] == same[1], tool


def test_true_is_no_number_and_a_large_document_is_read() -> None:
    answer = client().post(
        DIRECT, {"tool": "estimate_resources", "arguments": {"peak_users": True}}, content_type="application/json"
    )
    assert (answer.status_code, "peak_users" in answer.json()["detail"]) == (400, True)
    rows = "".join(
        f"- name: web-{n}\n  type: vm\n  description: {'x' * 150}\n  specs: {{cpu: 1}}\n" for n in range(180)
    )
    found = execute("validate_blueprint", {"blueprint": f"name: large\nresources:\n{rows}"}, by=make_actor())
    assert (found.valid, len(found.resources)) == (True, 180)


def test_what_is_of_others_is_not_there() -> None:
    """Blueprints, machines, jobs, clusters and environments of another organization."""
    other = make_organization("other")
    blueprint = make_blueprint(by=make_actor(organization=other))
    guest = make_guest(make_cluster(organization=other, slug="theirs"), name="secretname")
    make_environment("hidden", organization=other)
    mine = {"blueprint": make_document(resources=[make_resource("a")])}
    vm = public_id(guest)
    asked: list[tuple[str, dict[str, Any]]] = [
        *((name, {"blueprint_id": blueprint.pk}) for name in tools.NAMES if "blueprint_id" in tools.find(name).arguments.model_fields),
        ("security_audit", {"vm_ids": [vm]}), ("check_compliance", {"vm_ids": [vm]}), ("troubleshoot_issue", {"vm_ids": [vm]}),
        ("forecast_metrics", {"vm_id": vm}), ("forecast_metrics", {"cluster": "theirs"}), ("calculate_capacity", {"cluster": "theirs"}),
        ("troubleshoot_issue", {"cluster": "theirs"}), ("migrate_infrastructure", {"vm_ids": [vm], "target_cluster": "theirs"}),
        ("generate_deployment_plan", {**mine, "environment": "hidden"}), ("troubleshoot_issue", {"job_ids": ["job_theirs"]}),
        ("compare_blueprints", {**mine, "other_blueprint_id": blueprint.pk}),
    ]  # fmt: skip
    sent = client()
    for tool, arguments in asked:
        answer = sent.post(DIRECT, {"tool": tool, "arguments": arguments}, content_type="application/json")
        assert answer.status_code in {400, 404}, (tool, arguments, answer.content[:200])
        assert b"secretname" not in answer.content
