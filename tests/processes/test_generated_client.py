"""A typed client, made from the OpenAPI document of the Proxmox AI family by a stock generator, works as it is."""

import compileall
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fixtures.services import missing
from tests.processes.alma import Alma, wait_until

pytestmark = pytest.mark.processes
CLIENTS = Path(sys.prefix) / "clients"
DRIVE = Path(__file__).parent / "drive_client.py"


@pytest.fixture(scope="module")
def alma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alma]:
    running = Alma(tmp_path_factory.mktemp("generated"))
    running.start()
    yield running
    running.end()


def run(*command: str, folder: Path, **environment: str) -> str:
    """What a process with the generator and its client on its path writes."""
    paths = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": f"{CLIENTS}:{folder}"}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env={**paths, **environment}, capture_output=True, text=True, timeout=90,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_compiles_and_reads(alma: Alma, tmp_path: Path) -> None:
    if not (CLIENTS / "openapi_python_client").is_dir():
        missing("The generator of clients (make setup-dev)")
    (tmp_path / "openapi.json").write_bytes(httpx.get(f"{alma.url}/v1/openapi.json").raise_for_status().content)
    run("-m", "openapi_python_client", "generate", "--path", "openapi.json", "--meta", "none", "--output-path", "proxmox_ai",
        "--fail-on-warning", folder=tmp_path)  # fmt: skip
    assert compileall.compile_dir(tmp_path / "proxmox_ai", quiet=1)
    with alma.client() as client:
        wait_until(
            lambda: client.get("/v1/vms?status=running").json()["data"]["pagination"]["total"] >= 3, 60, alma.log
        )
    told = run(str(DRIVE), folder=tmp_path, ALMA_URL=alma.url, ALMA_TOKEN=alma.secrets["api_key"])
    report = json.loads(told)
    assert (report["health"], report["error"]) == ("healthy", "RESOURCE_NOT_FOUND")
    assert len(set(report["listed"])) == min(4, report["total"]) and report["running"] == report["total"]
    assert report["shown"][:2] == [report["listed"][0], "running"]
    assert report["points"] > 30
    assert report["job"] == [True, 100, True]
