"""Pages of an operation that people have to agree to: its IPR, its plan, its job, and the deployment that carries it out."""

from typing import Any

import pytest
from django.test import Client

from alma.accounts.actors import Actor
from alma.jobs.models import Job
from iprs import services
from iprs.models import IPR
from tests.iprs.operations.conftest import approve, carry_out, ipr_of, planned
from vms.models import Guest
from vms.operations import power, snapshots
from vms.operations.power import Stop
from vms.operations.removal import delete


@pytest.fixture
def page(boss: Actor) -> Client:
    client = Client()
    assert boss.user is not None
    client.force_login(boss.user)
    return client


@pytest.fixture
def job(machine: Guest, by: Actor) -> Job:
    return power.stop(machine, Stop(), by=by)


def text_of(page: Client, path: str) -> str:
    answer = page.get(path)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def test_ipr_says_what_will_be_done_and_names_its_job(page: Client, job: Job) -> None:
    ipr = planned(job)
    text = text_of(page, ipr.get_absolute_url())
    assert job.get_absolute_url() in text
    assert job.public_id in text
    assert "Stop web" in text
    assert "Changes one guest" in text
    assert "Edit blueprint" not in text
    assert "None" not in text
    changes = text_of(page, f"{ipr.get_absolute_url()}changes/")
    assert "Its system is asked to shut down and has 300 s" in changes
    assert "asked for" in changes
    assert "1 step will run" in changes


def test_list_and_search_know_it(page: Client, job: Job) -> None:
    ipr = planned(job)
    for query in ("", "?view=review", "?q=web", "?q=env:production"):
        text = text_of(page, f"/iprs/{query}")
        assert ipr.get_absolute_url() in text, query
        assert "one operation" in text


def test_job_says_what_it_waits_for(page: Client, job: Job) -> None:
    ipr = planned(job)
    job.refresh_from_db()
    text = text_of(page, job.get_absolute_url())
    assert "People have to agree before it begins" in text
    assert ipr.get_absolute_url() in text
    assert "The proposal that it waits for is withdrawn with it" in text
    assert job.get_absolute_url() in text_of(page, "/jobs/?state=waiting")
    page.post(f"{job.get_absolute_url()}cancel/")
    assert IPR.objects.get().status == "cancelled"


def test_turned_down_it_says_that_it_is_not_opened_again(page: Client, job: Job, boss: Actor) -> None:
    services.review(planned(job), "reject", by=boss, comments="Not now.")
    text = text_of(page, ipr_of(job).get_absolute_url())
    assert "Its job has ended without a beginning" in text
    assert "ask for the operation anew" in text
    job.refresh_from_db()
    assert "Not now." in text_of(page, job.get_absolute_url())


def test_deployment_shows_the_operation(page: Client, job: Job, boss: Actor) -> None:
    run = carry_out(job, by=boss)
    text = text_of(page, run.get_absolute_url())
    assert "Stop web" in text
    assert "Roll back" not in text
    text_of(page, ipr_of(job).get_absolute_url())
    text_of(page, "/deployments/")
    text_of(page, "/")


def test_deletion_names_what_is_lost(page: Client, machine: Guest, by: Actor) -> None:
    ipr = planned(delete(machine, is_forced=True, keeps_backups=True, by=by))
    text = text_of(page, f"{ipr.get_absolute_url()}changes/")
    assert "erased and cannot be brought back" in text
    assert "its backups stay" in text


def test_putting_back_names_what_is_lost(page: Client, machine: Guest, by: Actor, boss: Actor) -> None:
    row, job = snapshots.take(machine, "before", by=by)
    carry_out(job, by=boss)
    row.refresh_from_db()
    ipr = planned(snapshots.restore(machine, row, by=by))
    text = text_of(page, f"{ipr.get_absolute_url()}changes/")
    assert "Puts back" in text
    assert "holds now is lost and cannot be brought back" in text
    assert "is deleted" not in text


def test_problem_of_a_plan_offers_no_blueprint(page: Client, job: Job, machine: Guest, observer: Any) -> None:
    observer.nodes(machine.node).qemu(machine.vmid).config.put(description="mine now")
    ipr = planned(job)
    text = text_of(page, ipr.get_absolute_url())
    assert "no longer carries ALMA" in text
    assert "Edit blueprint" not in text
    assert "Plan again" in text


def test_other_pages_know_proposals_without_a_blueprint(page: Client, job: Job, boss: Actor) -> None:
    approve(planned(job), by=boss)
    for path in ("/", "/mission-control/", "/iprs/?q=blueprint:web", "/jobs/", "/vms/"):
        text_of(page, path)
