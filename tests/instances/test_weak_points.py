"""The weak points that were found in llamactl, each with the tests that hold ALMA to it: docs/instances.md lists them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from alma import bootstrap
from alma.accounts.keys import resolve
from alma.errors import NotAuthenticated
from instances.models import Instance
from instances.supervisor.processes import Held
from tests.factories.accounts import make_key
from tests.factories.instances import make_instance
from tests.source import ROOT

ROWS = re.findall(r"^\| (\d+) \| .* \| (`tests/.+`) \|$", (ROOT / "docs" / "instances.md").read_text(), re.M)
NAMED = [(number, *name.split("::")) for number, cell in ROWS for name in re.findall(r"`(tests/[^`]+::\w+)`", cell)]


def test_each_weak_point_has_its_row_once() -> None:
    numbers = [int(number) for number, _ in ROWS]
    assert numbers == list(range(1, 18))


@pytest.mark.parametrize(("number", "path", "name"), NAMED)
def test_the_test_that_is_named_is_there(number: str, path: str, name: str) -> None:
    assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(), re.M), f"weak point {number}"


@pytest.mark.django_db
@pytest.mark.parametrize("port", [8099, 80, 70_000])
def test_weak_point_5_port_stays_for_the_life_of_an_instance(port: int) -> None:
    """llamactl takes another port, and goes on to ask the old one."""
    row = make_instance("one", port=8081)
    client = Client(headers={"Authorization": f"Bearer {make_key()[1]}"})
    answer = client.put("/api/v1/instances/one", {"port": port, "group": "g"}, content_type="application/json")
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    row.refresh_from_db()
    assert (row.port, row.group) == (8081, "")
    same = client.put("/api/v1/instances/one", {"port": 8081, "group": "g"}, content_type="application/json")
    assert (same.status_code, same.json()["port"]) == (200, 8081)


@pytest.mark.django_db
def test_weak_point_2_start_that_fails_is_no_limit(settings) -> None:
    """llamactl answers every start that fails with 409 and the words of its limit."""
    settings.ALMA_INSTANCES_RUNNING = 1
    make_instance("one", wanted="running", status="failed", reason="one ended with exit code 1", run=1, wanted_run=1)
    client = Client(headers={"Authorization": f"Bearer {make_key()[1]}"})
    assert client.get("/api/v1/instances/one").json()["reason"] == "one ended with exit code 1"
    assert client.post("/api/v1/instances/one/start").status_code == 200  # what has failed has no place
    make_instance("two")
    refused = client.post("/api/v1/instances/two/start")
    assert (refused.status_code, refused.json()) == (
        409,
        {"error": "At most 1 instance can run at a time, and one does."},
    )
    assert Instance.objects.get(name="two").wanted == "stopped"


@pytest.mark.django_db
@pytest.mark.parametrize("strangers", [0, 40])
def test_weak_point_9_key_is_found_by_its_digest(django_assert_num_queries, strangers: int) -> None:
    """llamactl hashes its way through all keys with Argon2id, until one fits. Here each question costs the same."""
    for _ in range(strangers):
        make_key()
    key, secret = make_key(last_used_at=timezone.now())
    with django_assert_num_queries(1) as asked:
        assert resolve(secret, address="127.0.0.1").key_id == key.pk
    assert key.digest in asked.captured_queries[0]["sql"]
    with django_assert_num_queries(1), pytest.raises(NotAuthenticated):
        resolve(secret[:-1] + ("0" if secret[-1] != "0" else "1"), address="127.0.0.1")


def test_weak_point_12_nobody_is_signalled_by_number_alone() -> None:
    """The number belongs to this very process, whose marks are not those of an instance."""
    one = Held(pid=os.getpid(), started=1, marker="alma-1-x")
    assert not one.is_alive()
    assert list(one.members()) == []


@pytest.mark.django_db
def test_weak_point_17_loopback_and_the_key_that_stays(settings, tmp_path: Path) -> None:
    """llamactl listens on all addresses, and makes up another management key at each start."""
    where = "import alma.settings as s; print(s.ALMA_HTTP_HOST)"
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("ALMA_", "DJANGO_"))}
    told = subprocess.run(
        [sys.executable, "-c", where], cwd=ROOT, env=plain, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "127.0.0.1"
    settings.ALMA_DATA_DIR, settings.ALMA_ROLES = tmp_path, ["web"]
    first, second = bootstrap.run(), bootstrap.run()
    assert first["api_key"]
    assert (second["api_key"], second["inference_key"]) == (first["api_key"], first["inference_key"])
