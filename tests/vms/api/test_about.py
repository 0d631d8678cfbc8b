"""Health, information, and the family as an OpenAPI document and a Postman collection: all of it without a key."""

from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from drf_spectacular.validation import validate_schema
from pytest_django import Settings

from alma.api.dialects import PROXMOX, dialect_of
from alma.monitoring import probes
from tests.access.routes import routes
from tests.factories.vms import make_cluster
from vms.models import Cluster

pytestmark = pytest.mark.django_db
BARE = ("/v1/openapi.json", "/v1/postman/collection.json")


def data(client: Client, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def test_the_documented_health(client: Client) -> None:
    cluster = make_cluster()
    Cluster.objects.filter(pk=cluster.pk).update(last_read_at=timezone.now())
    body = client.get("/v1/health").json()
    assert (body["success"], "timestamp" in body["meta"]) == (True, True)
    assert body["data"].keys() == {"status", "version", "uptime_seconds", "components"}
    assert body["data"]["components"] == {"database": "healthy", "proxmox": "healthy", "ai_service": "healthy"}
    assert (body["data"]["status"], type(body["data"]["uptime_seconds"])) == ("healthy", int)


@pytest.mark.parametrize(
    ("read", "since", "is_enabled", "proxmox", "status"),
    [
        (False, False, True, "unknown", "healthy"),
        (True, True, True, "unhealthy", "degraded"),
        (True, True, False, "unknown", "healthy"),
    ],
)
def test_clusters_as_they_were_last_read(
    client: Client, read: bool, since: bool, is_enabled: bool, proxmox: str, status: str
) -> None:
    now = timezone.now()
    make_cluster(last_read_at=now if read else None, unreachable_since=now if since else None, is_enabled=is_enabled)
    body = data(client, "/v1/health")
    assert (body["components"]["proxmox"], body["status"]) == (proxmox, status)


def test_without_a_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        raise DatabaseError("away")

    monkeypatch.setattr(probes, "database", lambda: "down")
    monkeypatch.setattr(Cluster.objects, "enabled", away)
    answer = client.get("/v1/health")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert error["details"]["components"]["database"] == "unhealthy"


def test_information(client: Client) -> None:
    body = data(client, "/v1/info/")
    assert (body["api_version"], body["supported_versions"]) == ("v1", ["v1"])
    for link in (body["openapi"], body["postman"], body["documentation"]):
        assert client.get(link).status_code == 200


@pytest.mark.parametrize("path", BARE)
def test_a_wrong_key_is_not_looked_at(client: Client, path: str) -> None:
    assert client.get(path, headers={"X-API-Key": "wrong"}).status_code == 200


def described(client: Client) -> dict[str, Any]:
    document: dict[str, Any] = client.get(BARE[0]).json()
    return document


def test_the_document_has_this_family_alone(client: Client) -> None:
    document = described(client)
    validate_schema(document)
    ours = {
        (route.path.removeprefix("/v1"), route.method.lower())
        for route in routes()
        if dialect_of(route.path) is PROXMOX and route.path not in BARE
    }
    found = {(path, method) for path, operations in document["paths"].items() for method in operations}
    assert found == ours
    assert document["servers"] == [{"url": "http://testserver/v1"}]


def test_the_document_refers_to_nothing_that_it_lacks(client: Client) -> None:
    document = described(client)
    schemas, text = document["components"]["schemas"], str(document)
    assert "MachineRow" in schemas and "BlueprintBody" not in schemas
    assert all(f"#/components/schemas/{name}'" in text for name in schemas)
    assert document["components"]["securitySchemes"]["bearer"] == {"type": "http", "scheme": "bearer"}


def test_a_host_that_is_not_ours_is_not_written_into_it(client: Client, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    assert client.get(BARE[0], headers={"Host": "evil.example"}).status_code == 400


def test_the_collection_has_every_operation(client: Client) -> None:
    collection = client.get(BARE[1]).json()
    assert collection["info"]["schema"].endswith("/v2.1.0/collection.json")
    items = {item["name"]: item["request"] for folder in collection["item"] for item in folder["item"]}
    operations = [one for path in described(client)["paths"].values() for one in path.values()]
    assert items.keys() == {operation["operationId"] for operation in operations}
    assert items["vms_get"]["url"]["raw"] == "{{base_url}}/vms/:vm_id"
    assert [variable["key"] for variable in items["vms_get"]["url"]["variable"]] == ["vm_id"]
    assert "vm.created" in items["webhooks_create"]["body"]["raw"]
    assert items["health"]["auth"] == {"type": "noauth"}
    assert {variable["key"]: variable["value"] for variable in collection["variable"]} == {
        "base_url": "http://testserver/v1", "api_token": "",
    }  # fmt: skip
