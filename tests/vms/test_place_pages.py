"""Pages on which networks and storages are made, looked at and removed."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from alma.accounts.models import Organization
from alma.jobs.models import Job
from tests.factories.accounts import make_organization, make_user, sign_in
from tests.factories.vms import make_cluster
from vms.models import Cluster, ClusterNetwork, ClusterNode, ClusterStorage, PlaceClaim

pytestmark = pytest.mark.django_db
VLAN = {
    "name": "development-vlan", "kind": "vlan", "vlan_id": "200", "subnet": "192.168.2.0/24", "gateway": "192.168.2.1",
    "dns_servers": "8.8.8.8, 8.8.4.4", "has_dhcp": "on", "first": "192.168.2.100", "last": "192.168.2.200",
}  # fmt: skip
RULE = {"action": "allow", "protocol": "tcp", "port": "22", "source": "192.168.0.0/16", "destination": ""}
SECRET = "pl4nted-password-of-a-share"


@pytest.fixture
def organization() -> Organization:
    return make_organization()


@pytest.fixture
def cluster(organization: Organization) -> Cluster:
    cluster = make_cluster(organization=organization, slug="lab", name="Lab")
    now = timezone.now()
    ClusterNode.objects.create(cluster=cluster, name="pve1", is_online=True, seen_at=now)
    ClusterNetwork.objects.create(
        cluster=cluster,
        node="pve1",
        bridge="vmbr0",
        name="vmbr0",
        kind="bridge",
        seen_at=now,
        is_active=True,
        subnets=[],
    )
    return cluster


@pytest.fixture
def site(client: Client, organization: Organization, cluster: Cluster) -> Client:
    sign_in(client, make_user("operator", organization=organization))
    return client


def shown(site: Client, path: str, status: int = 200, **headers: str) -> str:
    answer = site.get(path, headers=headers)
    assert answer.status_code == status, answer.content
    return answer.content.decode()


@pytest.fixture
def lan(site: Client) -> ClusterNetwork:
    """A network of ALMA's that is up."""
    assert site.post("/networks/new/", VLAN).status_code == 302
    Job.objects.update(state="completed")
    PlaceClaim.objects.get().move(PlaceClaim.State.LIVE)
    ClusterNetwork.objects.filter(bridge="developm").update(is_active=True, firewall_rules=[])
    return ClusterNetwork.objects.get(bridge="developm")


def test_a_network_is_made_and_watched(site: Client) -> None:
    form = shown(site, "/networks/new/")
    assert all(f'name="{name}"' in form for name in ("kind", "vlan_id", "uplink", "node", "has_dhcp", "first"))
    answer = site.post("/networks/new/", VLAN, follow=True)
    html, row = answer.content.decode(), ClusterNetwork.objects.get(bridge="developm")
    assert answer.redirect_chain == [(f"/networks/{row.pk}/", 302)]
    job = Job.objects.get()
    assert all(
        text in html for text in ('data-status="creating"', f"/jobs/{job.public_id}/", "VLAN 200 has to serve it")
    )
    assert (job.steps.get().params["goal"]["vnet"]["tag"], row.claim and row.claim.wish["uplink"]) == (200, "vmbr0")
    assert f'href="/networks/{row.pk}/"' in shown(site, job.get_absolute_url())
    listed = shown(site, "/networks/")
    assert 'data-status="creating"' in listed and f'href="/networks/{row.pk}/"' in listed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "This field is required"),
        ({"vlan_id": "9999"}, "less than or equal to 4094"),
        ({"vlan_id": ""}, "A VLAN needs its number"),
        ({"gateway": "10.0.0.1"}, "An address of 192.168.2.0/24."),
        ({"last": "10.0.0.1"}, "An address of 192.168.2.0/24."),
        ({"name": "vmbr0"}, "There is a network vmbr0 already."),
        ({"subnet": "x"}, "An IPv4 network with its prefix length"),
    ],
    ids=str,
)
def test_what_is_wrong_stands_beside_the_field(site: Client, change: dict[str, str], words: str) -> None:
    answer = site.post("/networks/new/", VLAN | change)
    assert (answer.status_code, words in answer.content.decode()) == (422, True), answer.content.decode()
    assert 'value="8.8.8.8, 8.8.4.4"' in answer.content.decode() and not Job.objects.exists()


def test_what_belongs_to_another_kind_is_left_out(site: Client) -> None:
    assert site.post("/networks/new/", VLAN | {"kind": "vnet", "node": "pve1", "uplink": "vmbr0"}).status_code == 302
    wish = PlaceClaim.objects.get().wish
    assert (wish["kind"], wish["vlan_id"], wish["uplink"], wish["node"]) == ("vnet", None, "", "")


def test_a_silent_cluster_says_so_in_the_form(site: Client) -> None:
    Cluster.objects.update(last_error="timed out")
    answer = site.post("/networks/new/", VLAN)
    assert (answer.status_code, "Lab does not answer" in answer.content.decode()) == (422, True)


