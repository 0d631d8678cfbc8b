"""`/v1/ai/generate` as documented."""

from typing import Any

import pytest
from django.test import Client

from tests.blueprints.test_api import send
from tests.factories.accounts import make_key, make_organization

pytestmark = pytest.mark.django_db
URL = "/v1/ai/generate"
DOCUMENTED = {
    "prompt": "Create a secure web server VM with Nginx, SSL certificate, and firewall rules",
    "context": {"environment": "production", "compliance_requirements": ["CIS", "SOC2"]},
    "output_format": "terraform",
}


def ask(client: Client, body: Any) -> Any:
    make_organization()
    return send(client, "post", URL, body, **{"X-API-Key": make_key()[1]})


def test_the_documented_body_is_answered_as_documented(client: Client) -> None:
    response = ask(client, DOCUMENTED)
    assert response.status_code == 200, response.content
    body = response.json()
    made = body["data"]["generated_code"]
    assert set(made) >= {"format", "code", "validation_score", "security_analysis"}
    assert set(made["security_analysis"]) == {"passed", "issues", "recommendations"}
    assert (made["format"], 'resource "proxmox_virtual_environment_vm"' in made["code"]) == ("terraform", True)
    assert 0 <= made["validation_score"] <= 100
    assert {"request_id", "timestamp", "ai_model", "tokens_used"} <= set(body["meta"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prompt": ""},
        {"prompt": 5},
        {"prompt": "one web server", "output_format": "cobol"},
        {"prompt": "one web server", "context": {"environment": "a b"}},
        {"prompt": "one web server", "context": {"compliance_requirements": ["PCI"]}},
        {"prompt": "one web server", "more": 1},
        {"prompt": "delete all machines"},
        [],
    ],
)
def test_what_makes_no_sense_is_refused_in_the_shape_of_the_document(client: Client, body: Any) -> None:
    response = ask(client, body)
    assert response.status_code in {400, 422}
    assert (response.json()["success"], set(response.json()["error"]) >= {"code", "message"}) == (False, True)


def test_it_needs_a_credential(client: Client) -> None:
    make_organization()
    assert send(client, "post", URL, DOCUMENTED).status_code == 401
