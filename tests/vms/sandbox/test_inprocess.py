"""The core behind `requests`: the stock client and our driver run on it without a socket, in the words of the wire."""

from collections.abc import Iterator

import proxmoxer
import pytest
import requests

from alma.jobs.kinds import Unknown
from tests.factories.vms import make_cluster as make_row
from tests.fixtures.sandbox import RunningSandbox, wait_for_task
from tests.vms.sandbox.driving import SECRETS, Cluster
from vms.proxmox import tasks
from vms.proxmox.client import Api, carried_by, connect
from vms.proxmox.cluster import read
from vms.sandbox.core.clock import ManualClock
from vms.sandbox.core.state import State
from vms.sandbox.core.world import Options
from vms.sandbox.credentials import SandboxCredentials
from vms.sandbox.inprocess import SandboxAdapter, client
from vms.sandbox.opening import build


@pytest.fixture
def stock(cluster: Cluster) -> Iterator[proxmoxer.ProxmoxAPI]:
    api = client(cluster.core, SECRETS, is_hurried=True)
    yield api
    api._store["session"].close()


def test_the_stock_client_makes_a_machine_while_the_wall_clock_stands(stock: proxmoxer.ProxmoxAPI) -> None:
    upid = stock.nodes("pve1").qemu(9000).clone.post(newid=300, name="web", full=1, storage="local-lvm")
    assert wait_for_task(stock, upid) == "OK"
    stock.nodes("pve1").qemu(300).config.put(cores=4, ciuser="ops")
    assert wait_for_task(stock, stock.nodes("pve1").qemu(300).status.start.post()) == "OK"
    assert stock.nodes("pve1").qemu(300).config.get()["cores"] == 4
    assert stock.nodes("pve1").qemu(300).status.current.get()["status"] == "running"
    log = stock.nodes("pve1").tasks(upid).log.get()
    assert log[-1]["t"] == "TASK OK"


def test_errors_read_as_over_the_wire(stock: proxmoxer.ProxmoxAPI, sandbox: RunningSandbox) -> None:
    def refusal(api: proxmoxer.ProxmoxAPI, **params: object) -> tuple:
        with pytest.raises(proxmoxer.ResourceException) as caught:
            api.nodes("pve1").qemu.post(**params)
        return caught.value.status_code, caught.value.content, caught.value.errors

    for params in ({"vmid": 101}, {"vmid": 500, "cores": "two"}, {"vmid": 500, "scsi0": "nowhere:1"}):
        assert refusal(stock, **params) == refusal(sandbox.proxmoxer(), **params)


def test_answers_have_the_headers_of_the_wire(cluster: Cluster, sandbox: RunningSandbox) -> None:
    with requests.Session() as session:
        session.mount("https://", SandboxAdapter(cluster.core))
        here = session.get("https://sandbox/api2/json/version", headers={"Authorization": SECRETS.authorization})
        anonymous = session.get("https://sandbox/api2/json/nodes")
        odd = session.request("PATCH", "https://sandbox/api2/json/nodes")
    there = requests.get(
        f"{sandbox.url}/api2/json/version", headers={"Authorization": sandbox.authorization}, verify=sandbox.ca_path,
        timeout=5,
    )  # fmt: skip
    assert here.json() == there.json() and here.reason == there.reason
    assert set(here.headers) <= set(there.headers)
    assert (anonymous.status_code, anonymous.content) == (401, b"")
    assert (odd.status_code, odd.reason) == (501, "method 'PATCH' not available")


def test_lost_answers_are_connection_errors_with_and_without_the_effect(
    cluster: Cluster, stock: proxmoxer.ProxmoxAPI
) -> None:
    for lose, is_made in ((cluster.core.faults.lose_request, False), (cluster.core.faults.lose_answer, True)):
        lose("POST", "/nodes/*/qemu")
        with pytest.raises(requests.ConnectionError):
            stock.nodes("pve1").qemu.post(vmid=300)
        assert (300 in cluster.core.state.guests) == is_made


def test_a_lock_is_waited_for_on_the_clock(cluster: Cluster) -> None:
    api = client(cluster.core, SECRETS)
    cluster.machine(300)
    cluster.core.faults.slow_down(4, "qmstart")
    api.nodes("pve1").qemu(300).status.start.post()
    began = cluster.clock.now()
    api.nodes("pve1").qemu(300).config.put(description="after the lock")
    assert cluster.clock.now() - began >= 4
    api._store["session"].close()


@pytest.mark.django_db
def test_our_driver_runs_on_it_and_never_reaches_the_cluster(sandbox: RunningSandbox) -> None:
    row = make_row(sandbox)
    secrets = SandboxCredentials(
        "root@pam", "", sandbox.token_id, sandbox.token_secret, SECRETS.ticket_key, sandbox.ca_path
    )
    core = build(State(), ManualClock(), Options(), secrets)
    with carried_by(row, SandboxAdapter(core, is_hurried=True)) as api:
        assert connect(row) is api
        assert [node.name for node in read(api).nodes] == ["pve1", "pve2", "pve3"]
        upid = tasks.started(api.post("nodes", "pve1", "qemu", vmid=4321, name="rehearsed"))
        assert tasks.read(api, upid).outcome == tasks.Outcome.OK
        core.faults.lose_answer()
        with pytest.raises(Unknown, match="connection to the cluster broke"):
            api.get("version")
    after: Api = connect(row)
    assert after is not api and core.state.guests.get(4321) is not None
    assert sandbox.core.state.guests.get(4321) is None
    after.close()
