"""Every example of the Proxmox AI document about machines and places runs as it is printed, on a sandbox over TLS."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from alma.accounts.models import Environment
from alma.accounts.scopes import EVERYTHING
from alma.jobs import engine
from alma.jobs.models import Job
from tests.factories.accounts import make_environment, make_key
from tests.shapes import lacks
from tests.vms.api import documented as doc
from tests.vms.backups.conftest import look
from tests.vms.operations.conftest import environment, make_machine, see
from vms import details, networks
from vms.backups import reading
from vms.models import Cluster, Guest

__all__ = ["environment", "make_machine"]
Make = Callable[..., Guest]
UNTOLD = {
    "ip_address", "os_type", "created_at", "description", "type", "mount_point", "subnet", "gateway", "vlan_id",
    "last_security_scan", "compliance_score", "vulnerabilities", "ssh_key_auth", "disk_usage_percent", "network_rx_mbps",
    "network_tx_mbps", "enabled", "schedule", "retention_days", "last_backup", "backup_size_gb", "dns_servers",
    "dhcp_enabled", "firewall_rules", "started_at", "estimated_completion",
}  # fmt: skip
"""What may be null in an answer: nobody has told it yet, or nobody can."""


@pytest.fixture
def production(cluster: Cluster, environment: Environment) -> Environment:
    """The environment of the examples, here one without reviews."""
    return make_environment("production", organization=cluster.organization, position=9)


@pytest.fixture
def site(cluster: Cluster, production: Environment, make_machine: Make) -> Client:
    """A client of an organization with `vm-001` and `vm-002`, on a sandbox with a storage that encrypts."""
    Cluster.objects.filter(pk=cluster.pk).update(encrypting_storages=["vault"], name="Sandbox")
    for number, name in enumerate(("web-server-01", "web-server-02"), 1):
        machine = make_machine(name, owner=f"env:{production.pk}/direct")
        Guest.objects.filter(pk=number).exclude(pk=machine.pk).delete()
        Guest.objects.filter(pk=machine.pk).update(id=number)
    see(cluster)
    details.read_due()
    networks.read_due()
    key = make_key(EVERYTHING, organization=cluster.organization)[1]
    return Client(headers={"Authorization": f"Bearer {key}"})


def send(site: Client, method: str, path: str, body: Any = None) -> Any:
    more = {} if method == "GET" else {"data": "" if body is None else body, "content_type": "application/json"}
    return getattr(site, method.lower())(path, **more)


def asked(site: Client, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
    """The body of an answer that must have a status."""
    answer = send(site, method, path, body)
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"].startswith("application/json")
    return answer.json()


def unlike(example: Any, found: Any) -> list[str]:
    """What an example shows and an answer does not, but for what nobody has told."""
    lines = lacks(example, found)
    return [line for line in lines if not (" is None, not " in line and _last(line) in UNTOLD)]


def _last(line: str) -> str:
    return line.partition(" ")[0].rpartition(".")[2]


def followed(site: Client, job_id: str) -> dict[str, Any]:
    """The loop of the document's Python example, with a turn of the worker in place of the sleep."""
    job = asked(site, "GET", f"/v1/jobs/{job_id}")["data"]["job"]
    turns = 0
    while job["status"] == "running":
        turns += 1
        assert turns < 40, job
        engine.advance(Job.objects.get(public_id=job_id).pk)
        job = asked(site, "GET", f"/v1/jobs/{job['id']}")["data"]["job"]
    assert (job["status"], job["progress"]) == ("completed", 100), job
    return dict(job)


# -- reading ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "example"),
    [
        (f"/v1/vms?{doc.VMS_QUERY}", doc.VMS),
        ("/v1/vms/vm-001", doc.VM),
        ("/v1/networks", doc.NETWORKS),
        ("/v1/health", doc.HEALTH),
    ],
    ids=["vms", "vm", "networks", "health"],
)
def test_reading(site: Client, path: str, example: Any) -> None:
    for slash in ("", "/"):
        where, sign, query = path.partition("?")
        body = asked(site, "GET", where + slash + sign + query)
        assert unlike(example, body) == []


