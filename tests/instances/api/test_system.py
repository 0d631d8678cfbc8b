"""The machine, the configuration and the login of the older document, and the configuration of the newer one."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.test import Client
from django.utils import timezone

from alma.accounts.models import Organization
from tests.factories.accounts import PASSWORD, make_key, make_organization, make_user
from tests.factories.instances import make_instance
from tests.source import ROOT

pytestmark = pytest.mark.django_db
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
def client() -> Client:
    return Client(headers={"Authorization": f"Bearer {make_key()[1]}"})


@pytest.fixture
def kept(settings, tmp_path: Path) -> Path:
    settings.ALMA_CONFIG_FILE = tmp_path / "config.json"
    return settings.ALMA_CONFIG_FILE


def put(client: Client, body: Any) -> Any:
    return client.put("/api/config", data=body, content_type="application/json")


def test_status_has_the_documented_figures(client: Client) -> None:
    organization = Organization.objects.get()
    for status in ("running", "stopped", "stopped"):
        make_instance(organization=organization, status=status, wanted="stopped" if status == "stopped" else "running")
    make_instance(organization=make_organization("theirs"))
    body = client.get("/api/system/status").json()
    assert set(body) == {"version", "uptime", "instances", "resources"}
    assert body["instances"] == {"total": 3, "running": 1, "stopped": 2}
    found, memory = body["resources"], psutil.virtual_memory()
    assert set(found) == {"cpu_usage", "memory_usage", "memory_total", "disk_usage"}
    assert 0 < found["memory_usage"] < found["memory_total"] <= memory.total
    assert 0 <= found["cpu_usage"] <= 100 and 0 < found["disk_usage"] <= 100
    assert abs(body["uptime"] - (timezone.now().timestamp() - psutil.Process().create_time())) < 5


def test_info_has_the_documented_fields(client: Client) -> None:
    body = client.get("/api/system/info/").json()
    assert list(body) == ["hostname", "os", "arch", "cpu_count", "memory_total", "version", "build_time"]
    assert (body["os"], body["cpu_count"]) == ("linux", psutil.cpu_count())
    assert body["arch"] in {"amd64", "arm64"}
    assert body["build_time"] is None or ISO.fullmatch(body["build_time"])


def test_both_configurations_keep_secrets(client: Client, settings, kept: Path) -> None:
    settings.ALMA_LLAMA_COMMAND = "/opt/llama-server --api-key hush-hush"
    for path in ("/api/config", "/api/v1/config"):
        answer = client.get(path)
        assert answer.json()["backends"]["llama-cpp"] == {"command": "/opt/llama-server"}
        assert answer.json()["instances"]["max_instances"] == settings.ALMA_INSTANCES
        for secret in ("hush-hush", settings.SECRET_KEY, str(settings.DATABASES["default"]["NAME"])):
            assert secret not in answer.content.decode()


def test_change_holds_from_the_next_start(client: Client, kept: Path, tmp_path: Path) -> None:
    answer = put(client, {"instances": {"max_instances": 7, "port_range": [9000, 9010]}})
    assert answer.status_code == 200, answer.content
    assert (answer.json()["message"], answer.json()["restart_required"]) == ("Configuration updated successfully", True)
    assert client.get("/api/config").json()["pending"] == {"max_instances": 7, "port_range": [9000, 9010]}
    put(client, {"instances": {"max_running_instances": 3}})
    assert json.loads(kept.read_text()) == {
        "ALMA_INSTANCES": "7", "ALMA_INSTANCES_RUNNING": "3", "ALMA_INSTANCE_PORTS": "9000-9010",
    }  # fmt: skip
    words = "from alma import settings as s; print(s.ALMA_INSTANCES, s.ALMA_INSTANCES_RUNNING, s.ALMA_INSTANCE_PORTS)"
    environment = {"PATH": "/usr/bin:/bin", "ALMA_DATA_DIR": str(tmp_path), "ALMA_INSTANCES_RUNNING": "5"}
    done = subprocess.run([sys.executable, "-c", words], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "7 5 (9000, 9010)", done.stderr


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "instances"),
        ({"instances": {}}, "at least one"),
        ({"instances": {"max_instances": 0}}, "max_instances"),
        ({"instances": {"max_instances": True}}, "max_instances"),
        ({"instances": {"port_range": [9000, 8000]}}, "port_range"),
        ({"instances": {"port_range": [80, 8000]}}, "port_range"),
        ({"instances": {"models_dir": "/etc"}}, "models_dir"),
        ({"server": {"port": 1}}, "server"),
        ([], "object"),
    ],
    ids=str,
)
def test_change_that_is_refused(client: Client, kept: Path, body: Any, words: str) -> None:
    answer = put(client, body)
    assert (answer.status_code, set(answer.json())) == (400, {"error", "code", "details"})
    assert words in answer.json()["error"] + answer.json()["details"]
    assert not kept.exists()


def test_what_the_environment_says_stays(client: Client, kept: Path, monkeypatch) -> None:
    monkeypatch.setenv("ALMA_INSTANCES", "50")
    answer = put(client, {"instances": {"max_instances": 7}})
    assert (answer.status_code, answer.json()["code"]) == (409, "SET_BY_ENVIRONMENT")
    assert not kept.exists()


def test_installation_of_several_is_changed_by_its_staff(client: Client, kept: Path) -> None:
    make_organization("theirs")
    answer = put(client, {"instances": {"max_instances": 7}})
    assert (answer.status_code, answer.json()["code"]) == (403, "STAFF_ONLY")
    boss = make_user(organization=Organization.objects.order_by("pk")[0], is_staff=True)
    login = Client().post(
        "/api/auth/login", {"username": boss.username, "password": PASSWORD}, content_type="application/json"
    )
    assert ISO.fullmatch(login.json()["expires_at"])
    token = login.json()["token"]
    refreshed = (
        Client(headers={"Authorization": f"Bearer {token}"}).generic("POST", "/api/auth/refresh").json()["token"]
    )
    assert (
        put(Client(headers={"Authorization": f"Bearer {refreshed}"}), {"instances": {"max_instances": 7}}).status_code
        == 200
    )


def test_every_answer_says_what_is_left(client: Client, settings, limits_clock) -> None:
    settings.ALMA_RATE_LIMITS = 1
    answer = client.get("/api/system/info")
    assert (answer["X-RateLimit-Limit"], answer["X-RateLimit-Remaining"]) == ("100", "99")
    assert int(answer["X-RateLimit-Reset"]) > 1_000_000_000
    assert client.post("/api/instances/none/start")["X-RateLimit-Limit"] == "10"
    statuses = [client.get("/api/instances").status_code for _ in range(100)]
    assert (statuses.count(200), statuses.count(429)) == (99, 1)
