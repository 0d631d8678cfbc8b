"""What Prometheus reads, and who may."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from alma.accounts.scopes import INFERENCE
from alma.jobs import beats
from alma.jobs.models import Job
from alma.monitoring.requests import note
from alma.monitoring.tallies import tallies
from blueprints.counting import GENERATED, REFUSED, TOKENS
from tests.factories.accounts import make_key, make_user
from tests.factories.blueprints import make_blueprint
from tests.factories.iprs import make_deployment, make_ipr
from tests.factories.vms import make_cluster, make_guest
from vms.models import Cluster

pytestmark = pytest.mark.django_db
METRICS = "/api/v1/monitoring/metrics"
SUMMARY = "/api/v1/monitoring/metrics/summary"
Samples = dict[tuple[str, tuple[str, ...]], float]


def scrape(client: Client, path: str = METRICS) -> Samples:
    """Values by name and labels, in the order of the labels' names."""
    answer = client.get(path)
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.mark.parametrize("path", [METRICS, f"{METRICS}/", "/metrics", "/metrics/"])
def test_the_documented_names_are_there(client: Client, path: str) -> None:
    note({"method": "GET", "path": "/", "alma.route": r"^api/v1/blueprints/?$"}, 200, 0.07)
    answer = client.get(path)
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    text = answer.content.decode()
    assert "# HELP http_requests_total Total HTTP requests\n# TYPE http_requests_total counter\n" in text
    assert "# HELP http_request_duration_seconds HTTP request latency\n" in text
    assert "# TYPE http_request_duration_seconds histogram\n" in text
    samples = scrape(client, path)
    assert samples["http_requests_total", ("/api/v1/blueprints", "GET", "200")] >= 1
    bucket = "http_request_duration_seconds_bucket"
    assert samples[bucket, ("/api/v1/blueprints", "0.1", "GET")] > samples.get(
        (bucket, ("/api/v1/blueprints", "0.05", "GET")), 0
    )


@pytest.mark.parametrize("accept", ["text/html", "application/json", "*/*", ""])
def test_whatever_is_accepted_the_answer_is_text(client: Client, accept: str) -> None:
    assert client.get(METRICS, headers={"Accept": accept})["Content-Type"].startswith("text/plain")


def test_openmetrics_is_spoken_to_those_who_ask(client: Client) -> None:
    answer = client.get(METRICS, headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer["Content-Type"].startswith("application/openmetrics-text")
    assert answer.content.endswith(b"# EOF\n")


def test_figures_are_of_now(client: Client) -> None:
    ipr = make_ipr()
    make_deployment(ipr, "in_progress")
    make_deployment(ipr, "failed", is_dry_run=True)
    later = timezone.now() + timedelta(minutes=1)
    OrmQ.objects.bulk_create([OrmQ(key="alma", payload="x", lock=lock) for lock in (timezone.now(), None, later)])
    beats.beat(beats.WORKER)
    samples = scrape(client)
    assert samples["alma_iprs", ("pending",)] == 1
    assert samples["alma_iprs", ("deployed",)] == 0
    assert samples["alma_deployments", ("false", "in_progress")] == 1
    assert samples["alma_deployments", ("true", "failed")] == 1
    assert samples["alma_jobs", ("deployment", "running")] == 1
    assert samples["alma_jobs", ("deployment", "failed")] == 1
    assert samples["alma_jobs", ("plan", "queued")] == 0
    assert samples["alma_steps", ("pending",)] == Job.objects.active().get().steps.count()
    assert (samples["alma_queue_tasks", ("waiting",)], samples["alma_queue_tasks", ("taken",)]) == (2, 1)
    assert 0 <= samples["alma_role_silence_seconds", ("worker",)] < 5
    assert ("alma_role_silence_seconds", ("reconciler",)) not in samples
    assert samples["alma_websockets_open", ()] == samples["alma_event_lag", ()] == 0
    assert samples["alma_database_up", ()] == 1


def test_clusters_go_by_number_and_nobodys_name_is_told(client: Client) -> None:
    fine, silent = make_cluster(slug="canary-one"), make_cluster(slug="canary-two")
    make_guest(fine, name="canary-guest")
    make_guest(fine, status="stopped")
    make_blueprint(name="canary-blueprint")
    read = timezone.now() - timedelta(seconds=90)
    Cluster.objects.filter(pk=fine.pk).update(last_read_at=read)
    Cluster.objects.filter(pk=silent.pk).update(last_read_at=read, last_error="no answer")
    samples = scrape(client)
    assert samples["alma_cluster_readable", (str(fine.pk),)] == 1
    assert samples["alma_cluster_readable", (str(silent.pk),)] == 0
    assert 89 < samples["alma_cluster_reading_age_seconds", (str(silent.pk),)] < 120
    assert samples["alma_guests", ("running",)] == samples["alma_guests", ("stopped",)] == 1
    assert b"canary" not in client.get(METRICS).content


def test_metrics_come_while_the_database_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(connection, "cursor", away)
    samples = scrape(client)
    assert samples["alma_database_up", ()] == 0
    assert any(name == "process_resident_memory_bytes" for name, _ in samples)


# -- the summary ----------------------------------------------------------------------------------
@pytest.mark.parametrize("path", [SUMMARY, f"{SUMMARY}/"])
def test_the_summary_has_the_documented_keys(client: Client, path: str) -> None:
    body = client.get(path).json()
    assert {name: set(part) for name, part in body.items()} == {
        "http": {"total_requests", "avg_latency_ms", "error_rate"},
        "llm": {"total_generations", "avg_tokens_per_request", "total_tokens_generated"},
        "blueprints": {"total_created", "avg_resources", "validation_errors"},
    }
    whole = [value for part in body.values() for name, value in part.items() if name != "error_rate"]
    assert all(type(value) is int for value in whole)
    assert isinstance(body["http"]["error_rate"], float)


def test_the_summary_sums_requests(client: Client) -> None:
    before = tallies.totals("http.requests", "http.errors", "http.microseconds")
    for status, seconds in ((200, 3.0), (404, 1.0), (500, 2.0)):
        note({"method": "GET", "path": "/", "alma.route": "x"}, status, seconds)
    http = client.get(SUMMARY).json()["http"]
    requests = before["http.requests"] + 3
    assert http["total_requests"] == requests
    assert http["error_rate"] == round((before["http.errors"] + 2) / requests, 4)
    assert http["avg_latency_ms"] == pytest.approx((before["http.microseconds"] / 1000 + 6000) / requests, abs=1)


def test_the_summary_counts_blueprints(client: Client) -> None:
    machine = {"type": "vm", "specs": {}}
    make_blueprint(resources=[{"name": f"a-{number}", **machine} for number in range(4)])
    make_blueprint(resources=[{"name": "b", **machine}, {"name": "c", **machine}])
    gone = make_blueprint()
    gone.deleted_at = timezone.now()
    gone.save()
    found = client.get(SUMMARY).json()["blueprints"]
    assert (found["total_created"], found["avg_resources"]) == (3, 3)


def test_refused_documents_count_wherever_they_are_refused(client: Client) -> None:
    _, secret = make_key()
    before, headers = tallies.totals(REFUSED)[REFUSED], {"X-API-Key": secret}
    broken = {"version": "1.0", "name": "x", "resources": [{"name": "web", "type": "vm", "specs": {"memory": "8"}}]}
    blueprint = f"/api/v1/blueprints/{make_blueprint().pk}"
    for method, path in ((client.post, "/api/v1/blueprints"), (client.put, blueprint), (client.patch, blueprint)):
        assert method(path, broken, content_type="application/json", headers=headers).status_code == 422
    client.force_login(make_user())
    for action in ("check", "save"):
        client.post("/blueprints/new/", {"action": action, "document": "name: x"})
    assert client.get(SUMMARY).json()["blueprints"]["validation_errors"] == before + 4
    assert scrape(client)["alma_refused_documents_total", ()] == before + 4


async def whole(stream: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in stream])


