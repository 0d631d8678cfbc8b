"""What the guest agent answers, and when nobody does."""

import base64

import pytest

from tests.vms.sandbox.driving import Cluster
from tests.vms.sandbox.test_rights import admit

AGENT = "/nodes/pve1/qemu/101/agent"


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("GET", "get-fsinfo"), ("GET", "get-host-name"), ("GET", "get-memory-block-info"), ("GET", "get-memory-blocks"),
        ("GET", "get-osinfo"), ("GET", "get-time"), ("GET", "get-timezone"), ("GET", "get-users"), ("GET", "get-vcpus"),
        ("GET", "info"), ("GET", "network-get-interfaces"), ("POST", "ping"), ("POST", "fstrim"),
        ("POST", "fsfreeze-status"),
    ],
)  # fmt: skip
def test_every_answer_is_a_result(cluster: Cluster, method: str, name: str) -> None:
    answer = cluster.call(method, f"{AGENT}/{name}")
    assert list(answer) == ["result"]
    assert cluster.post(AGENT, command=name) == answer


def test_what_some_tell(cluster: Cluster) -> None:
    def result(name: str) -> object:
        return cluster.get(f"{AGENT}/{name}")["result"]

    assert result("get-host-name") == {"host-name": "dns-1"}
    assert result("get-vcpus") == [{"logical-id": 0, "online": True, "can-offline": False}]
    assert result("get-memory-block-info") == {"size": 128 * 2**20}
    assert len(result("get-memory-blocks")) == 8  # type: ignore[arg-type]
    lo, eth0 = result("network-get-interfaces")  # type: ignore[misc]
    assert lo["name"] == "lo" and lo["ip-addresses"][0] == {
        "ip-address": "127.0.0.1", "ip-address-type": "ipv4", "prefix": 8,
    }  # fmt: skip
    assert eth0["name"] == "eth0" and eth0["statistics"]["rx-bytes"] > 0


@pytest.mark.parametrize(
    ("set_up", "is_started", "text"),
    [
        ({}, True, "No QEMU guest agent configured"),
        ({"agent": "0"}, True, "No QEMU guest agent configured"),
        ({"agent": "1"}, False, "VM 100 is not running"),
        ({"agent": "1"}, True, "QEMU guest agent is not running"),
    ],
)
def test_when_nobody_answers(cluster: Cluster, set_up: dict, is_started: bool, text: str) -> None:
    cluster.machine(**set_up)
    if is_started:
        cluster.power(100, "start")
    refused = cluster.refusal("POST", "/nodes/pve1/qemu/100/agent/ping")
    assert (refused.status, refused.message) == (500, text)


@pytest.mark.parametrize(
    ("command", "code", "out", "err"),
    [
        (["echo", "a", "b"], 0, "a b\n", ""),
        (["/usr/bin/hostname"], 0, "dns-1\n", ""),
        (["false"], 1, "", ""),
        (["cat", "/etc/hostname"], 0, "dns-1\n", ""),
        (["cat", "/nope"], 1, "", "cat: /nope: No such file or directory\n"),
        (["sh", "-c", "echo one && false && echo two"], 1, "one\n", ""),
    ],
)
def test_programs(cluster: Cluster, command: list, code: int, out: str, err: str) -> None:
    pid = cluster.post(f"{AGENT}/exec", command=command)["pid"]
    told = {"exited": 1, "exitcode": code} | ({"out-data": out} if out else {}) | ({"err-data": err} if err else {})
    assert cluster.get(f"{AGENT}/exec-status", pid=pid) == told
    assert cluster.refusal("GET", f"{AGENT}/exec-status", pid=pid).message == f"Agent error: PID {pid} does not exist"


def test_a_program_that_is_not_there(cluster: Cluster) -> None:
    refused = cluster.refusal("POST", f"{AGENT}/exec", command=["apt-get", "update"])
    assert refused.status == 500 and 'Failed to execute child process "apt-get"' in refused.message