def test_the_list_holds_what_was_asked_for(site: Client) -> None:
    rows = asked(site, "GET", f"/v1/vms?{doc.VMS_QUERY}")["data"]["vms"]
    assert [(row["id"], row["name"], row["status"], row["environment"]) for row in rows] == [
        ("vm-001", "web-server-01", "running", "production"), ("vm-002", "web-server-02", "running", "production"),
    ]  # fmt: skip
    assert {row["security"]["encrypted"] for row in rows} == {False}


@pytest.mark.parametrize(
    "path",
    ["/v1/storage", "/v1/jobs", "/v1/vms/vm-001/snapshots", "/v1/monitoring/metrics", "/v1/info",
     "/v1/monitoring/vms/vm-001/metrics?period=1h&metrics=cpu,memory,disk,network"],
)  # fmt: skip
def test_reading_what_is_printed_without_an_answer(site: Client, path: str) -> None:
    body = asked(site, "GET", path)
    assert body["success"] is True and body["meta"].keys() >= doc.META.keys() and body["data"]


# -- making machines -------------------------------------------------------------------------------
def test_the_documented_machine_is_made(site: Client) -> None:
    begun = asked(site, "POST", "/v1/vms", doc.NEW_VM, status=201)
    assert unlike(doc.VM_BEGUN, begun) == []
    vm = begun["data"]["vm"]
    assert (vm["status"], vm["creation_job_id"]) == ("creating", f"job_create_{vm['id'].replace('-', '_')}")
    job = asked(site, "GET", f"/v1/jobs/{vm['creation_job_id']}")
    assert unlike(doc.JOB, job) == [] and job["data"]["job"]["type"] == "vm_creation"
    followed(site, vm["creation_job_id"])
    details.read_due()
    made = asked(site, "GET", f"/v1/vms/{vm['id']}")
    assert unlike(doc.VM, made) == []
    shown = made["data"]["vm"]
    (disk,), (card,) = shown["configuration"]["storage"], shown["configuration"]["network"]
    assert (shown["status"], shown["environment"], shown["security"]["encrypted"]) == ("running", "production", True)
    assert (disk["size_gb"], disk["encrypted"], card["vlan_id"], card["subnet"]) == (100, True, 100, "192.168.1.0/24")


def test_the_loop_of_the_python_client_ends_with_the_machine_running(site: Client) -> None:
    vm = asked(site, "POST", "/v1/vms", doc.SDK_VM, status=201)["data"]["vm"]
    followed(site, vm["creation_job_id"])
    (row,) = asked(site, "GET", "/v1/vms?status=running&name=test-vm")["data"]["vms"]
    assert (row["id"], row["cpu_cores"], row["memory_mb"]) == (vm["id"], 2, 4096)


# -- changing a machine ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "", doc.VM_UPDATE, "running"),
        ("POST", "/stop", doc.STOP, "stopped"),
        ("POST", "/start", None, "running"),
        ("POST", "/restart", None, "running"),
    ],
    ids=["update", "stop", "start", "restart"],
)
def test_changing(site: Client, method: str, path: str, body: Any, status: str) -> None:
    vm = asked(site, method, f"/v1/vms/vm-001{path}", body)["data"]["vm"]
    followed(site, vm["job_id"])
    assert asked(site, "GET", "/v1/vms/vm-001")["data"]["vm"]["status"] == status


def test_snapshots_are_taken_listed_and_restored(site: Client) -> None:
    made = asked(site, "POST", "/v1/vms/vm-001/snapshots", doc.SNAPSHOT, status=201)["data"]["snapshot"]
    followed(site, made["job_id"])
    (row,) = asked(site, "GET", "/v1/vms/vm-001/snapshots")["data"]["snapshots"]
    assert {name: row[name] for name in doc.SNAPSHOT} == doc.SNAPSHOT
    restored = asked(site, "POST", f"/v1/vms/vm-001/snapshots/{row['id']}/restore")["data"]["vm"]
    followed(site, restored["job_id"])
    assert asked(site, "GET", "/v1/vms/vm-001")["data"]["vm"]["status"] == "running"


@pytest.mark.parametrize("query", ["", "?force=true&keep_backups=true"])
def test_deleting(site: Client, query: str) -> None:
    followed(site, asked(site, "DELETE", f"/v1/vms/vm-002{query}")["data"]["vm"]["job_id"])
    assert send(site, "GET", "/v1/vms/vm-002").status_code == 404


