"""The pages of jobs: the list and its filters, one job with its steps and log, and stopping it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from alma.events.services import emit
from alma.jobs import engine, services
from alma.jobs.api.bodies import rows_of as api_rows
from alma.jobs.kinds import topics
from alma.jobs.models import Job, Step
from alma.jobs.pages import detail
from alma.jobs.pages.listing import kind_in_words
from alma.wiring import JOB_KINDS
from tests.factories.accounts import make_key, make_organization, make_user
from tests.factories.jobs import age, make_row, make_step
from tests.jobs.kinds import RunKind
from tests.jobs.running import make_job, spec

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def operator() -> User:
    return make_user("operator")


@pytest.fixture
def site(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def page_of(site: Client, path: str, **headers: str) -> str:
    answer = site.get(path, headers=headers)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def listed(site: Client, query: str = "") -> list[str]:
    """The titles of the list, in order."""
    html = page_of(site, f"/jobs/?{query}", **HTMX)
    return re.findall(r'<a class="row-link" href="[^"]+">([^<]+)</a>', html)


# -- the list ---------------------------------------------------------------------------------------
def test_all_jobs_of_the_organization_newest_first(site: Client) -> None:
    for title in ("one", "two", "three"):
        make_row(title=title)
    make_row(title="theirs", organization=make_organization("elsewhere"))
    assert listed(site) == ["three", "two", "one"]
    html = page_of(site, "/jobs/")
    assert "<html" in html and 'aria-label="Jobs by state"' in html
    assert "<html" not in page_of(site, "/jobs/", **HTMX)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=active", ["grow", "plan"]),
        ("state=failed", ["stop web"]),
        ("state=completed", ["start db"]),
        ("state=cancelled", ["scan all"]),
        ("state=nonsense", ["scan all", "start db", "stop web", "grow", "plan"]),
        ("kind=vm_stop", ["stop web"]),
        ("kind=nonsense", ["scan all", "start db", "stop web", "grow", "plan"]),
        ("who=BO", ["stop web"]),
        ("since=day", ["scan all", "start db", "stop web", "grow"]),
        ("since=nonsense", ["scan all", "start db", "stop web", "grow", "plan"]),
        ("machine=web", ["stop web", "grow"]),
        ("machine=vm-007", ["start db"]),
        ("machine=107", ["start db"]),
        ("q=START", ["start db"]),
        ("q=no+such+disk", ["stop web"]),
        ("q=bo+stop", ["stop web"]),
        ("q=deployment", ["grow"]),
        ("q=job-of-mine", ["scan all"]),
        ("q=%00", ["scan all", "start db", "stop web", "grow", "plan"]),
        ("state=failed&machine=db", []),
        ("page=99", ["scan all", "start db", "stop web", "grow", "plan"]),
    ],
)
def test_filters(site: Client, query: str, found: list[str]) -> None:
    age(make_row("queued", kind="plan", title="plan"), timedelta(days=2))
    make_row(kind="deployment", title="grow", steps={"web": "running", "db-2": "pending"})
    make_row(
        "failed", kind="vm_stop", title="stop web", created_by="bo", error={"code": "X", "message": "no such disk"}
    )
    make_row("completed", title="start db", params={"vm": "vm-007", "vmid": 107})
    make_row("cancelled", kind="scan", title="scan all", public_id="job-of-mine")
    assert listed(site, query) == found


def test_the_tabs_count_what_the_filters_leave(site: Client) -> None:
    for state in ("queued", "running", "failed", "completed", "completed"):
        make_row(state, created_by="ana")
    make_row("failed", created_by="bo")
    html = page_of(site, "/jobs/?who=ana&state=failed")
    counts = re.findall(r'<a href="/jobs/\?[^"]*"[^>]*>([\w ]+) <span class="n">(\d+)</span>', html)
    assert counts == [
        ("All", "5"),
        ("At work", "2"),
        ("Waiting for approval", "0"),
        ("Failed", "1"),
        ("Completed", "2"),
        ("Cancelled", "0"),
    ]
    assert 'aria-label="Remove the filter by ana"' in html


def test_nothing_yet_and_nothing_that_matches(site: Client) -> None:
    assert "Nothing was begun yet" in page_of(site, "/jobs/")
    assert "None failed" in page_of(site, "/jobs/?state=failed")
    assert "Nothing matches" in page_of(site, "/jobs/?q=absent")


def test_ten_thousand_jobs_take_few_queries(
    site: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    organization = make_organization()
    kinds = sorted(JOB_KINDS)
    jobs = Job.objects.bulk_create(
        Job(
            organization=organization, kind=kinds[number % len(kinds)], title=f"Work {number}", public_id=f"job-{number}",
            stream=f"x:{number}", state=Job.State.FAILED if number % 9 == 0 else Job.State.COMPLETED,
        )
        for number in range(10_000)
    )  # fmt: skip
    Step.objects.bulk_create(Step(job=job, ordinal=1, kind="x", key="web", title="Do") for job in jobs)
    for query in ("", "page=400", "state=failed&q=work&machine=web&who=&since=day", "kind=plan"):
        with django_assert_max_num_queries(8):
            page_of(site, f"/jobs/?{query}")


@pytest.mark.parametrize("kind", sorted(JOB_KINDS))
def test_a_kind_needs_nothing_for_its_pages(site: Client, kind: str) -> None:
    job = make_row(kind=kind, title="Some work", steps={"web": "running"})
    assert listed(site, f"kind={kind}") == ["Some work"]
    assert kind_in_words(kind) in page_of(site, job.get_absolute_url())
    assert f"{kind}:*" in topics().split()


def test_a_kind_that_is_no_longer_known_is_shown(site: Client) -> None:
    job = make_row("completed", kind="left_behind", title="Old work")
    assert listed(site) == ["Old work"]
    assert "Left behind" in page_of(site, job.get_absolute_url())


def test_a_list_watches_every_kind(site: Client) -> None:
    make_row()
    html = page_of(site, "/jobs/?who=ana", **HTMX)
    assert f'data-live="{topics()}"' in html
    assert 'hx-get="/jobs/?who=ana"' in html


@pytest.mark.parametrize(
    ("kind", "params", "links"),
    [
        ("deployment", {"ipr": 7}, ["/deployments/it/", "/iprs/7/"]),
        ("plan", {"ipr": 7}, ["/iprs/7/"]),
        ("rollback", {}, ["/deployments/it/"]),
        ("scan", {"scan": 3}, ["/security/3/"]),
        ("vm_stop", {"vm": "vm-007", "vmid": 107, "guest": 7}, ["/vms/7/"]),
    ],
)
def test_a_job_leads_to_what_it_is_about(site: Client, kind: str, params: dict[str, Any], links: list[str]) -> None:
    stream = "deployment:it" if kind == "rollback" else f"{kind}:it"
    job = make_row(kind=kind, params=params, public_id="it", stream=stream)
    for html in (page_of(site, "/jobs/", **HTMX), page_of(site, job.get_absolute_url())):
        assert all(f'href="{link}' in html for link in links)


# -- how far it is ----------------------------------------------------------------------------------
def test_progress_is_by_weight_and_says_what_is_done(site: Client) -> None:
    job = make_row(steps={"a": "succeeded"})
    make_step(job, key="b", weight=3, state="running", title="Copy the disk")
    html = page_of(site, "/jobs/")
    assert 'value="25" aria-label="Progress"' in html
    html = page_of(site, job.get_absolute_url())
    assert "1 of 2 steps · Copy the disk" in html


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_kinds")
def test_progress_never_goes_back(site: Client) -> None:
    job = make_job(spec("one", weight=2), spec("two", kind="slow", level=1), spec("three", level=2))
    shares: list[int] = []
    for _ in range(20):
        shares.append(
            int(re.findall(r'value="(\d+)" aria-label="Progress of the job"', page_of(site, f"/jobs/{job}/"))[0])
        )
        assert shares[-1] == api_rows([Job.objects.get(pk=job.pk)])[0]["progress"]
        engine.advance(job.pk, slot_seconds=0.001)
        job.refresh_from_db()
        if not job.is_active:
            break
    assert (shares, job.state) == (sorted(shares), "completed")
    assert 'value="100" aria-label="Progress of the job"' in page_of(site, f"/jobs/{job}/")


# -- one job ----------------------------------------------------------------------------------------
def test_steps_with_attempts_errors_and_what_was_read_back(site: Client) -> None:
    job = make_row("failed")
    make_step(job, key="a", state="succeeded", evidence={"vmid": 5001, "status": "running"}, attempts=1)
    error = {"code": "PVE_REFUSED", "message": "Start b: there is <no> memory"}
    make_step(job, key="b", state="failed", error=error, attempts=3)
    html = page_of(site, job.get_absolute_url())
    assert "&quot;vmid&quot;: 5001" in html and html.count("What was read back") == 1
    assert "attempt 3" in html and "attempt 1" not in html
    assert "there is &lt;no&gt; memory" in html
    assert "It does not work." in html


def test_evidence_is_cut_off_where_it_fills_the_page(site: Client) -> None:
    job = make_row("completed")
    make_step(job, state="succeeded", evidence={"log": "x" * 50_000})
    html = page_of(site, job.get_absolute_url())
    assert len(html) < 50_000 and "more letters" in html


def test_many_steps_have_pages(site: Client) -> None:
    job = make_row()
    Step.objects.bulk_create(
        Step(job=job, ordinal=number, kind="x", title=f"Step number {number}") for number in range(1, 121)
    )
    html = page_of(site, f"{job.get_absolute_url()}?page=3")
    assert "Step number 101<" in html and "Step number 100<" not in html
    assert 'hx-get="' + job.get_absolute_url() + '?page=3"' in html


@pytest.mark.parametrize("part", ["job-head", "job-live"])
def test_htmx_gets_the_part(site: Client, part: str) -> None:
    job = make_row()
    html = page_of(site, job.get_absolute_url(), **HTMX, **{"HX-Target": part})
    assert f'id="{part}"' in html.split(">", 1)[0] + html.split(">", 2)[1]
    assert f'data-live="{job.stream}"' in html


@pytest.mark.parametrize("state", ["completed", "failed", "cancelled"])
def test_what_has_ended_is_still(site: Client, state: str) -> None:
    html = page_of(site, make_row(state).get_absolute_url())
    live = re.findall(r'id="(job-head|job-live|log-more)"[^>]*data-live', html)
    assert live == []
    assert "Cancel this job" not in html


def test_a_job_of_others_is_not_there(site: Client) -> None:
    job = make_row("failed", organization=make_organization("elsewhere"))
    for path, method in ((job.get_absolute_url(), "get"), ("cancel/", "post"), ("dismiss/", "post")):
        full = path if path.startswith("/") else f"{job.get_absolute_url()}{path}"
        assert getattr(site, method)(full).status_code == 404


def test_who_may_not_read_jobs(client: Client) -> None:
    job = make_row()
    assert client.get("/jobs/").status_code == 302
    secret = make_key(frozenset({"vm:read"}))[1]
    for path in ("/jobs/", job.get_absolute_url(), "/jobs/tray/"):
        assert client.get(path, headers={"X-API-Key": secret}).status_code in {302, 403}


# -- its log ----------------------------------------------------------------------------------------
def tell(job: Job, count: int) -> None:
    for number in range(1, count + 1):
        emit(job.stream, f"{job.kind}.log", organization_id=job.organization_id, message=f"line {number}.")


def test_the_log_has_pages_and_goes_on(site: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detail, "MOST_LINES", 10)
    job = make_row()
    tell(job, 25)
    html = page_of(site, job.get_absolute_url())
    assert "line 16." in html and "line 15." not in html and "?before=16" in html
    assert 'name="after" value="25"' in html
    html = page_of(site, f"{job.get_absolute_url()}?before=16")
    assert "line 6." in html and "line 16." not in html and "Newest lines" in html
    more = site.get(f"{job.get_absolute_url()}?after=12", headers=HTMX | {"HX-Target": "log-lines"})
    assert re.findall(r"line (\d+)\.", more.content.decode()) == [str(number) for number in range(13, 23)]
    assert "alma:changed" in more["HX-Trigger-After-Settle"]
    more = site.get(f"{job.get_absolute_url()}?after=22", headers=HTMX | {"HX-Target": "log-lines"})
    assert "HX-Trigger-After-Settle" not in more and 'value="25" hx-swap-oob' in more.content.decode()


@pytest.mark.parametrize("place", ["x", "-1", "9" * 40, "1.5", ""])
def test_a_place_in_the_log_that_is_none(site: Client, place: str) -> None:
    job = make_row()
    tell(job, 2)
    assert "line 2." in page_of(site, f"{job.get_absolute_url()}?before={place}")


def test_the_log_ends_its_watch_with_the_job(site: Client) -> None:
    job = make_row("completed")
    html = page_of(site, f"{job.get_absolute_url()}?after=0", **HTMX, **{"HX-Target": "log-lines"})
    assert 'id="log-more" hx-swap-oob="delete"' in html


# -- stopping it ------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_kinds")
def test_a_job_is_stopped(site: Client) -> None:
    job = make_job(spec("one"), spec("two", level=1))
    assert RunKind.stopping in page_of(site, f"/jobs/{job}/")
    answer = site.post(f"/jobs/{job}/cancel/")
    assert (answer.status_code, answer["Location"]) == (302, f"/jobs/{job}/")
    html = page_of(site, f"/jobs/{job}/")
    assert "Asked to stop" in html and "Cancel this job" not in html
    assert site.post(f"/jobs/{job}/cancel/").status_code == 409
    engine.advance(job.pk)
    assert "What was done until then stays as it is." in page_of(site, f"/jobs/{job}/")


def test_stopping_needs_its_rights(client: Client) -> None:
    client.force_login(make_user("viewer"))
    job = make_row(kind="deployment", params={"ipr": 1})
    assert "This needs the right job:write" in page_of(client, job.get_absolute_url())
    assert client.post(f"{job.get_absolute_url()}cancel/").status_code == 403
    assert client.get(f"{job.get_absolute_url()}cancel/").status_code == 405


def test_what_ends_by_itself_says_so(site: Client) -> None:
    job = make_row(kind="plan")
    assert "end by themselves" in page_of(site, job.get_absolute_url())
    assert site.post(f"{job.get_absolute_url()}cancel/").status_code == 409


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_kinds")
def test_a_kind_is_listed_that_only_the_settings_know(site: Client, settings: Settings) -> None:
    job = make_job()
    assert list(settings.ALMA_JOB_KINDS) == ["run"]
    assert listed(site, "kind=run") == [kind_in_words("run")]
    services.cancel(job, by="ana")
    assert 'data-status="cancelling"' in page_of(site, "/jobs/?state=active")
