"""Pages of deployments: the list, the live page, its log, and the ways to stop and repeat."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from alma.accounts.actors import Actor, for_user
from alma.events.models import Event, Stream
from alma.events.services import emit
from alma.jobs.models import Job, Step
from iprs.models import IPR, Deployment
from iprs.pages.log import LINES
from tests.factories.accounts import make_actor, make_environment, make_organization, make_user
from tests.factories.iprs import item, make_deployment, make_ipr, make_plan

pytestmark = pytest.mark.django_db
LIST_QUERIES, PAGE_QUERIES = 8, 9


def signed_in(client: Client, role: str | None = "deployer") -> Actor:
    user = make_user(role)
    client.force_login(user)
    return for_user(user)


def deploying(**overrides: Any) -> Deployment:
    return make_deployment(make_ipr(status=IPR.Status.DEPLOYING), **overrides)


def failed() -> Deployment:
    ipr = make_ipr(status=IPR.Status.FAILED, environment=make_environment("development"))
    error = {"code": "PVE_TASK_FAILED", "message": "No storage ceph."}
    run = make_deployment(ipr, Deployment.Status.FAILED, leftovers=[{"key": "cache-1", "vmid": 5011, "node": "pve1"}])
    run.job.steps.filter(ordinal=1).update(state=Step.State.SUCCEEDED)
    run.job.steps.filter(ordinal=2).update(state=Step.State.FAILED, error=error)
    return run


def tell(run: Deployment, number: int) -> None:
    stream = Stream.objects.create(name=run.job.stream, organization_id=run.organization_id, last_seq=number)
    data = {"message": "a line", "level": "info", "step": 1, "key": "plan"}
    Event.objects.bulk_create(
        Event(stream=stream, seq=seq, kind="deployment.log", data=data, at=timezone.now())
        for seq in range(1, number + 1)
    )


def page(client: Client, run: Deployment, query: str = "", target: str = "") -> str:
    headers = {"HX-Request": "true", "HX-Target": target} if target else {}
    answer = client.get(f"/deployments/{run.job.public_id}/{query}", headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


# -- list -------------------------------------------------------------------------------------------
def test_list_by_state(client: Client) -> None:
    signed_in(client)
    runs = {status: make_deployment(make_ipr(), status) for status in ("in_progress", "failed", "completed")}
    for view, status in (("running", "in_progress"), ("failed", "failed"), ("completed", "completed")):
        assert list(client.get(f"/deployments/?view={view}").context["page"]) == [runs[status]]  # type: ignore[index]
    assert client.get("/deployments/").context["page"].paginator.count == 3


def test_list_shows_progress(client: Client) -> None:
    signed_in(client)
    run = deploying(is_dry_run=True)
    run.job.steps.filter(ordinal__lte=2).update(state=Step.State.SUCCEEDED)
    text = client.get("/deployments/").content.decode()
    assert "2 of 5 steps" in text
    assert "dry run" in text


@pytest.mark.parametrize("count", [1, 30])
def test_list_costs_the_same_for_any_number(
    client: Client, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    signed_in(client)
    author = make_actor()
    for _ in range(count):
        make_deployment(make_ipr(by=author))
    with django_assert_num_queries(LIST_QUERIES):
        client.get("/deployments/")


def test_list_of_another_organization_is_empty(client: Client) -> None:
    make_deployment(make_ipr(by=make_actor(organization=make_organization("other"))))
    signed_in(client)
    assert "Nothing was deployed yet" in client.get("/deployments/").content.decode()


def test_list_part_and_wrong_callers(client: Client) -> None:
    assert client.get("/deployments/").status_code == 302
    signed_in(client)
    assert client.post("/deployments/").status_code == 405
    part = client.get("/deployments/", headers={"HX-Request": "true"}).content.decode()
    assert part.startswith('<section class="stack" id="deployment-list"')


# -- page -------------------------------------------------------------------------------------------
def test_page_of_a_running_deployment(client: Client) -> None:
    signed_in(client)
    run = deploying()
    run.job.steps.filter(ordinal=1).update(state=Step.State.SUCCEEDED)
    text = page(client, run)
    assert "1 of 5 steps" in text
    assert "data-since=" in text
    assert f'data-live="{run.job.stream}"' in text
    assert 'id="log-more"' in text
    assert f"/deployments/{run.job.public_id}/cancel/" in text


def test_page_stops_asking_when_it_has_ended(client: Client) -> None:
    signed_in(client)
    run = make_deployment(make_ipr(), Deployment.Status.COMPLETED)
    text = page(client, run)
    assert f"deployment:{run.job.public_id}" not in text
    assert "Each guest was read back and is as planned." in text


def test_page_pins_the_first_error_with_what_to_do(client: Client) -> None:
    signed_in(client)
    text = page(client, failed())
    assert "Create VM cache-1: No storage ceph." in text
    assert "PVE_TASK_FAILED" in text
    assert "Nothing is created twice" in text
    assert "cache-1, VMID 5011 on pve1" in text
    assert "/retry/" in text


def test_page_names_the_failed_step_once(client: Client) -> None:
    signed_in(client)
    run = failed()
    error = {"code": "PVE_TASK_FAILED", "message": "Create VM cache-1: Proxmox says: no storage."}
    run.job.steps.filter(ordinal=2).update(error=error)
    text = page(client, run)
    assert "Create VM cache-1: Create VM cache-1" not in text
    assert '<p class="notice-title">Create VM cache-1: Proxmox says: no storage.</p>' in text
    assert '<span class="step-note text-bad">Proxmox says: no storage.</span>' in text


def test_page_says_where_guests_are(client: Client) -> None:
    signed_in(client)
    run = deploying()
    run.job.steps.filter(ordinal=2).update(state=Step.State.SUCCEEDED, evidence={"vmid": 5012, "node": "pve3"})
    assert "VMID 5012 on pve3" in page(client, run)


@pytest.mark.parametrize(
    ("state", "known", "said"),
    [
        ("running", {"journal": {"waits_for": "its guest agent"}}, "waiting for its guest agent, at most 180 s"),
        ("succeeded", {"evidence": {"answered": "its guest agent", "waited_seconds": 12.3}}, "its guest agent answered after 12 s"),
        ("succeeded", {"evidence": {"answered": "", "unasked": "it has no guest agent"}}, "could not be asked: it has no guest agent"),
    ],
)  # fmt: skip
def test_page_says_for_whom_a_run_waits(client: Client, state: str, known: dict[str, Any], said: str) -> None:
    signed_in(client)
    run = deploying()
    run.job.steps.filter(ordinal=3).update(kind="guest.await", params={"timeout": 180}, state=state, **known)
    assert said in page(client, run)


@pytest.mark.parametrize(
    ("states", "shown"),
    [
        (["pending"] * 4, "pending"),
        (["succeeded", "pending", "pending", "pending"], "running"),
        (["succeeded", "running", "pending", "pending"], "running"),
        (["succeeded", "failed", "pending", "pending"], "failed"),
        (["succeeded"] * 4, "succeeded"),
        (["succeeded", "succeeded_with_warnings", "succeeded", "succeeded"], "succeeded_with_warnings"),
    ],
)
def test_state_of_a_resource(client: Client, states: list[str], shown: str) -> None:
    signed_in(client)
    run = deploying()
    for ordinal, state in enumerate(states, start=2):
        run.job.steps.filter(ordinal=ordinal).update(state=state)
    groups = {group.key: group for group in client.get(run.get_absolute_url()).context["groups"]}
    assert groups["cache-1"].state == shown


def test_progress_is_whole_only_at_the_end(client: Client) -> None:
    signed_in(client)
    run = deploying()
    run.job.steps.update(state=Step.State.SUCCEEDED)
    assert client.get(run.get_absolute_url()).context["percentage"] == 99
    Deployment.objects.update(status=Deployment.Status.COMPLETED)
    assert client.get(run.get_absolute_url()).context["percentage"] == 100


@pytest.mark.parametrize("size", [1, 40])
def test_page_costs_the_same_for_any_size(
    client: Client, size: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    signed_in(client)
    ipr = make_ipr(plan=False, status=IPR.Status.DEPLOYING)
    make_plan(ipr, *(item(f"web-{number}") for number in range(size)))
    run = make_deployment(ipr)
    tell(run, size)
    with django_assert_num_queries(PAGE_QUERIES):
        page(client, run)


@pytest.mark.parametrize("part", ["run-head", "run-live"])
def test_page_htmx_gets_the_part(client: Client, part: str) -> None:
    signed_in(client)
    assert f'id="{part}"' in page(client, deploying(), target=part).split(">", 1)[0]


def test_page_anonymous_foreign_and_wrong_method(client: Client) -> None:
    run = deploying()
    assert client.get(run.get_absolute_url()).status_code == 302
    signed_in(client)
    foreign = make_deployment(make_ipr(by=make_actor(organization=make_organization("other"))))
    assert client.get(foreign.get_absolute_url()).status_code == 404
    assert client.get("/deployments/nothing/").status_code == 404
    assert client.post(run.get_absolute_url()).status_code == 405


# -- log --------------------------------------------------------------------------------------------
def test_log_part_has_only_what_is_new(client: Client) -> None:
    signed_in(client)
    run = deploying()
    tell(run, 5)
    part = page(client, run, "?after=3", target="log-lines")
    assert [f'id="line-{seq}"' in part for seq in range(1, 6)] == [False, False, False, True, True]
    assert 'name="after" value="5" hx-swap-oob="true"' in part


def test_log_part_without_news_keeps_its_place(client: Client) -> None:
    signed_in(client)
    run = deploying()
    tell(run, 2)
    part = page(client, run, "?after=2", target="log-lines")
    assert "log-line" not in part
    assert 'value="2"' in part


def test_log_goes_back_page_by_page(client: Client) -> None:
    signed_in(client)
    run = deploying()
    tell(run, LINES + 4)
    newest = page(client, run)
    assert 'id="line-5"' in newest
    assert 'id="line-4"' not in newest
    assert 'href="?before=5"' in newest
    older = page(client, run, "?before=5")
    assert 'id="line-4"' in older
    assert 'id="line-5"' not in older
    assert 'id="log-more"' not in older


@pytest.mark.parametrize("query", ["?after=x", "?after=-1", "?before=", "?before=9" + "9" * 40, "?after=²"])
def test_log_takes_any_position(client: Client, query: str) -> None:
    signed_in(client)
    run = deploying()
    tell(run, 1)
    page(client, run, query)
    page(client, run, query, target="log-lines")


def test_log_escapes_what_a_cluster_says(client: Client) -> None:
    signed_in(client)
    run = deploying()
    emit(
        run.job.stream, "deployment.error", organization_id=run.organization_id, message="<script>x</script>", code="X"
    )  # fmt: skip
    assert "<script>x" not in page(client, run)


def test_empty_log_says_why(client: Client) -> None:
    signed_in(client)
    assert "the first line appears when a worker takes it up" in page(client, deploying(status="queued"))


# -- cancel and retry -------------------------------------------------------------------------------
def test_cancel_asks_the_job_to_stop(client: Client) -> None:
    signed_in(client)
    run = deploying()
    answer = client.post(f"{run.get_absolute_url()}cancel/")
    assert answer.headers["Location"] == run.get_absolute_url()
    run.refresh_from_db()
    assert run.status == Deployment.Status.CANCELLING
    assert Job.objects.get().cancel_requested_at is not None


def test_retry_queues_the_failed_step_again(client: Client) -> None:
    signed_in(client)
    run = failed()
    assert client.post(f"{run.get_absolute_url()}retry/").status_code == 302
    run.refresh_from_db()
    assert (run.status, run.ipr.status) == (Deployment.Status.QUEUED, IPR.Status.DEPLOYING)
    assert not run.job.steps.filter(state=Step.State.FAILED).exists()


@pytest.mark.parametrize(("name", "status"), [("cancel", "completed"), ("cancel", "cancelling"), ("retry", "completed"), ("retry", "in_progress")])  # fmt: skip
def test_action_in_the_wrong_state_is_refused(client: Client, name: str, status: str) -> None:
    signed_in(client)
    run = make_deployment(make_ipr(), status)
    assert client.post(f"{run.get_absolute_url()}{name}/").status_code == 409
    run.refresh_from_db()
    assert run.status == status


@pytest.mark.parametrize("name", ["cancel", "retry"])
def test_action_of_a_viewer_is_refused_and_shown_with_the_reason(client: Client, name: str) -> None:
    signed_in(client, "viewer")
    run = deploying() if name == "cancel" else failed()
    assert "This needs the right ipr:deploy" in page(client, run)
    assert client.post(f"{run.get_absolute_url()}{name}/").status_code == 403


@pytest.mark.parametrize("name", ["cancel", "retry"])
def test_action_anonymous_foreign_and_wrong_method(client: Client, name: str) -> None:
    run = deploying()
    assert client.post(f"{run.get_absolute_url()}{name}/").status_code == 302
    signed_in(client)
    assert client.get(f"{run.get_absolute_url()}{name}/").status_code == 405
    foreign = make_deployment(make_ipr(by=make_actor(organization=make_organization("other"))))
    assert client.post(f"{foreign.get_absolute_url()}{name}/").status_code == 404


def test_log_asks_again_at_once_while_a_page_is_full(client: Client) -> None:
    signed_in(client)
    run = deploying()
    tell(run, LINES + 1)
    headers = {"HX-Request": "true", "HX-Target": "log-lines"}
    full = client.get(f"{run.get_absolute_url()}?after=0", headers=headers)
    rest = client.get(f"{run.get_absolute_url()}?after={LINES}", headers=headers)
    assert "#log-more" in full.headers["HX-Trigger-After-Settle"]
    assert "HX-Trigger-After-Settle" not in rest.headers


def test_log_stops_asking_after_the_last_line(client: Client) -> None:
    signed_in(client)
    run = make_deployment(make_ipr(), Deployment.Status.COMPLETED)
    tell(run, 2)
    part = page(client, run, "?after=1", target="log-lines")
    assert 'id="line-2"' in part
    assert '<div id="log-more" hx-swap-oob="delete"></div>' in part
    assert "log-more" not in page(client, deploying(), "?after=0", target="log-lines")


# -- undoing ----------------------------------------------------------------------------------------
def test_page_lists_what_a_rollback_would_do_and_asks_for_a_tick(client: Client) -> None:
    signed_in(client)
    text = page(client, failed())
    assert 'href="#rollback"' in text
    assert '<input type="checkbox" name="confirm" value="1" required>' in text
    assert "This run has left no guest to remove or to restore" in text


def test_rollback_needs_the_tick_the_right_and_a_run_that_stopped(client: Client) -> None:
    run = failed()
    url = f"/deployments/{run.job.public_id}/rollback/"
    signed_in(client, "reviewer")
    assert client.post(url, {"confirm": "1"}).status_code == 403
    assert "/rollback/" not in page(client, run)
    signed_in(client)
    client.post(url)
    assert Deployment.objects.get(pk=run.pk).status == "failed"
    assert client.post(url, {"confirm": "1"}).status_code == 302
    undone = Deployment.objects.select_related("rollback", "job").get(pk=run.pk)
    assert undone.status == "rolling_back"
    assert undone.rollback is not None
    assert undone.rollback.stream == undone.job.stream
    assert f'data-live="{run.job.stream}"' in page(client, run)
    client.post(url, {"confirm": "1"})
    assert Job.objects.filter(kind="rollback").count() == 1


def test_force_is_offered_once_a_cancel_was_asked_for(client: Client) -> None:
    signed_in(client)
    run = deploying()
    assert 'name="force"' not in page(client, run)
    client.post(f"/deployments/{run.job.public_id}/cancel/")
    assert '<input type="hidden" name="force" value="1">' in page(client, run)
    run.job.steps.filter(ordinal=2).update(state=Step.State.RUNNING)
    client.post(f"/deployments/{run.job.public_id}/cancel/", {"force": "1"})
    assert Deployment.objects.get(pk=run.pk).status == "cancelled"
    assert run.job.steps.get(ordinal=2).state == "cancelled"
