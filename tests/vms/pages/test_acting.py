"""Doing something with machines on pages: what is said beforehand, what is begun, and what is refused."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from alma.accounts.models import Environment
from alma.jobs.models import Job
from tests.factories.accounts import make_user
from tests.factories.vms import make_cluster, make_guest
from tests.vms.pages.conftest import Make, at_work
from vms.models import Cluster, ClusterNode, Guest
from vms.operations.verbs import FOR_MANY, MOST, VERBS

pytestmark = pytest.mark.django_db
SOFT = {"how": "graceful", "seconds": "60"}


def chosen(*guests: Guest) -> dict[str, Any]:
    return {"vm": [str(guest.pk) for guest in guests]}


def lines(page: str, kind: str) -> dict[int, str]:
    """The text of each machine's line."""
    found = re.findall(rf'<li class="item" id="{kind}-(\d+)">(.*?)</li>', page, re.DOTALL)
    return {int(pk): " ".join(re.sub("<[^>]+>", " ", text).split()) for pk, text in found}


def kinds() -> list[tuple[str, int]]:
    return [(job.kind, job.params["guest"]) for job in Job.objects.order_by("pk")]


def test_the_list_offers_what_one_may_do(site: Client, ours: Make, place: Cluster) -> None:
    guest, stranger = ours(), make_guest(place, name="theirs")
    page = site.get("/vms/").content.decode()
    assert f'value="{guest.pk}" aria-label="Choose' in page
    assert f'value="{stranger.pk}" aria-label="{stranger} cannot be chosen: theirs was not made by ALMA' in page
    assert page.count("formaction=") == len(FOR_MANY)
    site.force_login(make_user("viewer", organization=place.organization))
    page = site.get("/vms/").content.decode()
    assert "formaction=" not in page
    assert 'name="vm"' not in page


def test_what_will_happen_to_which_is_said_beforehand(
    site: Client, ours: Make, place: Cluster, production: Environment
) -> None:
    on, off, busy = ours("on"), ours("off", status="stopped"), ours("busy")
    guarded, stranger = ours("guarded", environment=production), make_guest(place, name="theirs")
    job = at_work(busy)
    page = site.get("/vms/actions/stop/", chosen(on, off, busy, guarded, stranger)).content.decode()
    said = lines(page, "candidate")
    assert "is stopped" in said[on.pk]
    assert "It is stopped already." in said[off.pk]
    assert f"being worked on by {job.public_id}" in said[busy.pk]
    assert "Production is protected: an IPR is opened, and when people have agreed it is stopped" in said[guarded.pk]
    assert "was not made by ALMA" in said[stranger.pk]
    assert "2 machines are touched" in page
    assert "3 left as they are" in page
    assert Job.objects.count() == 1, "asking begins nothing"


def test_each_machine_has_a_job_of_its_own_and_the_others_say_why(site: Client, ours: Make, place: Cluster) -> None:
    one, two, off = ours("one"), ours("two"), ours("off", status="stopped")
    answer = site.post("/vms/actions/stop/", chosen(one, two, off) | SOFT, follow=True)
    assert answer.redirect_chain[0][0].startswith("/vms/actions/?run=")
    assert kinds() == [("vm_stop", one.pk), ("vm_stop", two.pk)]
    steps = [step.params for job in Job.objects.all() for step in job.steps.all()]
    assert {(step["timeout"], step["graceful"], step["insists"]) for step in steps} == {(60, True, False)}
    page = answer.content.decode()
    said = lines(page, "run")
    assert "It is stopped already." in said[off.pk]
    assert Job.objects.get(params__guest=one.pk).public_id in said[one.pk]
    assert "0 of 2 ended" in page
    assert "data-live=" in page


def test_where_people_agree_first_an_ipr_is_opened(site: Client, ours: Make, production: Environment) -> None:
    one, guarded = ours("one"), ours("guarded", environment=production)
    page = site.post("/vms/actions/stop/", chosen(one, guarded) | SOFT, follow=True).content.decode()
    job = Job.objects.get(params__guest=guarded.pk)
    assert (job.state, Job.objects.get(params__guest=one.pk).state) == ("waiting", "queued")
    said = lines(page, "run")
    assert f"IPR #{job.params['ipr']}" in said[guarded.pk]
    assert "Waiting for approval" in said[guarded.pk]
    assert "0 of 2 ended" in page
    alone = site.post(f"/vms/{guarded.pk}/restart/", SOFT)
    assert alone["Location"] == Job.objects.get(kind="vm_restart").params["ipr_url"]


