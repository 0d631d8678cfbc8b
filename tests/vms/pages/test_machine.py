"""The page of one machine: what it says, and what it costs."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.events.models import Event
from alma.events.services import emit, emit_all
from alma.jobs.models import Job
from tests.factories.accounts import make_user
from tests.factories.scans import make_scan
from tests.factories.vms import GIB, make_claim, make_cluster, make_guest
from tests.plans import plan_of
from tests.vms.pages.conftest import Make, at_work
from vms.machines import public_id
from vms.models import Cluster, Drift, Guest, GuestDetails
from vms.pages.history import History

pytestmark = pytest.mark.django_db


def detailed(guest: Guest) -> Guest:
    disk = {"place": "scsi0", "storage": "local-lvm", "bytes": 8 * GIB, "is_ssd": True, "mount_point": None}
    card = {
        "place": "net0", "bridge": "vmbr0", "mac": "BC:24:11:00:00:01", "ip": "10.0.0.7/24", "gateway": "10.0.0.1",
        "vlan": 30, "has_firewall": True,
    }  # fmt: skip
    GuestDetails.objects.create(
        guest=guest, ip_address="10.0.0.7", os_type="ubuntu-24.04", disks=[disk], cards=[card], sockets=2,
        description="Shop <b>front</b>", firewall_enabled=True, read_at=timezone.now() - timedelta(minutes=5),
    )  # fmt: skip
    return guest


def part(site: Client, guest: Guest, name: str, query: str = "") -> str:
    answer = site.get(f"/vms/{guest.pk}/{query}", HTTP_HX_REQUEST="true", HTTP_HX_TARGET=name)
    assert answer.status_code == 200
    page: str = answer.content.decode()
    assert f'id="{name}"' in page.partition(">")[0]
    return page


def test_all_that_is_known_is_there(site: Client, ours: Make) -> None:
    guest = detailed(ours(cpu_load=0.25, memory_used=GIB, uptime=3700, tags="alma;web"))
    page = site.get(f"/vms/{guest.pk}/").content.decode()
    for words in (
        "25\N{NO-BREAK SPACE}%", "1\N{NO-BREAK SPACE}GiB", "10.0.0.7", "ubuntu-24.04", "scsi0", "local-lvm", "net0", "vmbr0",
        "in 2 sockets", "Shop &lt;b&gt;front", "q=tag:web", "1\N{NO-BREAK SPACE}h", "Development", "Rack 1", "5\N{NO-BREAK SPACE}min ago",
    ):  # fmt: skip
        assert words in page, words


def test_who_declares_it(site: Client, ours: Make, place: Cluster) -> None:
    declared = make_claim(place, key="shop-front", owner="env:1/blueprint:3", state="live")
    others = {
        "no blueprint, made directly": ours("by-hand"),
        "shop-front</span>": make_guest(place, vmid=declared.vmid, claim=declared),
        "outside ALMA": make_guest(place),
    }
    for words, guest in others.items():
        page = site.get(f"/vms/{guest.pk}/").content.decode()
        listed = site.get(f"/vms/?q=id:{guest.vmid}").content.decode().partition("<tbody>")[2]
        assert [said for said in others if said in page] == [said for said in others if said in listed] == [words]


def test_the_id_of_the_api_leads_to_the_page(site: Client, ours: Make) -> None:
    guest = ours()
    answer = site.get(f"/vms/{public_id(guest)}/")
    assert (answer.status_code, answer["Location"]) == (302, f"/vms/{guest.pk}/")
    for name in (public_id(make_guest(make_cluster())), "vm-0", "vm-99999999999999999999", "vm-"):
        assert site.get(f"/vms/{name}/").status_code == 404, name


def test_what_is_not_known_is_not_guessed(site: Client, ours: Make) -> None:
    page = site.get(f"/vms/{ours(status='stopped').pk}/").content.decode()
    assert "Not read yet; that happens in the background" in page
    assert "not known" in page
    assert "it does not run" in page
    assert "No scan has looked at it yet" in page


def test_each_action_or_why_not(site: Client, ours: Make) -> None:
    page = part(site, ours(), "vm-head")
    assert "It runs already." in page
    assert "Stop…" in page
    assert "Delete…" in page
    page = part(site, ours("off", status="stopped"), "vm-head")
    assert 'type="submit">' in page
    assert "It is stopped already." in page


def test_who_may_only_read_sees_no_actions(client: Client, ours: Make, place: Cluster) -> None:
    client.force_login(make_user("viewer", organization=place.organization))
    page = client.get(f"/vms/{ours().pk}/").content.decode()
    assert "Delete…" not in page
    assert "page-actions" not in page


def test_a_stranger_and_a_protected_machine_say_what_to_do_instead(
    site: Client, ours: Make, place: Cluster, production: Environment
) -> None:
    stranger, guarded = make_guest(place, name="theirs"), ours("guarded", environment=production)
    assert "Change it in Proxmox, or declare" in part(site, stranger, "vm-now")
    assert "what you ask for here opens an IPR" in part(site, guarded, "vm-now")
    assert "Stop…" in part(site, guarded, "vm-head")


def test_a_job_shows_from_its_beginning_to_its_end(site: Client, ours: Make) -> None:
    guest = ours()
    job = at_work(guest)
    assert "Stopping" in part(site, guest, "vm-head")
    assert job.public_id in part(site, guest, "vm-now")
    assert "Stop web" in part(site, guest, "vm-work")
    Job.objects.update(state="failed", error={"code": "X", "message": "It did not heed."})
    assert job.public_id not in part(site, guest, "vm-now")
    assert "It did not heed." in part(site, guest, "vm-work")


def test_what_waits_for_people_says_where_they_decide(site: Client, ours: Make, production: Environment) -> None:
    guest = ours("guarded", environment=production)
    asked = site.post(f"/vms/{guest.pk}/restart/", {"how": "graceful", "seconds": "60"})["Location"]
    assert asked.startswith("/iprs/")
    page = part(site, guest, "vm-now")
    assert "Restart guarded</strong> waits until people have agreed" in page
    assert f'href="{asked}"' in page


def test_a_silent_cluster_is_named_with_what_was_last_seen(site: Client, ours: Make, place: Cluster) -> None:
    guest = ours(cpu_load=0.25)
    Cluster.objects.filter(pk=place.pk).update(last_error="No route to it.", unreachable_since=timezone.now())
    page = site.get(f"/vms/{guest.pk}/").content.decode()
    assert "Nothing is known of it now" in page
    assert "No route to it." in page
    assert "it was running" in page
    assert "25\N{NO-BREAK SPACE}%" not in page, "figures of the past are no figures of now"


def test_drift_and_findings_are_named_and_lead_on(site: Client, ours: Make, place: Cluster) -> None:
    guest = ours()
    now = timezone.now()
    Drift.objects.create(
        organization=place.organization, cluster=place, claim=guest.claim, kind="changed", found_at=now, seen_at=now,
        changes=[{"field": "cores", "before": 2, "after": 4}],
    )  # fmt: skip
    scan = make_scan(place, guest=guest)
    page = site.get(f"/vms/{guest.pk}/").content.decode()
    assert "Changed outside ALMA: cores." in page
    assert f"{scan.get_absolute_url()}?rule=GUEST-NET-001" in page


def test_history_tells_of_moves_and_of_who_asked_for_a_console(site: Client, ours: Make, place: Cluster) -> None:
    guest = ours()
    about = {"organization_id": place.organization_id, "id": public_id(guest)}
    emit(place.stream, "vm.moved", was="pve1", node="pve2", **about)
    emit(place.stream, "vm.console_opened", actor="ana", console="terminal", **about)
    page = part(site, guest, "vm-history", "?view=history")
    assert "It was moved from pve1 to pve2." in page
    assert "A console (terminal) was asked for." in page


def test_history_is_of_this_machine_alone_and_has_pages(site: Client, ours: Make, place: Cluster) -> None:
    guest, other = ours(), ours("other")
    for number in range(30):
        for one in (guest, other):
            facts = {"id": public_id(one), "status": "running", "was": f"state-{number}-{one.name}"}
            emit(place.stream, "vm.status_changed", organization_id=place.organization_id, **facts)
    page = part(site, guest, "vm-history", "?view=history")
    assert "state-29-web" in page
    assert "state-4-web" not in page
    assert "-other" not in page
    answer = site.get(f"/vms/{guest.pk}/?view=history")
    cursor = answer.context["page"].history.page.next_cursor
    older = part(site, guest, "vm-history", f"?view=history&cursor={cursor}")
    assert "state-4-web" in older
    assert "state-29-web" not in older
    assert "data-live" not in older, "what is long past does not change"
    assert site.get(f"/vms/{guest.pk}/?view=history&cursor=nonsense").status_code == 400


def test_history_reads_an_index_however_much_happened_on_the_cluster(ours: Make, place: Cluster, by: Actor) -> None:
    guest = ours()
    told = [("vm.status_changed", {"id": f"vm-{1_000 + number % 50}"}) for number in range(3_000)]
    emit_all(place.stream, [*told, ("vm.moved", {"id": public_id(guest)})], organization_id=place.organization_id)
    lines: list[Event] = []
    plan = plan_of(lambda: lines.extend(History(guest, by).page.rows))
    assert [line.kind for line in lines] == ["vm.moved"]
    assert "event_about" in plan


@pytest.mark.parametrize("jobs", [1, 30])
def test_jobs_have_pages_and_cost_the_same(
    site: Client, ours: Make, jobs: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    guest = ours()
    for _ in range(jobs):
        at_work(guest)
        Job.objects.update(state="completed")
    site.get(f"/vms/{guest.pk}/")
    with django_assert_max_num_queries(22):
        site.get(f"/vms/{guest.pk}/")
    with django_assert_max_num_queries(12):
        page = part(site, guest, "vm-jobs", "?view=history")
    assert page.count('<li class="item"') == min(jobs, 20)


def test_a_live_part_reads_itself_alone(
    site: Client, ours: Make, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    guest = ours()
    site.get("/vms/")
    for name in ("vm-head", "vm-now", "vm-work"):
        with django_assert_max_num_queries(10):
            part(site, guest, name)


def test_machines_of_others_and_of_nobody(site: Client, operator: User, db: None) -> None:
    foreign = make_guest(make_cluster(), name="canary")
    assert site.get(f"/vms/{foreign.pk}/").status_code == 404
    assert site.get("/vms/987654321/").status_code == 404
    assert site.post(f"/vms/{foreign.pk}/").status_code == 405
    site.logout()
    assert site.get(f"/vms/{foreign.pk}/").status_code == 302


def test_hostile_names_are_text(site: Client, ours: Make) -> None:
    guest = ours("<script>alert(1)</script>", tags='"><img src=x>', lock="<b>")
    page = site.get(f"/vms/{guest.pk}/").content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


@pytest.mark.parametrize("query", ["?view=nonsense", "?page=x", "?view=backups", "?view=snapshots", "?view=%00"])
def test_anything_may_be_asked(site: Client, ours: Make, query: str) -> None:
    assert site.get(f"/vms/{ours().pk}/{query}").status_code == 200


def test_its_screen_is_on_a_page_of_its_own_or_the_page_says_why_not(
    site: Client, ours: Make, place: Cluster, production: Environment
) -> None:
    guest, guarded = ours("seen"), ours("guarded", environment=production)
    off, stranger = ours("off", status="stopped"), make_guest(place, name="theirs")
    page = site.get(f"/vms/{guest.pk}/console/").content.decode()
    assert f'data-console="{guest.pk}"' in page and "novnc/core/rfb.js" in page
    assert f"https://{place.host}:{place.port}/?console=kvm" in page.replace("&amp;", "&")
    assert f'href="/vms/{guest.pk}/console/"' in site.get(f"/vms/{guest.pk}/").content.decode()
    for other, why in (
        (guarded, "Production is protected"), (off, "It does not run"), (stranger, "was not made by ALMA"),
    ):  # fmt: skip
        page = site.get(f"/vms/{other.pk}/console/").content.decode()
        assert why in page and "data-console=" not in page, other.name
    Cluster.objects.filter(pk=place.pk).update(is_sandbox=True)
    assert "?console=kvm" not in site.get(f"/vms/{guest.pk}/console/").content.decode()
