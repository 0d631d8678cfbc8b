"""Registering a cluster, testing the connection, and the rights that a token needs."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from alma.accounts.models import Organization
from alma.errors import Invalid, Refused
from alma.events.models import Event
from tests.factories.accounts import make_actor, make_organization, make_user, sign_in
from tests.factories.vms import guest_spec, make_cluster
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.conftest import Runner
from vms import registration
from vms.models import Cluster
from vms.proxmox.client import disconnect
from vms.proxmox.privileges import AGENT, ON_GUESTS, agent_needs, allows
from vms.services import create_steps, delete_steps

pytestmark = pytest.mark.django_db
FIELDS = {
    "name": "Rack 1", "url": "https://pve.example.org:8006", "token_id": "alma@pve!alma", "token_secret": "s3cret",
    "fingerprint": "", "ca_pem": "", "vmid_first": "5000", "vmid_last": "5999", "parallel_limit": "4", "pool": "alma",
    "chosen_nodes": "pve1, pve2", "chosen_storages": "", "encrypting_storages": "vault", "default_storage": "", "default_bridge": "",
}  # fmt: skip
LEAST = (
    ("/pool/alma", "PVEVMAdmin"), ("/vms/9000", "PVETemplateUser"), ("/storage/local-lvm", "PVEDatastoreUser"),
    ("/nodes", "PVEAuditor"), ("/sdn/zones/localnetwork", "PVESDNUser"),
)  # fmt: skip


@pytest.fixture(autouse=True)
def no_connection_left() -> Iterator[None]:
    yield
    disconnect()


@pytest.fixture
def organization() -> Organization:
    return make_organization()


@pytest.fixture
def site(organization: Organization, client: Client) -> Client:
    sign_in(client, make_user("operator", organization=organization))
    return client


def told(cluster: Cluster) -> list[str]:
    return [event.kind for event in Event.objects.of(cluster.stream)]


def narrow_token(running: RunningSandbox, *left_out: str) -> dict[str, str]:
    """A token of its own with the least of rights, but for some paths."""
    client = running.proxmoxer()
    client.pools.post(poolid="alma")
    client.access.users.post(userid="alma@pve")
    secret = client.access.users("alma@pve").token("alma").post(privsep=1)["value"]
    for path, role in LEAST:
        if path not in left_out:
            for who in ({"users": "alma@pve"}, {"tokens": "alma@pve!alma"}):
                client.access.acl.put(path=path, roles=role, **who)
    client._store["session"].close()
    return {"token_id": "alma@pve!alma", "token_secret": secret}


def narrow_cluster(running: RunningSandbox, *left_out: str, **overrides: Any) -> Cluster:
    values = {"pool": "alma", "chosen_storages": ["local-lvm"], "chosen_nodes": ["pve1"]} | overrides
    return make_cluster(running, organization=make_organization(), **narrow_token(running, *left_out), **values)


# -- rights ----------------------------------------------------------------------------------------
def test_the_documented_rights_are_enough(fresh_sandbox: RunningSandbox, runner: Runner) -> None:
    cluster = narrow_cluster(fresh_sandbox)
    runner.cluster = cluster
    result = registration.check(cluster, by=make_actor())

    assert (result["error"], result["missing"], result["warnings"]) == ("", [], [])
    assert {row["privilege"] for row in result["optional"]} == {"SDN.Allocate", "Datastore.Allocate", "Sys.Modify"}
    spec = guest_spec(cluster, pool="alma", template_vmid=9000, template_node="pve1")
    assert runner.run(create_steps(spec)).error is None
    assert runner.run(delete_steps(spec)).error is None


@pytest.mark.parametrize(
    ("path", "privileges"),
    [
        ("/pool/alma", {*ON_GUESTS, AGENT}), ("/vms/9000", set()), ("/storage/local-lvm", {"Datastore.AllocateSpace", "Datastore.Audit"}),
        ("/sdn/zones/localnetwork", {"SDN.Use"}),
    ],
)  # fmt: skip
def test_each_missing_privilege_is_named_with_its_path(
    fresh_sandbox: RunningSandbox, path: str, privileges: set[str]
) -> None:
    cluster = narrow_cluster(fresh_sandbox, path)
    result = registration.check(cluster, by=make_actor())
    assert {(row["path"], row["privilege"]) for row in result["missing"]} == {(path, name) for name in privileges}
    assert any("No template is visible" in text for text in result["warnings"]) == (path == "/vms/9000")


def test_what_only_single_machines_need_is_no_fault_but_said(fresh_sandbox: RunningSandbox) -> None:
    cluster = narrow_cluster(fresh_sandbox, "/pool/alma")
    client = fresh_sandbox.proxmoxer()
    client.access.roles.post(roleid="ALMAGuests", privs=",".join([*ON_GUESTS, AGENT, "VM.Migrate"]))
    for who in ({"users": "alma@pve"}, {"tokens": "alma@pve!alma"}):
        client.access.acl.put(path="/pool/alma", roles="ALMAGuests", **who)
    client._store["session"].close()
    result = registration.check(cluster, by=make_actor())
    assert (result["error"], result["missing"]) == ("", [])
    assert result["warnings"] == [
        "The token lacks VM.Backup, VM.Clone, VM.Console, VM.Snapshot, VM.Snapshot.Rollback on /pool/alma: it cannot back "
        "machines up and restore them, copy them, open their screens, take snapshots of them, go back to snapshots. Deployments do not need that."
    ]


def test_asking_the_guest_agent_takes_the_privilege_that_the_version_knows() -> None:
    cluster = make_cluster(organization=make_organization())
    for version, privilege in (("9.1.2", "VM.GuestAgent.Audit"), ("8.4.1", "VM.Monitor")):
        assert [(need.paths, need.privilege) for need in agent_needs(cluster, version)] == [(("/vms",), privilege)]


def test_a_token_that_could_take_the_cluster_over_is_warned_of(fresh_sandbox: RunningSandbox) -> None:
    cluster = make_cluster(fresh_sandbox, organization=make_organization(), chosen_nodes=["pve9"])
    result = registration.check(cluster, by=make_actor())
    assert result["missing"] == []
    assert "Permissions.Modify" in result["warnings"][0]
    assert "Sys.Modify" in result["warnings"][0]
    assert "The cluster has no node pve9." in result["warnings"]


def test_a_right_above_counts_only_when_it_propagates() -> None:
    held = {"/": {"VM.Audit": 1}, "/vms": {"VM.Clone": 0}, "/storage": {}}
    assert allows(held, "/nodes/pve1", "VM.Audit")
    assert allows(held, "/vms", "VM.Clone")
    assert not allows(held, "/vms/100", "VM.Clone")
    assert not allows(held, "/storage/local", "VM.Audit")


def test_an_unreachable_cluster_is_a_result_too() -> None:
    cluster = make_cluster(organization=make_organization(), is_sandbox=True)
    assert "refused the connection" in registration.check(cluster, by=make_actor())["error"]
    cluster.refresh_from_db()
    assert cluster.preflight["error"]


# -- service ---------------------------------------------------------------------------------------
def test_the_secret_is_asked_for_again_when_it_would_go_elsewhere() -> None:
    cluster = make_cluster(organization=make_organization(), host="pve.example")
    actor = make_actor()
    registration.change(cluster, {"name": "Other", "parallel_limit": 8}, by=actor)
    with pytest.raises(Invalid) as error:
        registration.change(cluster, {"host": "evil.example"}, by=actor)
    assert "token_secret" in dict(error.value.details)  # type: ignore[arg-type]
    registration.change(cluster, {"host": "pve2.example"}, token_secret="new", by=actor)
    cluster.refresh_from_db()
    assert (cluster.host, cluster.token_secret, cluster.name) == ("pve2.example", "new", "Other")
    assert told(cluster) == ["cluster.changed", "cluster.changed"]


def test_verification_is_turned_off_by_leave_of_the_operator_and_told(settings: Settings) -> None:
    cluster = make_cluster(organization=make_organization())
    with pytest.raises(Invalid, match="cannot be registered"):
        registration.change(cluster, {"verifies_tls": False}, token_secret="s", by=make_actor())
    settings.ALMA_CLUSTER_ALLOW_UNVERIFIED = True
    registration.change(Cluster.objects.get(pk=cluster.pk), {"verifies_tls": False}, token_secret="s", by=make_actor())
    assert told(cluster)[-1] == "cluster.tls_unverified"


def test_only_operators_register() -> None:
    with pytest.raises(Refused):
        registration.register({"name": "X"}, token_secret="s", by=make_actor("deployer"))


# -- pages -----------------------------------------------------------------------------------------
def test_registering_on_the_page_tests_at_once(site: Client, organization: Organization, settings: Settings) -> None:
    settings.ALMA_CLUSTER_CONNECT_SECONDS = 1
    assert site.get("/clusters/new/").status_code == 200
    response = site.post("/clusters/new/", FIELDS | {"url": "https://nowhere.invalid"}, follow=True)

    cluster = Cluster.objects.get()
    assert response.redirect_chain[-1][0] == "/clusters/rack-1/checks/"
    assert (cluster.host, cluster.port, cluster.chosen_nodes) == ("nowhere.invalid", 8006, ["pve1", "pve2"])
    assert cluster.token_secret == "s3cret"
    page = response.content.decode()
    assert "The connection failed" in page
    assert "s3cret" not in page
    assert "s3cret" not in site.get("/clusters/rack-1/change/").content.decode()
    assert told(cluster) == ["cluster.registered"]


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("url", "http://pve.example", "Write https://"), ("url", "https://127.0.0.1:8006", "built-in sandbox"),
        ("url", "https://169.254.169.254", "no address of a cluster"), ("url", "https://user@pve.example", "Write https://"),
        ("token_id", "root", "user@realm!name"), ("fingerprint", "AA:BB", "32 pairs"), ("ca_pem", "nonsense", "PEM"),
        ("vmid_last", "4000", "below the first"), ("chosen_nodes", "pve1/../x", "letters, digits"), ("token_secret", "", "required"),
    ],
)  # fmt: skip
def test_nonsense_is_named_beside_its_field(site: Client, field: str, value: str, says: str) -> None:
    response = site.post("/clusters/new/", FIELDS | {field: value})
    assert response.status_code == 422
    assert says in response.content.decode()
    assert not Cluster.objects.exists()


def test_a_pasted_fingerprint_takes_any_spelling(site: Client) -> None:
    site.post("/clusters/new/", FIELDS | {"url": "nowhere.invalid", "fingerprint": "ab" * 32})
    assert Cluster.objects.get().fingerprint == ":".join(["AB"] * 32)


def test_switching_off_leaves_everything_in_place(site: Client, organization: Organization) -> None:
    cluster = make_cluster(organization=organization, slug="rack")
    site.post("/clusters/rack/switch/", {"to": "off"})
    cluster.refresh_from_db()
    assert not cluster.is_enabled
    assert "is switched off" in site.get("/clusters/rack/").content.decode()
    site.post("/clusters/rack/switch/", {"to": "on"})
    assert told(cluster) == ["cluster.disabled", "cluster.enabled"]


@pytest.mark.parametrize("path", ["new/", "rack/change/", "rack/test/", "rack/switch/"])
def test_who_may_not_is_refused(client: Client, organization: Organization, path: str) -> None:
    make_cluster(organization=organization, slug="rack")
    assert client.post(f"/clusters/{path}").status_code == 302
    sign_in(client, make_user("deployer", organization=organization))
    assert client.post(f"/clusters/{path}").status_code == 403
    other = sign_in(Client(), make_user("operator", organization=make_organization("other")))
    assert other.post(f"/clusters/{path}").status_code == (422 if path == "new/" else 404)
    assert Cluster.objects.get().is_enabled


def test_the_password_is_asked_for_again_after_a_while(client: Client, organization: Organization) -> None:
    sign_in(client, make_user("operator", organization=organization), is_recent=False)
    assert client.get("/clusters/new/").status_code == 302
