"""Users in groups, roles that somebody made, realms, and who may rule over them."""

from typing import Any

import pytest

from tests.vms.sandbox.driving import Cluster
from vms.sandbox.core.identity import Identity

LOCKED = "error during cfs-locked 'file-user_cfg' operation: "


@pytest.fixture
def team(cluster: Cluster) -> Cluster:
    """A group with one of two users in it."""
    cluster.post("/access/groups", groupid="ops", comment="Operators")
    cluster.post("/access/users", userid="ada@pve", groups="ops", email="ada@example.org")
    cluster.post("/access/users", userid="bob@pve", enable=0)
    return cluster


def _as(cluster: Cluster, user: str) -> Cluster:
    return Cluster(cluster.core, cluster.clock, Identity(user))


def test_groups_and_their_members(team: Cluster) -> None:
    assert team.get("/access/groups") == [{"groupid": "ops", "comment": "Operators", "users": "ada@pve"}]
    assert team.get("/access/groups/ops") == {"comment": "Operators", "members": ["ada@pve"]}
    assert team.get("/access/users/ada@pve")["groups"] == ["ops"]
    team.put("/access/users/bob@pve", groups="ops", append=1)
    team.put("/access/users/ada@pve", groups="")
    assert team.get("/access/groups/ops")["members"] == ["bob@pve"]
    team.delete("/access/users/bob@pve")
    assert team.get("/access/groups/ops")["members"] == []
    team.delete("/access/groups/ops")
    assert team.get("/access/groups") == []


def test_lists_of_users(team: Cluster) -> None:
    rows = team.get("/access/users", full=1)
    assert [row["userid"] for row in rows] == ["ada@pve", "bob@pve", "root@pam"]
    assert (rows[0]["groups"], rows[0]["tokens"], rows[0]["realm-type"]) == ("ops", [], "pve")
    assert [row["userid"] for row in team.get("/access/users", enabled=0)] == ["bob@pve"]
    assert [row["userid"] for row in _as(team, "ada@pve").get("/access/users")] == ["ada@pve"]


@pytest.mark.parametrize(
    ("method", "path", "params", "message"),
    [
        ("POST", "/access/users", {"userid": "ada@pve"}, f"create user failed: {LOCKED}user 'ada@pve' already exists"),
        ("POST", "/access/users", {"userid": "eve@pve", "groups": "no"}, f"create user failed: {LOCKED}no such group 'no'"),
        ("POST", "/access/users", {"userid": "eve@nowhere"}, f"create user failed: {LOCKED}auth domain 'nowhere' does not exist"),
        ("PUT", "/access/users/eve@pve", {"enable": 0}, "no such user ('eve@pve')"),
        ("POST", "/access/groups", {"groupid": "ops"}, f"create group failed: {LOCKED}group 'ops' already exists"),
        ("DELETE", "/access/groups/none", {}, f"delete group failed: {LOCKED}group 'none' does not exist"),
        ("PUT", "/access/roles/PVEAdmin", {"privs": "VM.Audit"}, "auto-generated role 'PVEAdmin' cannot be modified"),
        ("DELETE", "/access/roles/Mine", {}, f"delete role failed: {LOCKED}role 'Mine' does not exist"),
        ("POST", "/access/domains", {"realm": "pve", "type": "ldap"},
         "add auth server failed: error during cfs-locked 'file-domains_cfg' operation: domain 'pve' already exists"),
        ("PUT", "/access/acl", {"path": "/vms", "roles": "Nope", "users": "ada@pve"}, f"ACL update failed: {LOCKED}role 'Nope' does not exist"),
        ("PUT", "/access/acl", {"path": "/vms", "roles": "PVEAdmin", "groups": "no"}, f"ACL update failed: {LOCKED}group 'no' does not exist"),
    ],
)  # fmt: skip
def test_refusals(team: Cluster, method: str, path: str, params: dict[str, Any], message: str) -> None:
    refused = team.refusal(method, path, **params)
    assert (refused.status, refused.message) == (500, message)


def test_refused_parameters(team: Cluster) -> None:
    assert team.refusal("POST", "/access/roles", roleid="PVEmine").errors == {
        "roleid": "cannot use role ID starting with the (case-insensitive) 'PVE' namespace"
    }
    assert team.refusal("POST", "/access/roles", roleid="Mine", privs="VM.Fly").errors == {
        "privs": "invalid format - invalid privilege 'VM.Fly'\n"
    }
    words = "either 'users', 'groups' or 'tokens' is required."
    assert team.refusal("PUT", "/access/acl", path="/vms", roles="PVEAdmin").errors == dict.fromkeys(
        ("users", "groups", "tokens"), words
    )
    assert team.refusal("PUT", "/access/acl", path="/moon", roles="PVEAdmin", users="ada@pve").errors == {
        "path": "invalid ACL path '/moon'"
    }


def test_groups_hold_rights_until_the_user_has_some(team: Cluster) -> None:
    team.put("/access/acl", path="/vms", roles="PVEVMAdmin", groups="ops")
    ada = _as(team, "ada@pve")
    assert ada.get("/nodes/pve1/qemu/101/config")["name"] == "dns-1"
    team.put("/access/acl", path="/vms", roles="NoAccess", users="ada@pve")
    assert ada.refusal("GET", "/nodes/pve1/qemu/101/config").status == 403
    team.put("/access/acl", path="/vms", roles="NoAccess", users="ada@pve", delete=1)
    assert {(row["type"], row["ugid"]) for row in team.get("/access/acl")} == {("group", "ops")}
    team.delete("/access/groups/ops")
    assert team.get("/access/acl") == []


