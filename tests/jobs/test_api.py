"""`/v1/jobs`: how jobs look to the clients of the Proxmox AI document, which ask again while one is `running`."""

from typing import Any

import pytest
from django.test import Client

from alma.accounts.scopes import READ
from alma.events.services import emit
from alma.jobs import engine
from alma.jobs.api.bodies import MOST_LOGS
from alma.jobs.models import Job
from tests.factories.accounts import make_key, make_organization
from tests.jobs.kinds import RunKind
from tests.jobs.running import finish, make_job, spec

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("small_kinds")]
DOCUMENTED = {"id", "type", "status", "progress", "started_at", "estimated_completion", "logs"}


def site(job: Job, *scopes: str) -> Client:
    key = make_key(frozenset(scopes) or READ | {"job:write"}, organization=job.organization)
    return Client(headers={"Authorization": f"Bearer {key[1]}"})


def shown(job: Job) -> Any:
    answer = site(job).get(f"/v1/jobs/{job.public_id}/")
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]["job"]


def test_the_loop_of_the_documented_client_ends() -> None:
    job = make_job(spec("one"), spec("two", level=1))
    body = shown(job)
    assert body.keys() >= DOCUMENTED
    assert (body["id"], body["type"], body["status"], body["phase"]) == (job.public_id, "run", "running", "queued")
    assert (body["progress"], body["started_at"], body["estimated_completion"]) == (0, None, None)
    turns, shares = 0, []
    while (body := shown(job))["status"] == "running":
        shares.append(body["progress"])
        turns += 1
        assert turns < 20
        engine.advance(job.pk)
    assert (body["status"], body["phase"], body["progress"]) == ("completed", "ended", 100)
    assert shares == sorted(shares)
    assert body["completed_at"] and body["estimated_completion"] is None


def test_the_log_ends_with_the_newest_line() -> None:
    job = finish(make_job(spec("one")))
    lines = shown(job)["logs"]
    assert [line["message"] for line in lines] == [
        "Queued", "Started", "Do one: running", "Do one: succeeded", "Completed",
    ]  # fmt: skip
    assert all(line.keys() == {"timestamp", "level", "message"} and line["level"] == "info" for line in lines)


def test_the_log_is_bounded_and_keeps_the_end() -> None:
    job = make_job()
    for number in range(MOST_LOGS + 5):
        emit(job.stream, "run.log", organization_id=job.organization_id, message=f"line {number}", level="warning")
    lines = shown(job)["logs"]
    assert (len(lines), lines[0]["message"], lines[-1]["message"]) == (MOST_LOGS, "line 5", f"line {MOST_LOGS + 4}")
    assert lines[-1]["level"] == "warning"


def test_a_job_that_failed_says_why() -> None:
    body = shown(finish(make_job(spec("one", kind="failing"))))
    assert (body["status"], body["error"]) == ("failed", {"code": "BROKEN", "message": "It does not work."})
    assert "error" in {line["level"] for line in body["logs"]}


def test_an_estimate_comes_from_runs_before() -> None:
    done = finish(make_job())
    assert done.started_at and done.finished_at
    Job.objects.filter(pk=done.pk).update(started_at=done.finished_at.replace(year=done.finished_at.year - 1))
    body = shown(make_job())
    assert body["estimated_completion"] > body["created_at"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["queued", "failed", "completed"]),
        ("status=running", ["queued"]),
        ("status=failed", ["failed"]),
        ("type=run&limit=2", ["queued", "failed"]),
        ("type=other", []),
    ],
)
def test_the_list(query: str, found: list[str]) -> None:
    jobs = [finish(make_job()), finish(make_job(spec("one", kind="failing"))), make_job()]
    names = {job.public_id: name for job, name in zip(jobs, ["completed", "failed", "queued"], strict=True)}
    data = site(jobs[0]).get(f"/v1/jobs?{query}").json()["data"]
    assert [names[row["id"]] for row in data["jobs"]] == found
    assert set(data) == {"jobs", "pagination"}
    if not query:
        assert [row["progress"] for row in data["jobs"]] == [0, 0, 100]


def test_a_status_that_is_none() -> None:
    assert site(make_job()).get("/v1/jobs?status=queued").status_code == 400


def test_cancelling_is_running_until_it_has_ended() -> None:
    job = make_job(spec("one", kind="slow"), spec("two", level=1))
    answer = site(job).delete(f"/v1/jobs/{job.public_id}")
    body = answer.json()["data"]["job"]
    assert (answer.status_code, body["status"], body["phase"]) == (200, "running", "cancelling")
    assert site(job).delete(f"/v1/jobs/{job.public_id}").status_code == 409
    assert shown(finish(job))["status"] == "cancelled"


def test_a_job_that_has_ended_is_not_cancelled() -> None:
    job = finish(make_job())
    answer = site(job).delete(f"/v1/jobs/{job.public_id}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "RESOURCE_CONFLICT")


def test_a_kind_that_ends_by_itself_is_not_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunKind, "is_cancellable", False)
    job = make_job()
    assert site(job).delete(f"/v1/jobs/{job.public_id}").status_code == 409
    assert Job.objects.get(pk=job.pk).cancel_requested_at is None


def test_another_organization_sees_nothing() -> None:
    job = make_job()
    key = make_key(READ | {"job:write"}, organization=make_organization("elsewhere"))
    other = Client(headers={"X-API-Key": key[1]})
    assert other.get(f"/v1/jobs/{job.public_id}").status_code == 404
    assert other.delete(f"/v1/jobs/{job.public_id}").status_code == 404
    assert other.get("/v1/jobs").json()["data"]["jobs"] == []


@pytest.mark.parametrize(("scope", "method", "status"), [("job:read", "delete", 403), ("job:write", "get", 403)])
def test_each_right_on_its_own(scope: str, method: str, status: int) -> None:
    job = make_job()
    assert getattr(site(job, scope), method)(f"/v1/jobs/{job.public_id}").status_code == status
