"""The stock client, proxmoxer, over verified TLS."""

import concurrent.futures
import ssl
from pathlib import Path

import proxmoxer
import pytest
import requests

from tests.fixtures.sandbox import RunningSandbox, wait_for_task
from vms.sandbox import credentials


def test_by_token_and_by_ticket(sandbox: RunningSandbox) -> None:
    assert sandbox.proxmoxer().version.get()["release"] == "9.2"
    assert sandbox.proxmoxer(ticket=True).version.get()["release"] == "9.2"


def test_a_wrong_password_is_an_authentication_error(sandbox: RunningSandbox) -> None:
    with pytest.raises(proxmoxer.AuthenticationError):
        sandbox.proxmoxer(ticket=True, password="wrong")


def test_the_certificate_is_verified(sandbox: RunningSandbox) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        proxmoxer.ProxmoxAPI(
            sandbox.host, port=sandbox.port, user=sandbox.user, password=sandbox.password, verify_ssl=True
        )


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_the_certificate_names_every_local_address(sandbox: RunningSandbox, host: str) -> None:
    context = ssl.create_default_context(cafile=sandbox.ca_path)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    answer = requests.get(
        f"https://{host}:{sandbox.port}/api2/json/version", headers={"Authorization": sandbox.authorization},
        verify=sandbox.ca_path, timeout=5,
    )  # fmt: skip
    assert answer.status_code == 200
    ssl.get_server_certificate((host, sandbox.port), ca_certs=sandbox.ca_path, timeout=5)


def test_errors_reach_the_client(sandbox: RunningSandbox) -> None:
    with pytest.raises(proxmoxer.ResourceException) as caught:
        sandbox.proxmoxer().nodes("pve1").qemu.post(vmid=101, cores="two")
    assert caught.value.status_code == 400
    assert caught.value.errors == {"cores": "type check ('integer') failed - got 'two'"}
    with pytest.raises(proxmoxer.ResourceException) as caught:
        sandbox.proxmoxer().nodes("pve1").qemu.post(vmid=101)
    assert caught.value.content == "unable to create VM 101 - VM 101 already exists on node 'pve1'"


def test_offline_nodes_answer_595(fresh_sandbox: RunningSandbox) -> None:
    fresh_sandbox.core.faults.take_offline("pve2")
    with pytest.raises(proxmoxer.ResourceException) as caught:
        fresh_sandbox.proxmoxer().nodes("pve2").qemu.get()
    assert caught.value.status_code == 595 and caught.value.content == "No route to host"


def test_many_clients_at_once_make_every_guest_once(fresh_sandbox: RunningSandbox) -> None:
    def make(vmid: int) -> str:
        client = fresh_sandbox.proxmoxer()
        upid = client.nodes("pve1").qemu(9000).clone.post(newid=vmid, name=f"web-{vmid}", full=1, storage="local-lvm")
        assert wait_for_task(client, upid, timeout=20) == "OK"
        return wait_for_task(client, client.nodes("pve1").qemu(vmid).status.start.post(), timeout=20)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(make, range(300, 324))) == {"OK"}
    assert all(
        fresh_sandbox.count("POST", "/nodes/{node}/qemu/{vmid}/status/start", vmid) == 1 for vmid in range(300, 324)
    )
    macs = [guest.config["net0"] for guest in fresh_sandbox.core.state.guests if "net0" in guest.config]
    assert len(macs) == len(set(macs))


def test_credentials_are_kept_and_private(tmp_path: Path) -> None:
    first = credentials.ensure(tmp_path)
    assert credentials.ensure(tmp_path) == first
    assert first.token_id == "root@pam!alma" and first.user == "root@pam"
    for name in ("credentials.json", "key.pem"):
        assert (tmp_path / "sandbox" / name).stat().st_mode & 0o077 == 0
    assert first.password not in repr(first) and first.token_secret not in repr(first)


def test_credentials_of_two_processes_agree(tmp_path: Path) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert len({one.token_secret for one in pool.map(credentials.ensure, [tmp_path] * 8)}) == 1
