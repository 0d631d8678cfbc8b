"""The tray that every page has: what runs, what ended, and failures that stay until a person has read of them."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from alma.accounts.actors import for_service, for_user
from alma.errors import Refused
from alma.jobs import tray
from alma.jobs.kinds import topics
from alma.jobs.models import Dismissal, Job
from alma.overview.navigation import Navigation
from tests.factories.accounts import make_organization, make_user
from tests.factories.jobs import age, make_row

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def ana() -> User:
    return make_user("viewer")


@pytest.fixture
def site(client: Client, ana: User) -> Client:
    client.force_login(ana)
    return client


def shown(site: Client) -> str:
    answer = site.get("/jobs/tray/", headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


def groups(html: str) -> dict[str, list[str]]:
    """The titles in each part of the tray."""
    parts = re.split(r'data-key="tray-(unread|active|ended)"', html)
    titles = [re.findall(r'<a class="row-link" href="[^"]+">([^<]+)</a>', part) for part in parts[2::2]]
    return dict(zip(parts[1::2], titles, strict=True))


def counted(html: str) -> tuple[str, ...]:
    """The numbers beside the icon."""
    return tuple(re.findall(r'<span class="tray-n is-(\w+)">(\d+\+?)', html)) or ()


# -- what it shows ----------------------------------------------------------------------------------
def test_what_runs_what_failed_and_what_ended(site: Client) -> None:
    make_row(title="grow", steps={"a": "succeeded", "b": "running", "c": "pending", "d": "pending"})
    make_row("queued", title="next")
    make_row("failed", title="broke")
    make_row("completed", title="done")
    make_row("cancelled", title="stopped")
    make_row(title="theirs", organization=make_organization("elsewhere"))
    html = shown(site)
    assert groups(html) == {"unread": ["broke"], "active": ["next", "grow"], "ended": ["stopped", "done"]}
    assert 'value="25"' in html and "Start b" in html and "waiting for a worker" in html
    assert "It does not work." in html and "theirs" not in html
    assert counted(html) == (("run", "2"), ("bad", "1"))
    assert "2 at work, 1 failed" in html


def test_nothing_at_all(site: Client) -> None:
    html = shown(site)
    assert groups(html) == {"active": []}
    assert "Nothing runs now." in html and counted(html) == ()


def test_each_part_is_bounded_and_leads_on(site: Client) -> None:
    for state in ("running", "failed", "completed"):
        for _ in range(12):
            make_row(state)
    html = shown(site)
    assert {name: len(titles) for name, titles in groups(html).items()} == {
        "unread": tray.MOST_UNREAD, "active": tray.MOST_ACTIVE, "ended": tray.MOST_ENDED,
    }  # fmt: skip
    assert 'href="/jobs/?state=failed"' in html and 'href="/jobs/?state=active"' in html
    assert counted(html) == (("run", "12"), ("bad", "12"))


@pytest.mark.parametrize(
    ("state", "old", "part"), [("failed", tray.STAYS, "unread"), ("completed", tray.LATELY, "ended")]
)
def test_what_is_long_past_is_left_to_the_list(site: Client, state: str, old: timedelta, part: str) -> None:
    age(make_row(state, title="lately"), old - timedelta(minutes=5))
    age(make_row(state, title="long ago"), old + timedelta(minutes=5))
    assert groups(shown(site))[part] == ["lately"]


def test_while_nobody_opens_it_only_its_numbers_are_asked_for(
    site: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make_row()
    make_row("failed", title="broke")
    with django_assert_max_num_queries(4):
        html = site.get("/jobs/tray/?part=count", headers=HTMX).content.decode()
    assert counted(html) == (("run", "1"), ("bad", "1")) and "broke" not in html
    assert html.lstrip().startswith('<span class="tray-count" id="tray-count"')
    assert 'id="rail-jobs" hx-swap-oob="true"' in html


def test_without_scripts_the_list_shows_the_same(site: Client) -> None:
    assert site.get("/jobs/tray/")["Location"] == "/jobs/"


@pytest.mark.parametrize("count", [1, 30])
def test_takes_few_queries(site: Client, count: int, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for state in ("running", "failed", "completed") * count:
        make_row(state, steps={"a": "pending"})
    with django_assert_max_num_queries(8):
        shown(site)


# -- every page -------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["/", "/iprs/", "/vms/", "/jobs/", "/security/"])
def test_every_page_has_it(site: Client, path: str) -> None:
    make_row()
    make_row("failed")
    html = site.get(path).content.decode()
    assert html.count('id="tray-live"') == 1
    for part in ("/jobs/tray/", "/jobs/tray/?part=count"):
        assert html.count(f'data-live="{topics()}" data-live-gap="1500" hx-get="{part}"') == 1
    assert counted(html) == (("run", "1"), ("bad", "1"))
    rail = html[html.index('id="rail-jobs"') :]
    assert re.findall(r'rail-badge is-(\w+)"><span class="sr">, </span>(\d+)', rail)[:2] == [("run", "1"), ("bad", "1")]


def test_its_numbers_take_no_query_of_their_own(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    make_row()
    make_row("failed")
    navigation = Navigation(for_user(make_user("viewer")))
    with django_assert_num_queries(1):
        assert (navigation.active_jobs, navigation.failed_jobs, navigation.review_count) == (1, 1, 0)


def test_numbers_of_three_digits_are_not_read() -> None:
    organization = make_organization()
    Job.objects.bulk_create(
        Job(organization=organization, kind="scan", public_id=f"job-{number}", stream=f"scan:{number}")
        for number in range(120)
    )
    assert Navigation(for_user(make_user("viewer"))).active_jobs == "99+"


def test_who_has_no_organization_has_no_tray(client: Client) -> None:
    client.force_login(make_user(None))
    assert 'id="tray"' not in client.get("/").content.decode()
    assert client.get("/jobs/tray/", headers=HTMX).status_code == 403


# -- dismissing -------------------------------------------------------------------------------------
def test_a_failure_stays_until_it_is_dismissed(site: Client, ana: User) -> None:
    job = make_row("failed", title="broke")
    assert groups(shown(site))["unread"] == groups(shown(site))["unread"] == ["broke"]
    answer = site.post(f"/jobs/{job}/dismiss/", headers=HTMX)
    html = answer.content.decode()
    assert groups(html) == {"active": []} and counted(html) == ()
    assert (Dismissal.objects.get().user, Dismissal.objects.get().job) == (ana, job)
    assert "unread" not in groups(shown(site))


def test_each_person_dismisses_for_themselves(site: Client) -> None:
    job = make_row("failed", title="broke")
    site.post(f"/jobs/{job}/dismiss/")
    other = Client()
    other.force_login(make_user("viewer"))
    assert groups(shown(other))["unread"] == ["broke"]


def test_a_job_that_fails_again_is_unread_again(site: Client) -> None:
    job = make_row("failed", title="broke")
    site.post(f"/jobs/{job}/dismiss/")
    Job.objects.filter(pk=job.pk).update(finished_at=timezone.now() + timedelta(seconds=1))
    assert groups(shown(site))["unread"] == ["broke"]
    Dismissal.objects.update(at=timezone.now() - timedelta(days=1))
    Job.objects.filter(pk=job.pk).update(finished_at=timezone.now())
    site.post(f"/jobs/{job}/dismiss/")
    assert "unread" not in groups(shown(site)) and Dismissal.objects.count() == 1


def test_all_at_once(site: Client) -> None:
    for _ in range(8):
        make_row("failed")
    theirs = make_row("failed", organization=make_organization("elsewhere"))
    assert groups(site.post("/jobs/dismiss/", headers=HTMX).content.decode()) == {"active": []}
    assert Dismissal.objects.count() == 8 and not theirs.dismissals.exists()


def test_without_scripts_one_comes_back_to_the_list(site: Client) -> None:
    job = make_row("failed")
    assert f'action="/jobs/{job}/dismiss/"' in site.get("/jobs/").content.decode()
    answer = site.post(f"/jobs/{job}/dismiss/", follow=True)
    assert answer.redirect_chain == [("/jobs/", 302)]
    assert f'action="/jobs/{job}/dismiss/"' not in answer.content.decode()
    assert "Dismissed." in answer.content.decode()


def test_twice_is_harmless_and_what_did_not_fail_is_nothing(site: Client) -> None:
    failed, done = make_row("failed"), make_row("completed")
    for job in (failed, failed, done):
        assert site.post(f"/jobs/{job}/dismiss/", headers=HTMX).status_code == 200
    assert list(Dismissal.objects.values_list("job", flat=True)) == [failed.pk]


@pytest.mark.parametrize("path", ["/jobs/dismiss/", "/jobs/{job}/dismiss/"])
def test_reading_dismisses_nothing(site: Client, path: str) -> None:
    job = make_row("failed")
    assert site.get(path.format(job=job)).status_code == 405
    site.get(job.get_absolute_url())
    assert not Dismissal.objects.exists()


def test_a_program_reads_for_nobody() -> None:
    make_organization()
    job: Any = make_row("failed")
    with pytest.raises(Refused) as refusal:
        tray.dismiss([job], by=for_service("key"))
    assert refusal.value.code == "NOT_A_PERSON"
    assert list(tray.unread(for_service("key"))) == [job]
