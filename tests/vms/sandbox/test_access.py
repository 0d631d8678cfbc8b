"""Users, tokens, grants and what they may do."""

import pytest

from tests.vms.sandbox.driving import Cluster
from vms.sandbox.core.authentication import Unauthorized, issue_csrf_token, issue_ticket
from vms.sandbox.core.identity import Identity


@pytest.fixture
def team(cluster: Cluster) -> Cluster:
    """A user with a separated and an unseparated token, and no rights yet."""
    cluster.post("/access/users", userid="ada@pve", password="engine-1842")
    for name, privsep in (("narrow", 1), ("wide", 0)):
        cluster.post(f"/access/users/ada@pve/token/{name}", privsep=privsep)
    return cluster


def _as(cluster: Cluster, user: str, token: str = "", *, privsep: bool = False) -> Cluster:
    return Cluster(cluster.core, cluster.clock, Identity(user, token, privsep))


def _headers(cluster: Cluster, value: str) -> Identity:
    return cluster.core.authenticate("GET", "/version", {"Authorization": value})


def test_token_life(cluster: Cluster) -> None:
    made = cluster.post("/access/users/root@pam/token/ci", comment="CI")
    assert made["full-tokenid"] == "root@pam!ci" and made["info"]["privsep"] == 1
    header = f"PVEAPIToken=root@pam!ci={made['value']}"
    assert _headers(cluster, header) == Identity("root@pam", "ci", privsep=True)
    assert cluster.refusal("POST", "/access/users/root@pam/token/ci").errors == {"tokenid": "Token already exists."}
    assert {row["tokenid"] for row in cluster.get("/access/users/root@pam/token")} == {"alma", "ci"}
    assert cluster.put("/access/users/root@pam/token/ci", expire=1) == {"expire": "1", "privsep": 1, "comment": "CI"}
    with pytest.raises(Unauthorized):
        _headers(cluster, header)
    cluster.delete("/access/users/root@pam/token/ci")
    assert {row["tokenid"] for row in cluster.get("/access/users/root@pam/token")} == {"alma"}


def test_tickets_expire_and_belong_to_their_user(team: Cluster) -> None:
    ticket = issue_ticket(team.core.world, "ada@pve")
    cookie = {"Cookie": f"PVEAuthCookie={ticket}"}
    assert team.core.authenticate("GET", "/version", cookie) == Identity("ada@pve")
    forged = {"Cookie": f"PVEAuthCookie={ticket.replace('ada@pve', 'root@pam')}"}
    with pytest.raises(Unauthorized, match="Authentication failed!"):
        team.core.authenticate("GET", "/version", forged)
    foreign = {**cookie, "CSRFPreventionToken": issue_csrf_token(team.core.world, "root@pam")}
    with pytest.raises(Unauthorized, match="Permission denied - invalid csrf token"):
        team.core.authenticate("POST", "/pools", foreign)
    team.clock.advance(2 * 3600)
    with pytest.raises(Unauthorized):
        team.core.authenticate("GET", "/version", cookie)


def test_login_without_a_ticket_only_where_it_is_allowed(cluster: Cluster) -> None:
    assert cluster.core.authenticate("GET", "/access/domains", {}).user == ""
    with pytest.raises(Unauthorized, match="No ticket"):
        cluster.core.authenticate("GET", "/nodes", {})


def test_methods_that_want_a_ticket_refuse_tokens(cluster: Cluster) -> None:
    by_token = _as(cluster, "root@pam", "alma")
    refused = by_token.refusal("PUT", "/access/password", userid="root@pam", password="something-new")
    assert refused.message.startswith(
        "Permission check failed (URI '/access/password' not available with API token, need proper ticket."
    )