def test_files(cluster: Cluster) -> None:
    assert cluster.post(f"{AGENT}/file-write", file="/srv/x", content="héllo") is None
    assert cluster.get(f"{AGENT}/file-read", file="/srv/x") == {"content": "héllo"}
    assert cluster.get(f"{AGENT}/file-read", file="/srv/x", count=1) == {"content": "h", "truncated": 1}
    packed = base64.b64encode(b"\x00\x01").decode()
    cluster.post(f"{AGENT}/file-write", file="/srv/y", content=packed, encode=0)
    assert cluster.get(f"{AGENT}/file-read", file="/srv/y", decode=0) == {"content": packed}
    pid = cluster.post(f"{AGENT}/exec", command=["cat", "/srv/x"])["pid"]
    assert cluster.get(f"{AGENT}/exec-status", pid=pid)["out-data"] == "héllo"
    refused = cluster.refusal("GET", f"{AGENT}/file-read", file="/nope")
    assert refused.message == "Agent error: failed to open file '/nope' (mode: 'r'): No such file or directory"


def test_freeze_and_thaw(cluster: Cluster) -> None:
    assert cluster.post(f"{AGENT}/fsfreeze-freeze") == {"result": 1}
    assert cluster.post(f"{AGENT}/fsfreeze-status") == {"result": "frozen"}
    assert "has been disabled" in cluster.refusal("POST", f"{AGENT}/exec", command=["true"]).message
    assert cluster.post(f"{AGENT}/fsfreeze-thaw") == {"result": 1}
    assert cluster.post(f"{AGENT}/fsfreeze-status") == {"result": "thawed"}


def test_shutdown_through_the_agent(cluster: Cluster) -> None:
    assert cluster.post(f"{AGENT}/shutdown") == {"result": None}
    assert cluster.get("/nodes/pve1/qemu/101/status/current")["status"] == "stopped"


def test_passwords_and_what_is_not_modelled(cluster: Cluster) -> None:
    assert cluster.post(f"{AGENT}/set-user-password", username="root", password="secret") == {"result": {}}
    assert cluster.refusal("POST", f"{AGENT}/set-user-password", username="eve", password="secret").status == 500
    assert cluster.refusal("POST", f"{AGENT}/suspend-ram").status == 501
    assert cluster.refusal("POST", AGENT, command="suspend-ram").status == 501


@pytest.mark.parametrize(
    ("role", "method", "name", "is_allowed"),
    [
        ("PVEAuditor", "GET", "get-osinfo", True), ("PVEAuditor", "POST", "exec", False),
        ("PVEAuditor", "GET", "file-read", False), ("PVEVMUser", "GET", "file-read", True),
        ("PVEVMUser", "POST", "fstrim", True), ("PVEVMUser", "POST", "exec", False),
        ("PVEVMAdmin", "POST", "exec", True), ("PVETemplateUser", "GET", "get-osinfo", False),
    ],
)  # fmt: skip
def test_rights(cluster: Cluster, role: str, method: str, name: str, is_allowed: bool) -> None:
    params: dict = {"exec": {"command": ["true"]}, "file-read": {"file": "/etc/hostname"}}.get(name, {})
    answer = admit(cluster, ("/vms/101", role)).answer(method, f"{AGENT}/{name}", **params)
    assert answer.status == (200 if is_allowed else 403)


def test_a_machine_keeps_its_address_until_it_boots_again(cluster: Cluster) -> None:
    clone = cluster.post("/nodes/pve1/qemu/9000/clone", newid=300, full=1)
    cluster.finish(clone)
    cluster.put("/nodes/pve1/qemu/300/config", ipconfig0="ip=10.0.0.5/24", agent="1")
    cluster.power(300, "start")
    cluster.clock.advance(30)

    def address() -> str:
        rows = cluster.get("/nodes/pve1/qemu/300/agent/network-get-interfaces")["result"]
        return str(rows[1]["ip-addresses"][0]["ip-address"])

    assert address() == "10.0.0.5"
    cluster.put("/nodes/pve1/qemu/300/config", ipconfig0="ip=10.0.0.6/24")
    assert address() == "10.0.0.5"
    cluster.power(300, "reboot")
    cluster.clock.advance(30)
    assert address() == "10.0.0.6"
