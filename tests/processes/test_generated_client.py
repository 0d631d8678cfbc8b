"""A typed client, made from the OpenAPI document of the Proxmox AI family by a stock generator, works as it is; so do the Postman
collection in newman, and the bodies that the documented SDKs send, from Node."""

import compileall
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fixtures.services import missing
from tests.processes.alma import Alma, wait_until

pytestmark = pytest.mark.processes
HERE = Path(__file__).parent
CLIENTS = Path(sys.prefix) / "clients"
NEWMAN = CLIENTS / "npm" / "node_modules" / "newman" / "bin" / "newman.js"


@pytest.fixture(scope="module")
def alma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alma]:
    running = Alma(tmp_path_factory.mktemp("generated"))
    running.start()
    with running.client() as client:
        wait_until(lambda: totalled(client, "/v1/vms?status=running") >= 3, 60, running.log)
    yield running
    running.end()


def totalled(client: httpx.Client, path: str) -> int:
    return int(client.get(path).json()["data"]["pagination"]["total"])


def run(*command: str, folder: Path, **environment: str) -> str:
    """What a process with the generator and its client on its path writes."""
    paths = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": f"{CLIENTS}:{folder}"}
    done = subprocess.run(
        command, cwd=folder, env={**paths, **environment}, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def generated(alma: Alma, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client in it."""
    if not (CLIENTS / "openapi_python_client").is_dir():
        missing("The generator of clients (make setup-dev)")
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_bytes(httpx.get(f"{alma.url}/v1/openapi.json").raise_for_status().content)
    run(sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json", "--meta", "none",
        "--output-path", "proxmox_ai", "--fail-on-warning", folder=folder)  # fmt: skip
    assert compileall.compile_dir(folder / "proxmox_ai", quiet=1)
    return folder


def driven(alma: Alma, folder: Path, script: str) -> dict[str, Any]:
    told = run(sys.executable, str(HERE / script), folder=folder, ALMA_URL=alma.url, ALMA_TOKEN=alma.secrets["api_key"])
    report: dict[str, Any] = json.loads(told)
    return report


def test_it_reads(alma: Alma, generated: Path) -> None:
    report = driven(alma, generated, "drive_client.py")
    assert (report["health"], report["error"]) == ("healthy", "RESOURCE_NOT_FOUND")
    assert len(set(report["listed"])) == min(4, report["total"]) and report["running"] == report["total"]
    assert report["shown"][:2] == [report["listed"][0], "running"]
    assert report["points"] > 30
    assert report["job"] == [True, 100, True]


def test_it_makes_a_machine_goes_back_to_a_snapshot_and_deletes_it(alma: Alma, generated: Path) -> None:
    report = driven(alma, generated, "drive_machine.py")
    assert report["created"] == ["completed", 100, "creating", "running", 2]
    assert report["again"] == "RESOURCE_CONFLICT"
    assert report["restart_required"] == ["cpu_cores"]
    assert report["kept"] == [["before", "available", "As it was", "alma"]]
    assert report["restored"] == [["alma", "typed"], "running"]
    assert report["jobs"] == ["completed"] * 6
    assert (report["left"], report["gone"]) == ([], "RESOURCE_NOT_FOUND")
    assert "typed-vm" not in alma.guests()


# -- Postman and Node -----------------------------------------------------------------------------
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("Node.js is not there.")
    return found


def of_reads(collection: dict[str, Any]) -> dict[str, Any]:
    """The collection with its reads alone, each of which must answer with 200; what names one thing is given one."""
    script = "pm.test('200', () => pm.response.to.have.status(200));"
    for folder in collection["item"]:
        folder["item"] = [item for item in folder["item"] if item["request"]["method"] == "GET" and not names_one(item)]
        for item in folder["item"]:
            item["event"] = [{"listen": "test", "script": {"exec": [script], "type": "text/javascript"}}]
    return collection


def names_one(item: dict[str, Any]) -> bool:
    return bool({one["key"] for one in item["request"]["url"]["variable"]} - {"vm_id"})


def test_newman_runs_the_collection(alma: Alma, tmp_path: Path) -> None:
    interpreter = node()
    if not NEWMAN.is_file():
        pytest.skip("newman is not there.")
    with alma.client() as client:
        collection = client.get("/v1/postman/collection.json").json()
        vm_id = client.get("/v1/vms?status=running&limit=1").json()["data"]["vms"][0]["id"]
    for folder in collection["item"]:
        for item in folder["item"]:
            for variable in item["request"]["url"]["variable"]:
                variable["value"] = vm_id if variable["key"] == "vm_id" else ""
    (tmp_path / "collection.json").write_text(json.dumps(of_reads(collection)))
    run(interpreter, str(NEWMAN), "run", "collection.json", "--env-var", f"api_token={alma.secrets['api_key']}",
        "--reporters", "json", "--reporter-json-export", "report.json", "--color", "off", folder=tmp_path)  # fmt: skip
    told = json.loads((tmp_path / "report.json").read_text())["run"]
    assert (told["stats"]["assertions"]["failed"], told["failures"]) == (0, [])
    names = {execution["item"]["name"] for execution in told["executions"]}
    assert names >= {
        "health",
        "vms_list",
        "vms_get",
        "vms_snapshots_list",
        "monitoring_system",
        "monitoring_vm",
        "jobs_list",
    }


SDK = """
const call = async (method, path, body) => {
  const headers = { Authorization: `Bearer ${process.env.ALMA_TOKEN}`, "Content-Type": "application/json" };
  const answer = await fetch(process.env.ALMA_URL + "/v1" + path, { method, headers, body: body && JSON.stringify(body) });
  const told = await answer.json();
  if (!told.success) throw new Error(JSON.stringify(told.error));
  return told.data;
};
const main = async () => {
  const { vm } = await call("POST", "/vms", { name: "test-vm", template: "ubuntu-22.04", cpu_cores: 2, memory_mb: 4096 });
  const loop = async (id) => {
    let { job } = await call("GET", `/jobs/${id}`);
    while (job.status === "running") {
      await new Promise((resolve) => setTimeout(resolve, 200));
      ({ job } = await call("GET", `/jobs/${id}`));
    }
    return job.status;
  };
  const created = await loop(vm.creation_job_id);
  const shown = (await call("GET", `/vms/${vm.id}`)).vm;
  const removed = await loop((await call("DELETE", `/vms/${vm.id}?force=true`)).vm.job_id);
  console.log(JSON.stringify({ id: vm.id, created, removed, status: shown.status, sizes: shown.configuration }));
};
main().catch((error) => { console.error(error); process.exit(1); });
"""
"""What the documented SDKs for JavaScript and Go do: the same flat body, and the same loop."""


def test_the_body_of_the_documented_sdks_from_node(alma: Alma, tmp_path: Path) -> None:
    interpreter = node()
    (tmp_path / "sdk.js").write_text(SDK)
    told = json.loads(
        run(interpreter, "sdk.js", folder=tmp_path, ALMA_URL=alma.url, ALMA_TOKEN=alma.secrets["api_key"])
    )
    assert (told["created"], told["status"], told["removed"]) == ("completed", "running", "completed")
    assert told["id"].startswith("vm-")
    assert (told["sizes"]["cpu_cores"], told["sizes"]["memory_mb"]) == (2, 4096)
    assert "test-vm" not in alma.guests()