def test_a_machine_that_is_yet_to_be_agreed_to_says_so(
    site: Client, ours: Make, place: Cluster, production: Environment
) -> None:
    nodes(place, "pve1")
    source = ours("source", environment=production)
    assert site.post(f"/vms/{source.pk}/clone/", {"name": "twin"})["Location"].startswith("/iprs/")
    copy, job = Guest.objects.get(name="twin"), Job.objects.get(kind="vm_clone")
    places = (
        "/vms/?q=name:twin",
        f"/vms/{copy.pk}/",
        f"/clusters/{place.slug}/guests/",
        "/mission-control/?machine=twin",
    )
    Guest.objects.filter(pk=copy.pk).update(disk_bytes=0)
    for path in places:
        page = site.get(path).content.decode()
        assert "Waiting for approval" in page and "Creating" not in page, path
        assert path in places[2:] or f'href="/jobs/{job.public_id}/"' in page, path
        assert path in places[2:] or ("unknown" in page and "0\N{NO-BREAK SPACE}B" not in page), path
    figures = site.get(f"/vms/{copy.pk}/figures/").content.decode()
    assert "Nothing was measured yet" in figures, "its cluster is not even asked"
    said = lines(site.get("/vms/actions/start/", chosen(copy)).content.decode(), "candidate")
    assert "twin is not made yet: people have to agree first." in said[copy.pk]
    assert "Waiting for approval" in said[copy.pk]
    Job.objects.filter(pk=job.pk).update(state="queued")
    assert "Creating" in site.get(f"/vms/{copy.pk}/").content.decode(), "it is being made as soon as they agree"
    site.force_login(make_user("viewer", organization=place.organization))
    Job.objects.filter(pk=job.pk).update(state="waiting")
    assert "Waiting for approval" in site.get("/vms/?q=name:twin").content.decode()


def test_a_form_that_is_sent_twice_begins_nothing_twice(site: Client, ours: Make) -> None:
    guest = ours()
    page = site.get("/vms/actions/stop/", chosen(guest)).content.decode()
    run = re.search(r'name="run" value="(\w+)"', page)
    assert run is not None
    form = chosen(guest) | SOFT | {"run": run[1]}
    first = site.post("/vms/actions/stop/", form)
    Job.objects.update(state="completed")
    second = site.post("/vms/actions/stop/", form)
    assert first["Location"] == second["Location"]
    assert Job.objects.count() == 1
    assert "1 of 1 ended" in site.get(second["Location"]).content.decode()


def test_the_run_of_somebody_else_is_not_shown(site: Client, ours: Make, client: Client, place: Cluster) -> None:
    guest = ours("secretive")
    where = site.post("/vms/actions/stop/", chosen(guest) | SOFT)["Location"]
    other = Client()
    other.force_login(make_user("operator", organization=place.organization))
    page = other.get(where).content.decode()
    assert "no longer remembered" in page
    assert "secretive" not in page


def test_ended_jobs_are_told_with_what_went_wrong(site: Client, ours: Make) -> None:
    good, bad = ours("good"), ours("bad")
    where = site.post("/vms/actions/stop/", chosen(good, bad) | SOFT)["Location"]
    Job.objects.filter(params__guest=good.pk).update(state="completed")
    Job.objects.filter(params__guest=bad.pk).update(state="failed", error={"code": "X", "message": "It did not heed."})
    page = site.get(where, HTTP_HX_REQUEST="true").content.decode()
    opening = page.lstrip().partition(">")[0]
    assert 'id="machine-run"' in opening
    assert "hx-get" not in opening, "nothing more will change"
    assert "It did not heed." in lines(page, "run")[bad.pk]
    assert "1 did not do what was asked" in page


