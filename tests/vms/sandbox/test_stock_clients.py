"""Clients that others wrote, in processes of their own, do their ordinary jobs over TLS."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.sandbox import RunningSandbox
from tests.fixtures.services import missing

JOBS = Path(__file__).parent / "clients"
CLIENTS = Path(sys.prefix) / "clients"
MODULES = CLIENTS / "npm" / "node_modules"


def run(sandbox: RunningSandbox, *command: str) -> str:
    """What the job writes; its complaints are the failure."""
    environment = os.environ | {
        "PVE_PORT": str(sandbox.port), "PVE_PASSWORD": sandbox.password, "PVE_TOKEN": sandbox.token_secret,
        "PVE_CA": sandbox.ca_path, "SSL_CERT_FILE": sandbox.ca_path, "NODE_EXTRA_CA_CERTS": sandbox.ca_path,
        "PYTHONPATH": str(CLIENTS), "NODE_PATH": str(MODULES),
    }  # fmt: skip
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def python_job(sandbox: RunningSandbox, name: str) -> str:
    if not CLIENTS.is_dir():
        missing("The folder of stock clients (make setup-dev)")
    return run(sandbox, sys.executable, str(JOBS / f"job_{name}.py"))


def node_job(sandbox: RunningSandbox, name: str) -> dict:
    node = shutil.which("node")
    if node is None or not MODULES.is_dir():
        pytest.skip("Node.js or the clients from npm are not there.")
    found: dict = json.loads(run(sandbox, node, str(JOBS / f"job_{name}.cjs")))
    return found


def test_proxmox_sdk_clones_configures_starts_and_removes_a_machine(fresh_sandbox: RunningSandbox) -> None:
    report = json.loads(python_job(fresh_sandbox, "proxmox_sdk"))
    assert report["ends"] == ["OK"] * 6
    assert (report["cores"], report["memory"], report["status"]) == (4, "4096", "running")
    assert "400 Parameter verification failed." in report["refused"]
    assert report["nodes"] == ["pve1", "pve2", "pve3"]


def test_proxmox_client_reads_the_cluster(fresh_sandbox: RunningSandbox) -> None:
    report = json.loads(python_job(fresh_sandbox, "proxmox_client"))
    assert report == {
        "cluster": "cluster", "next": "100", "nodes": ["pve1", "pve2", "pve3"], "machines": [101, 110, 9000, 9001],
        "containers": [201], "bridges": report["bridges"], "storages": ["local", "local-lvm", "pbs", "shared", "vault"],
        "started": "qmstart",
    }  # fmt: skip
    assert "vmbr0" in report["bridges"]


def test_the_prometheus_exporter_scrapes_with_every_collector(fresh_sandbox: RunningSandbox) -> None:
    lines = python_job(fresh_sandbox, "pve_exporter").splitlines()
    assert 'pve_up{id="node/pve1"} 1.0' in lines and 'pve_up{id="qemu/130"} 0.0' in lines
    assert any(line.startswith('pve_guest_info{id="qemu/9000"') and 'template="1"' in line for line in lines)
    assert any(line.startswith('pve_disk_size_bytes{id="storage/pve1/local-lvm"}') for line in lines)
    assert any(line.startswith('pve_version_info{release="9.2"') for line in lines)


def test_cv4pve_from_npm_makes_and_removes_a_machine(fresh_sandbox: RunningSandbox) -> None:
    report = node_job(fresh_sandbox, "cv4pve")
    assert report["ends"] == ["OK"] * 4 and (report["name"], report["onboot"]) == ("cv4pve", 1)
    assert "already exists on node 'pve2'" in report["refused"] and report["cluster"] == "sandbox"


def test_proxmox_api_from_npm_makes_and_removes_a_machine(fresh_sandbox: RunningSandbox) -> None:
    report = node_job(fresh_sandbox, "proxmox_api")
    assert report == {"nodes": ["pve1", "pve2", "pve3"], "ends": ["OK"] * 4, "name": "npm", "memory": "1024"}