def test_what_the_token_may_not_is_said_before(site: Client, cluster: Cluster) -> None:
    missing = {"path": "/sdn", "privilege": "SDN.Allocate", "reason": "make and remove virtual networks"}
    Cluster.objects.filter(pk=cluster.pk).update(preflight={"optional": [missing]})
    assert "the token of Lab would need" in shown(site, "/networks/new/")
    assert "would need" not in shown(site, "/storage/new/?type=dir")
    Cluster.objects.filter(pk=cluster.pk).update(preflight={"optional": [{**missing, "path": "/storage"}]})
    assert "would need" in shown(site, "/storage/new/?type=dir")


def test_rules_are_added_and_removed(site: Client, lan: ClusterNetwork) -> None:
    assert "New rule" in shown(site, f"/networks/{lan.pk}/")
    assert site.post(f"/networks/{lan.pk}/rules/", RULE).status_code == 302
    job = Job.objects.get(state="queued")
    assert job.steps.get().params["goal"]["dport"] == "22"
    Job.objects.update(state="completed")
    mine = {"id": "rule-1234567890ab", "action": "allow", "protocol": "tcp", "port": 22, "source": None,
            "destination": None, "enabled": True}  # fmt: skip
    ClusterNetwork.objects.filter(pk=lan.pk).update(firewall_rules=[mine, mine | {"id": "rule-002", "enabled": False}])
    html = shown(site, f"/networks/{lan.pk}/")
    assert (html.count("Remove this rule"), html.count("not ALMA’s")) == (1, 1)
    assert site.post(f"/networks/{lan.pk}/rules/{mine['id']}/remove/").status_code == 302
    assert Job.objects.get(state="queued").kind == "network_rule"


@pytest.mark.parametrize(
    ("change", "words"),
    [({"port": "0"}, "1 to 65535"), ({"protocol": ""}, "Tcp or udp"), ({"action": "x"}, "Select a valid")],
)
def test_a_rule_that_is_wrong(site: Client, lan: ClusterNetwork, change: dict[str, str], words: str) -> None:
    answer = site.post(f"/networks/{lan.pk}/rules/", RULE | change)
    assert (answer.status_code, words in answer.content.decode()) == (422, True)
    assert 'value="192.168.0.0/16"' in answer.content.decode() and not Job.objects.filter(state="queued").exists()


def test_a_network_is_changed_from_how_it_is(site: Client, lan: ClusterNetwork) -> None:
    path = f"/networks/{lan.pk}/change/"
    assert f'href="{path}"' in shown(site, f"/networks/{lan.pk}/")
    form = shown(site, path)
    assert all(
        f'value="{VLAN[name]}"' in form for name in ("name", "vlan_id", "subnet", "dns_servers", "first", "last")
    )
    kept = {name: value for name, value in VLAN.items() if name != "kind"}
    for change, words in (
        ({}, "Nothing is different"),
        ({"gateway": "10.0.0.1"}, "An address of 192.168.2.0/24."),
        ({"vlan_id": ""}, "A VLAN needs its number"),
    ):
        answer = site.post(path, kept | change)
        assert (answer.status_code, words in answer.content.decode()) == (422, True), change
    assert not Job.objects.filter(kind="network_update").exists()
    answer = site.post(path, kept | {"vlan_id": "201", "has_dhcp": ""})
    job = Job.objects.get(kind="network_update")
    assert (answer["Location"], job.params["wish"]["vlan_id"], job.params["wish"]["dhcp_range"]) == (
        f"/networks/{lan.pk}/", 201, None,
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "status"), [("vnet", 200), ("bridge", 409)])
def test_what_a_kind_does_not_change_is_not_asked_for(site: Client, kind: str, status: int) -> None:
    site.post("/networks/new/", {"name": "inner", "kind": kind, "node": "pve1", "subnet": "10.9.0.0/24"})
    row = ClusterNetwork.objects.get(claim__isnull=False)
    form = shown(site, f"/networks/{row.pk}/change/", status)
    assert 'name="vlan_id"' not in form
    assert (f'href="/networks/{row.pk}/change/"' in shown(site, f"/networks/{row.pk}/")) == (kind == "vnet")
    forced = site.post(f"/networks/{row.pk}/change/", {"name": "inner", "subnet": "10.9.0.0/24", "has_dhcp": "on"})
    assert forced.status_code == {"vnet": 422, "bridge": 409}[kind]


def test_a_network_is_removed_after_a_question(site: Client, lan: ClusterNetwork) -> None:
    assert f'href="/networks/{lan.pk}/delete/"' in shown(site, f"/networks/{lan.pk}/")
    assert "Remove development-vlan?" in shown(site, f"/networks/{lan.pk}/delete/")
    assert not Job.objects.filter(state="queued").exists()
    answer = site.post(f"/networks/{lan.pk}/delete/")
    job = Job.objects.get(state="queued")
    assert (job.kind, answer["Location"]) == ("network_deletion", job.get_absolute_url())