@pytest.mark.parametrize(
    ("how", "asked"),
    [
        ({"how": "graceful", "seconds": "7"}, (7, True, False)),
        ({"how": "insist", "seconds": "300"}, (300, True, True)),
        ({"how": "hard", "seconds": "300"}, (300, False, False)),
    ],
)
def test_ways_to_stop(site: Client, ours: Make, how: dict[str, str], asked: tuple[int, bool, bool]) -> None:
    site.post(f"/vms/{ours().pk}/stop/", how)
    params = Job.objects.get().steps.get().params
    assert (params["timeout"], params["graceful"], params["insists"]) == asked


@pytest.mark.parametrize(
    ("verb", "form", "says"),
    [
        ("stop", {"how": "gently", "seconds": "60"}, "is not one of the available choices"),
        ("stop", {"how": "graceful", "seconds": "0"}, "greater than or equal to 1"),
        ("stop", {}, "This field is required"),
        ("snapshot", {"name": "1st"}, "2 to 40 letters"),
        ("snapshot", {"name": "x\n"}, "2 to 40 letters"),
        ("delete", {"confirm": "WEB"}, "Type web to confirm."),
        ("delete", {}, "This field is required"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_begins(
    site: Client, ours: Make, verb: str, form: dict[str, str], says: str
) -> None:
    answer = site.post(f"/vms/{ours().pk}/{verb}/", form)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not Job.objects.exists()


def test_one_machine_goes_back_to_its_page(site: Client, ours: Make) -> None:
    guest = ours(status="stopped")
    answer = site.post(f"/vms/{guest.pk}/start/")
    assert answer["Location"] == f"/vms/{guest.pk}/"
    assert kinds() == [("vm_start", guest.pk)]
    again = site.post(f"/vms/{guest.pk}/start/")
    assert again.status_code == 422
    assert "is being worked on by" in again.content.decode()
    assert Job.objects.count() == 1


def test_deleting_needs_the_name_of_one_and_the_number_of_many(site: Client, ours: Make) -> None:
    one, two, three = ours("one"), ours("two"), ours("three")
    assert 'Type <strong class="mono">one</strong>' in site.get(f"/vms/{one.pk}/delete/").content.decode()
    assert site.post(f"/vms/{one.pk}/delete/", {"confirm": "one"}).status_code == 302
    many = chosen(one, two, three)
    assert site.post("/vms/actions/delete/", many | {"confirm": "3"}).status_code == 422, "one is busy already"
    assert site.post("/vms/actions/delete/", many | {"confirm": "2", "is_hard": "on"}).status_code == 302
    assert kinds() == [("vm_deletion", guest.pk) for guest in (one, three, two)]
    asked = [job.steps.order_by("level")[0].params["graceful"] for job in Job.objects.order_by("pk")]
    assert asked == [True, False, False]


def test_a_snapshot_of_several(site: Client, ours: Make, place: Cluster) -> None:
    on, off = ours("on"), ours("off", status="stopped")
    site.post("/vms/actions/snapshot/", chosen(on, off) | {"name": "before", "has_memory": "on"})
    assert {job.params["snapshot_name"] for job in Job.objects.all()} == {"before"}
    kept = {row.guest_id: row.has_memory for row in [*on.snapshots.all(), *off.snapshots.all()]}
    assert kept == {on.pk: True, off.pk: False}, "what does not run has no memory to keep"


def nodes(place: Cluster, *names: str) -> None:
    for name in names:
        ClusterNode.objects.create(cluster=place, name=name, is_online=name != "pve9", seen_at=timezone.now())


def test_moving_offers_the_other_nodes_that_are_online(site: Client, ours: Make, place: Cluster) -> None:
    nodes(place, "pve1", "pve2", "pve3", "pve9")
    one, there = ours("one"), ours("there", node="pve2")
    page = site.get(f"/vms/{one.pk}/move/").content.decode()
    assert re.findall(r'<option value="(pve\d)"', page) == ["pve2", "pve3"]
    assert site.post(f"/vms/{one.pk}/move/", {"node": "pve9"}).status_code == 422
    site.post("/vms/actions/move/", chosen(one, there) | {"node": "pve2", "takes_disks": "on"})
    params = {job.params["guest"]: job.steps.get().params for job in Job.objects.all()}
    assert {pk: (told["target"], told["local_disks"]) for pk, told in params.items()} == {
        one.pk: ("pve2", True), there.pk: ("pve2", True),
    }  # fmt: skip


def test_a_copy_has_a_page_at_once(site: Client, ours: Make, place: Cluster) -> None:
    nodes(place, "pve1")
    source = ours("source")
    answer = site.post(f"/vms/{source.pk}/clone/", {"name": "Twin", "description": "Words"})
    copy = Guest.objects.get(name="twin")
    assert answer["Location"] == f"/vms/{copy.pk}/"
    assert "Creating" in site.get(answer["Location"]).content.decode()
    again = site.post(f"/vms/{source.pk}/clone/", {"name": "twin"})
    assert (again.status_code, "Nothing was begun" in again.content.decode()) == (422, True)
    assert 'value="twin"' in again.content.decode(), "what was typed stays"


def test_a_template_is_copied_and_nothing_else(site: Client, place: Cluster, development: Environment) -> None:
    nodes(place, "pve1")
    template = make_guest(place, name="golden", is_template=True)
    page = site.get(f"/vms/{template.pk}/").content.decode()
    assert f'href="/vms/{template.pk}/clone/"' in page
    assert f'href="/vms/{template.pk}/delete/"' not in page
    assert site.get(f"/vms/{template.pk}/delete/").status_code == 404
    site.post(f"/vms/{template.pk}/clone/", {"name": "fresh", "is_linked": "on"})
    assert Job.objects.get().params["source_vmid"] == template.vmid


def test_a_copy_that_cannot_be_is_refused_with_its_reason(site: Client, ours: Make) -> None:
    source = ours("source")
    answer = site.post(f"/vms/{source.pk}/clone/", {"name": "twin", "is_linked": "on"})
    assert "A linked copy is made of templates only" in answer.content.decode()
    assert site.post(f"/vms/{source.pk}/clone/", {"name": "-twin"}).status_code == 422
    assert not Job.objects.exists()


def test_machines_of_others_are_as_if_they_had_never_been(site: Client, ours: Make) -> None:
    foreign = make_guest(make_cluster(), name="canary-7f3a")
    for verb in VERBS:
        assert site.get(f"/vms/{foreign.pk}/{verb}/").status_code == 404
        assert site.post(f"/vms/{foreign.pk}/{verb}/", SOFT).status_code == 404
        assert verb not in FOR_MANY or site.post(f"/vms/actions/{verb}/", chosen(foreign) | SOFT).status_code == 404
    mixed = site.get("/vms/actions/stop/", chosen(foreign, ours())).content.decode()
    assert "canary-7f3a" not in mixed
    assert not Job.objects.exists()


@pytest.mark.parametrize("text", ["x", "-1", "9" * 30, "", "1 OR 1"])
def test_anything_can_be_chosen(site: Client, place: Cluster, text: str) -> None:
    assert site.get("/vms/actions/start/", {"vm": text}).status_code == 404


def test_nothing_chosen_says_so(site: Client, place: Cluster) -> None:
    for answer in (site.get("/vms/actions/delete/"), site.post("/vms/actions/delete/", {"confirm": "0"})):
        assert answer.status_code == 200
        assert "No machine is chosen" in answer.content.decode()
    assert site.get("/vms/actions/start/", {"vm": list(range(1, MOST + 2))}).status_code == 422


def test_a_silent_cluster_keeps_all_of_it_from_happening(site: Client, ours: Make, place: Cluster) -> None:
    guest = ours()
    Cluster.objects.filter(pk=place.pk).update(last_error="No answer.")
    site.post("/vms/actions/restart/", chosen(guest) | SOFT)
    assert not Job.objects.exists()


@pytest.mark.parametrize("count", [2, 40])
def test_asking_about_many_costs_as_much_as_about_few(
    site: Client, ours: Make, count: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    guests = [ours(f"web-{number}") for number in range(count)]
    with django_assert_max_num_queries(12):
        site.get("/vms/actions/stop/", chosen(*guests))


def test_who_may_only_read_is_refused(client: Client, ours: Make, place: Cluster) -> None:
    guest = ours()
    client.force_login(make_user("viewer", organization=place.organization))
    assert client.get(f"/vms/{guest.pk}/stop/").status_code == 403
    assert client.post("/vms/actions/stop/", chosen(guest) | SOFT).status_code == 403
    assert client.get("/vms/actions/").status_code == 200