# -- backups ---------------------------------------------------------------------------------------
def test_a_backup_is_made_listed_and_restored(site: Client) -> None:
    reading.read_due()
    made = asked(site, "POST", "/v1/backups", doc.BACKUP, status=201)["data"]["backup"]
    assert (made["vm_id"], made["encryption"], made["description"]) == ("vm-001", True, doc.BACKUP["description"])
    followed(site, made["job_id"])
    (row,) = asked(site, "GET", "/v1/backups")["data"]["backups"]
    assert (row["id"], row["status"], row["encryption"], row["storage"]) == (made["id"], "completed", True, "pbs")
    restored = asked(site, "POST", f"/v1/backups/{row['id']}/restore")["data"]["vm"]
    followed(site, restored["job_id"])
    assert asked(site, "GET", f"/v1/vms/{restored['id']}")["data"]["vm"]["name"] == "web-server-01-restored"


# -- networks --------------------------------------------------------------------------------------
def test_the_documented_network_is_made(site: Client) -> None:
    begun = asked(site, "POST", "/v1/networks", doc.NEW_NETWORK, status=201)["data"]["network"]
    followed(site, begun["job_id"])
    body = asked(site, "GET", "/v1/networks")
    assert unlike(doc.NETWORKS, body) == []
    row = next(row for row in body["data"]["networks"] if row["id"] == begun["id"])
    same = ("name", "type", "vlan_id", "subnet", "gateway", "dns_servers", "dhcp_range")
    assert {name: row[name] for name in same} == {name: doc.NEW_NETWORK[name] for name in same}
    assert (row["dhcp_enabled"], row["status"]) == (False, "active")
    assert "VLAN 200 has to serve it" in begun["notes"][0]


# -- backups ---------------------------------------------------------------------------------------
def test_the_documented_backup_is_made_and_restored(site: Client) -> None:
    server = {"name": "safe", "type": "pbs", "server": "10.0.0.9", "datastore": "d", "username": "alma@pbs",
              "password": "of-the-server", "encryption_key": "of-the-backups"}  # fmt: skip
    assert send(site, "POST", "/v1/backups", doc.BACKUP).json()["error"]["details"]["field"] == "encryption"
    followed(site, asked(site, "POST", "/v1/storage", server, status=201)["data"]["storage"]["job_id"])
    look()
    begun = asked(site, "POST", "/v1/backups", doc.BACKUP, status=201)["data"]["backup"]
    followed(site, begun["job_id"])
    (row,) = asked(site, "GET", "/v1/backups")["data"]["backups"]
    assert (row["id"], row["status"], row["encryption"], row["description"]) == (
        begun["id"], "completed", True, "Monthly full backup",
    )  # fmt: skip
    restored = asked(site, "POST", f"/v1/backups/{row['id']}/restore")["data"]["vm"]
    followed(site, restored["job_id"])
    assert asked(site, "GET", f"/v1/vms/{restored['id']}")["data"]["vm"]["status"] in {"running", "stopped"}


# -- the rest --------------------------------------------------------------------------------------
def test_scanning(site: Client) -> None:
    begun = asked(site, "POST", "/v1/security/scans", doc.SCAN, status=201)
    assert unlike(doc.SCAN_BEGUN, begun) == []
    scan = begun["data"]["scan"]
    engine.advance(Job.objects.get(kind="scan").pk)
    assert asked(site, "GET", f"/v1/security/scans/{scan['id']}")["data"]["scan"]["id"] == scan["id"]


def test_cancelling_a_job(site: Client) -> None:
    job_id = asked(site, "POST", "/v1/vms/vm-001/restart")["data"]["vm"]["job_id"]
    assert asked(site, "DELETE", f"/v1/jobs/{job_id}")["data"]["job"]["status"] in {"running", "cancelled"}


def test_a_webhook(site: Client) -> None:
    made = asked(site, "POST", "/v1/webhooks", doc.WEBHOOK, status=201)["data"]["webhook"]
    assert {name: made[name] for name in ("url", "events", "active")} == {
        name: doc.WEBHOOK[name] for name in ("url", "events", "active")
    }
    assert doc.WEBHOOK["secret"] not in str(asked(site, "GET", "/v1/webhooks"))