def test_what_does_not_propagate_is_for_its_path_alone(team: Cluster) -> None:
    team.put("/access/acl", path="/vms", roles="PVEAuditor", users="ada@pve", propagate=0)
    held = _as(team, "ada@pve").get("/access/permissions")
    assert held["/vms"]["VM.Audit"] == 0
    assert _as(team, "ada@pve").refusal("GET", "/nodes/pve1/qemu/101/config").status == 403


def test_made_roles(team: Cluster) -> None:
    team.post("/access/roles", roleid="Watcher", privs="VM.Audit,Sys.Audit")
    team.put("/access/roles/Watcher", privs="Datastore.Audit", append=1)
    assert team.get("/access/roles/Watcher") == {"Datastore.Audit": 1, "Sys.Audit": 1, "VM.Audit": 1}
    row = next(row for row in team.get("/access/roles") if row["roleid"] == "Watcher")
    assert (row["privs"], row["special"]) == ("Datastore.Audit,Sys.Audit,VM.Audit", 0)
    team.put("/access/acl", path="/", roles="Watcher", users="ada@pve")
    assert _as(team, "ada@pve").get("/nodes/pve1/qemu/101/config")["name"] == "dns-1"
    team.delete("/access/roles/Watcher")
    assert _as(team, "ada@pve").refusal("GET", "/nodes/pve1/qemu/101/config").status == 403


def test_one_hands_out_only_what_one_has(team: Cluster) -> None:
    team.put("/access/acl", path="/vms/101", roles="PVEVMAdmin", users="ada@pve")
    ada = _as(team, "ada@pve")
    ada.put("/access/acl", path="/vms/101", roles="PVEVMUser", users="bob@pve")
    refused = ada.refusal("PUT", "/access/acl", path="/vms/101", roles="Administrator", users="bob@pve")
    assert "requires 'Permissions.Modify' or superset of privileges." in refused.message
    assert ada.refusal("PUT", "/access/acl", path="/vms", roles="PVEVMUser", users="bob@pve").message == (
        "Permission check failed (/vms, Permissions.Modify)"
    )
    assert [row["path"] for row in ada.get("/access/acl")] == ["/vms/101", "/vms/101"]


def test_users_rule_over_themselves_and_managers_over_their_groups(team: Cluster) -> None:
    ada, bob = _as(team, "ada@pve"), _as(team, "bob@pve")
    ada.post("/access/users/ada@pve/token/ci")
    ada.put("/access/password", userid="ada@pve", password="a-new-one-9")
    assert ada.post("/access/ticket", username="ada", realm="pve", password="a-new-one-9")["username"] == "ada@pve"
    assert bob.refusal("GET", "/access/users/ada@pve/token").message == "Permission check failed"
    assert bob.refusal("PUT", "/access/users/ada@pve", comment="x").message == "Permission check failed"
    team.put("/access/acl", path="/access/groups/ops", roles="PVEUserAdmin", users="bob@pve")
    bob.put("/access/users/ada@pve", comment="by bob")
    assert bob.get("/access/users/ada@pve")["comment"] == "by bob"
    assert bob.refusal("POST", "/access/users", userid="eve@pve", groups="ops").message == (
        "Permission check failed (/access/realm/pve, Realm.AllocateUser)"
    )


def test_permissions_of_somebody_else_are_for_auditors(team: Cluster) -> None:
    team.put("/access/acl", path="/vms", roles="PVEAuditor", users="ada@pve")
    assert team.get("/access/permissions", userid="ada@pve")["/vms"]["VM.Audit"] == 1
    assert _as(team, "bob@pve").refusal("GET", "/access/permissions", userid="ada@pve").status == 403


def test_realms(team: Cluster) -> None:
    assert [row["realm"] for row in team.get("/access/domains")] == ["pam", "pve"]
    ldap = {"type": "ldap", "server1": "ldap.example", "base_dn": "dc=example", "user_attr": "uid", "default": 1}
    team.post("/access/domains", realm="corp", **ldap)
    assert {"realm": "corp", "type": "ldap", "default": 1} in team.get("/access/domains")
    team.put("/access/domains/corp", comment="Everybody", delete="default")
    assert team.get("/access/domains/corp")["comment"] == "Everybody"
    team.post("/access/users", userid="eve@corp")
    assert team.get("/access/users/eve@corp")["enable"] == 1
    team.delete("/access/domains/corp")
    assert len(team.get("/access/domains")) == 2


def test_nobody_has_a_second_factor(team: Cluster) -> None:
    assert team.get("/access/tfa") == [] and team.get("/access/tfa/ada@pve") == []
    refused = team.refusal("GET", "/access/tfa/ada@pve/x1")
    assert (refused.status, refused.message) == (404, "No such tfa entry 'x1'")
    assert team.refusal("POST", "/access/tfa/ada@pve", type="totp").status == 501
