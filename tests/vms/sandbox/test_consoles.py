"""Tickets for screens and terminals, as a node hands them out."""

import re
from dataclasses import replace

import pytest

from tests.vms.sandbox.driving import Cluster
from vms.sandbox.core.identity import Identity

VM, CT = "/nodes/pve1/qemu/101", "/nodes/pve1/lxc/201"
TICKET = re.compile(r"(.{8}:)?PVEVNC:[0-9A-F]{8}::[A-Za-z0-9+/=]+")
PRIVILEGES = {"path": "/vms/101", "privs": "VM.Console", "authid": "root@pam"}


def socket(cluster: Cluster, told: dict, path: str = VM, **changed: object) -> object:
    given = {"port": told["port"], "vncticket": told["ticket"]} | changed
    return cluster.get(f"{path}/vncwebsocket", **given)


def test_a_screen(cluster: Cluster) -> None:
    told = cluster.post(f"{VM}/vncproxy", websocket=1)
    assert told.keys() == {"user", "ticket", "password", "port", "upid", "cert"}
    assert (told["user"], told["port"]) == ("root@pam", "5900")
    assert TICKET.fullmatch(told["ticket"]) and told["ticket"].startswith(f"{told['password']}:PVEVNC:")
    assert ":vncproxy:101:root@pam:" in told["upid"]
    assert socket(cluster, told) == {"port": "5900"}
    assert cluster.finish(told["upid"]) == "connection timed out", "nobody ever comes"


def test_a_terminal(cluster: Cluster) -> None:
    for path in (VM, CT):
        told = cluster.post(f"{path}/termproxy")
        assert told.keys() == {"user", "ticket", "port", "upid"}
        assert told["ticket"].startswith("PVEVNC:")
        assert socket(cluster, told, path) == {"port": told["port"]}
        assert "termproxy" in cluster.finish(told["upid"])


def test_a_container_has_a_password_on_a_socket_only(cluster: Cluster) -> None:
    assert "password" not in cluster.post(f"{CT}/vncproxy", width=800)
    assert "password" in cluster.post(f"{CT}/vncproxy", websocket=1)


def test_each_has_a_port_of_its_own_while_it_waits(cluster: Cluster) -> None:
    first, second = cluster.post(f"{VM}/vncproxy"), cluster.post(f"{CT}/termproxy")
    assert (first["port"], second["port"]) == ("5900", "5901")
    cluster.finish(first["upid"])
    assert cluster.post(f"{VM}/vncproxy")["port"] == "5900"


def test_the_worker_runs_on_the_node_that_was_asked(cluster: Cluster) -> None:
    assert cluster.post("/nodes/pve2/qemu/102/vncproxy")["upid"].startswith("UPID:pve1:")


@pytest.mark.parametrize("changed", [{"port": 5901}, {"vncticket": "PVEVNC:00000000::abcd"}, {"vncticket": "x"}])
def test_a_ticket_that_is_not_right(cluster: Cluster, changed: dict) -> None:
    told = cluster.post(f"{VM}/vncproxy")
    given = {"port": told["port"], "vncticket": told["ticket"]} | changed
    refusal = cluster.refusal("GET", f"{VM}/vncwebsocket", **given)
    assert (refusal.status, refusal.message) == (401, "permission denied - invalid PVEVNC ticket")


def test_a_ticket_is_for_one_guest_one_person_and_forty_seconds(cluster: Cluster) -> None:
    told = cluster.post(f"{VM}/vncproxy")
    given = {"port": told["port"], "vncticket": told["ticket"]}
    assert cluster.refusal("GET", "/nodes/pve1/qemu/110/vncwebsocket", **given).status == 401
    token = replace(cluster, identity=Identity("root@pam", "alma"))
    assert token.refusal("GET", f"{VM}/vncwebsocket", **given).status == 401
    cluster.clock.move_to(cluster.core.world.now() + 41)
    assert cluster.refusal("GET", f"{VM}/vncwebsocket", **given).status == 401


def test_a_proxy_asks_whether_a_ticket_is_right(cluster: Cluster) -> None:
    told = cluster.post(f"{VM}/termproxy")
    asked = {**PRIVILEGES, "vncticket": told["ticket"], "port": told["port"]}
    assert cluster.post("/access/vncticket", **asked) is None
    for changed in ({"port": 5999}, {"authid": "eve@pve"}, {"path": "/vms/110"}, {"privs": "VM.Nothing"}):
        assert cluster.answer("POST", "/access/vncticket", **asked | changed).status in {400, 401}


def test_what_is_not_there(cluster: Cluster) -> None:
    words = "Configuration file 'nodes/pve1/qemu-server/999.conf' does not exist"
    assert cluster.refusal("POST", "/nodes/pve1/qemu/999/vncproxy").message == words