def test_without_rights_lists_are_filtered_and_the_rest_is_refused(team: Cluster) -> None:
    ada = _as(team, "ada@pve")
    assert ada.get("/cluster/resources", type="vm") == []
    assert ada.get("/nodes/pve1/qemu") == [] and ada.get("/storage") == []
    assert ada.refusal("GET", "/nodes/pve1/qemu/101/config").message == "Permission check failed (/vms/101, VM.Audit)"
    assert ada.refusal("POST", "/nodes/pve1/qemu", vmid=300).status == 403
    assert ada.refusal("GET", "/sandbox/faults").message == "Permission check failed (user != root@pam)"


def test_grants_are_inherited_and_separated_tokens_have_their_own(team: Cluster) -> None:
    team.put("/access/acl", path="/vms", roles="PVEVMAdmin", users="ada@pve")
    ada = _as(team, "ada@pve")
    assert {row["vmid"] for row in ada.get("/nodes/pve1/qemu")} >= {101, 110}
    assert ada.get("/access/permissions", path="/vms/101")["/vms/101"]["VM.Audit"] == 1
    assert len(_as(team, "ada@pve", "wide").get("/nodes/pve1/qemu")) == len(ada.get("/nodes/pve1/qemu"))
    narrow = _as(team, "ada@pve", "narrow", privsep=True)
    assert narrow.get("/nodes/pve1/qemu") == []
    team.put("/access/acl", path="/vms/101", roles="PVEAdmin", tokens="ada@pve!narrow")
    assert [row["vmid"] for row in narrow.get("/nodes/pve1/qemu")] == [101]
    assert "Sys.Audit" not in narrow.get("/access/permissions", path="/vms/101")["/vms/101"]


def test_the_nearest_grant_wins_and_no_access_stops(team: Cluster) -> None:
    team.put("/access/acl", path="/vms", roles="PVEVMAdmin", users="ada@pve")
    team.put("/access/acl", path="/vms/101", roles="NoAccess", users="ada@pve")
    assert _as(team, "ada@pve").refusal("GET", "/nodes/pve1/qemu/101/config").status == 403
    team.put("/access/acl", path="/vms/101", roles="NoAccess", users="ada@pve", delete=1)
    assert _as(team, "ada@pve").get("/nodes/pve1/qemu/101/config")["name"] == "dns-1"


def test_pool_rights_reach_its_members(team: Cluster) -> None:
    team.put("/access/acl", path="/pool/infrastructure", roles="PVEVMUser", users="ada@pve")
    ada = _as(team, "ada@pve")
    assert {row["vmid"] for row in ada.get("/cluster/resources", type="vm")} == {101, 102, 201, 202}
    assert ada.refusal("DELETE", "/nodes/pve1/qemu/101").message == "Permission check failed (/vms/101, VM.Allocate)"


def test_options_of_root_alone_are_refused_to_roots_tokens(cluster: Cluster) -> None:
    by_token = _as(cluster, "root@pam", "alma")
    refused = by_token.refusal("POST", "/nodes/pve1/qemu/101/status/stop", skiplock=1)
    assert refused.errors == {"skiplock": "Only root may use this option."}
    assert (
        by_token.refusal("PUT", "/nodes/pve1/qemu/101/config", args="-s").message == "only root can set 'args' config"
    )


def test_users(team: Cluster) -> None:
    assert {row["userid"] for row in team.get("/access/users")} == {"root@pam", "ada@pve"}
    assert "user 'ada@pve' already exists" in team.refusal("POST", "/access/users", userid="ada@pve").message
    assert set(team.get("/access/users/ada@pve")["tokens"]) == {"narrow", "wide"}
    assert team.post("/access/ticket", username="ada@pve", password="engine-1842")["username"] == "ada@pve"
    assert team.refusal("POST", "/access/ticket", username="ada@pve", password="x").status == 401
    team.delete("/access/users/ada@pve")
    assert not [row for row in team.core.state.tokens if row.userid == "ada@pve"]
    assert team.refusal("POST", "/access/ticket", username="ada@pve", password="engine-1842").status == 401