def test_generations_count_and_the_health_check_is_none(client: Client) -> None:
    before = tallies.totals(GENERATED, TOKENS)
    wish, api = {"description": "one web server"}, "/api/v1/blueprints/generate-blueprint"
    assert client.post(api, wish, content_type="application/json").status_code == 200
    streamed = client.post(f"{api}-stream", wish, content_type="application/json")
    assert b"complete" in async_to_sync(whole)(streamed.streaming_content), "it is drafted while it is read"
    assert client.post(api, {}, content_type="application/json").status_code == 400
    client.get("/api/v1/monitoring/health/detailed")
    client.force_login(make_user())
    client.post("/blueprints/new/", {"action": "generate", **wish})
    llm = client.get(SUMMARY).json()["llm"]
    total, tokens = before[GENERATED] + 3, before[TOKENS]
    assert llm == {
        "total_generations": total,
        "avg_tokens_per_request": round(tokens / total),
        "total_tokens_generated": tokens,
    }


# -- who may --------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", [METRICS, "/metrics", SUMMARY])
def test_who_may_see_metrics(client: Client, settings: Settings, path: str) -> None:
    keys = {"none": None, "wrong": "alm_live_wrong"}
    keys |= {"inference": make_key(INFERENCE)[1], "reader": make_key(frozenset({"vm:read"}))[1]}
    seen: dict[tuple[bool, str], int] = {}
    for is_public in (True, False):
        settings.ALMA_PUBLIC_METRICS = is_public
        for who, key in keys.items():
            headers = {"X-API-Key": key} if key else {}
            seen[is_public, who] = client.get(path, headers=headers).status_code
    assert seen == {
        (True, "none"): 200, (True, "wrong"): 403, (True, "inference"): 200, (True, "reader"): 200,
        (False, "none"): 403, (False, "wrong"): 403, (False, "inference"): 403, (False, "reader"): 200,
    }  # fmt: skip


def test_a_refusal_is_worded_as_in_the_api(client: Client, settings: Settings) -> None:
    settings.ALMA_PUBLIC_METRICS = False
    assert set(client.get("/metrics").json()) == {"detail", "error_code", "timestamp"}
    assert client.post("/metrics").status_code == 405


def test_a_person_may_see_metrics(client: Client, settings: Settings) -> None:
    settings.ALMA_PUBLIC_METRICS = False
    client.force_login(make_user("viewer"))
    assert client.get("/metrics").status_code == 200
    client.force_login(make_user(None))
    assert client.get("/metrics").status_code == 403