def test_one_of_others_is_only_shown(site: Client, organization: Organization) -> None:
    row = ClusterNetwork.objects.get(bridge="vmbr0")
    html = shown(site, f"/networks/{row.pk}/")
    assert "was not made by ALMA" in html and not any(text in html for text in ("/delete/", "/change/", "New rule"))
    assert shown(site, f"/networks/{row.pk}/change/", 403)
    assert site.post(f"/networks/{row.pk}/delete/").status_code == 403
    foreign = ClusterNetwork.objects.create(
        cluster=make_cluster(), bridge="x", name="x", kind="vnet", seen_at=timezone.now()
    )
    for path in (f"/networks/{foreign.pk}/", f"/networks/{foreign.pk}/delete/"):
        assert shown(site, path, 404)


def test_an_unfinished_one_says_what_to_do(site: Client, lan: ClusterNetwork) -> None:
    PlaceClaim.objects.update(state="reserved")
    Job.objects.update(error={"code": "CLUSTER_UNREACHABLE", "message": "No clear answer for 600 s."})
    html = shown(site, f"/networks/{lan.pk}/", **{"HX-Request": "true"})
    assert "No clear answer for 600 s." in html and "Remove it, or make it again" in html and "<html" not in html


@pytest.mark.parametrize("path", ["/networks/new/", "/storage/new/"])
def test_readers_make_nothing(client: Client, organization: Organization, path: str) -> None:
    sign_in(client, make_user("viewer", organization=organization))
    assert client.get(path).status_code == 403
    assert path not in shown(client, path.removesuffix("new/"))


# -- storage ---------------------------------------------------------------------------------------
def test_a_storage_is_defined_by_its_type(site: Client) -> None:
    html = shown(site, "/storage/new/")
    assert all(f'href="?type={kind}"' in html for kind in ("dir", "nfs", "cifs", "pbs", "zfspool", "lvmthin"))
    assert shown(site, "/storage/new/?type=floppy").count("?type=") == html.count("?type=")
    form = shown(site, "/storage/new/?type=cifs")
    assert all(f'name="{name}"' in form for name in ("server", "share", "password")) and 'name="path"' not in form
    body = {"name": "office", "server": "files.example.org", "share": "backup", "username": "alma", "password": SECRET,
            "content": ["backup"]}  # fmt: skip
    answer = site.post("/storage/new/?type=cifs", body)
    job = Job.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, job.get_absolute_url())
    listed = shown(site, "/storage/")
    assert 'data-status="creating"' in listed and SECRET not in listed + shown(site, job.get_absolute_url())


def test_a_storage_that_is_wrong(site: Client) -> None:
    body = {"name": "office", "server": "a b", "share": "backup", "password": SECRET}
    answer = site.post("/storage/new/?type=cifs", body)
    html = answer.content.decode()
    assert (answer.status_code, "A host name or an address." in html, SECRET in html) == (422, True, False)
    assert not Job.objects.exists()


def test_a_storage_is_removed_after_a_question(site: Client, cluster: Cluster) -> None:
    site.post("/storage/new/?type=dir", {"name": "more", "path": "/srv/more"})
    Job.objects.update(state="completed")
    PlaceClaim.objects.get().move(PlaceClaim.State.LIVE)
    row = ClusterStorage.objects.get()
    assert f'href="/storage/{row.pk}/delete/"' in shown(site, "/storage/")
    assert "Remove more?" in shown(site, f"/storage/{row.pk}/delete/")
    assert site.post(f"/storage/{row.pk}/delete/").status_code == 302
    assert Job.objects.get(state="queued").kind == "storage_deletion"
    other = ClusterStorage.objects.create(cluster=make_cluster(), node="pve1", name="x", plugin="dir")
    assert shown(site, f"/storage/{other.pk}/delete/", 404)


def test_a_storage_shows_what_is_used_and_what_may_become_of_it(site: Client, cluster: Cluster) -> None:
    Cluster.objects.update(encrypting_storages=["vault"])
    values: dict[str, Any] = {"cluster": cluster, "node": "pve1", "plugin": "zfspool", "is_active": True}
    ClusterStorage.objects.create(**values, name="vault", total_bytes=100, used_bytes=50)
    ClusterStorage.objects.create(**values, name="plain", total_bytes=100, used_bytes=50)
    html = shown(site, "/storage/")
    assert html.count("Provisioned of ") == 2 and html.count("encrypted</span>") == 1


@pytest.mark.parametrize("size", [1, 30])
def test_a_page_takes_few_queries(
    site: Client, lan: ClusterNetwork, size: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    rules = [{"id": f"rule-{number:03d}", "action": "allow", "protocol": None, "port": None, "source": None,
              "destination": None, "enabled": True} for number in range(size)]  # fmt: skip
    ClusterNetwork.objects.filter(pk=lan.pk).update(firewall_rules=rules)
    with django_assert_max_num_queries(9):
        shown(site, f"/networks/{lan.pk}/", **{"HX-Request": "true"})
