"""Metrics of real web processes: each says its own, and the summary knows all of them and those before."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.fixtures.ports import free_port
from tests.server.running import MANAGE, answers, environment, get, running, wait_for

pytestmark = pytest.mark.processes
LIST = "/api/v1/blueprints"
SUMMARY = "/api/v1/monitoring/metrics/summary"


@contextmanager
def web(folder: Path) -> Iterator[int]:
    """A web role that ends as a supervisor would end it; yields its port."""
    port = free_port()
    with running([*MANAGE, "web"], environment(folder, ALMA_HTTP_PORT=port)) as process:
        wait_for(lambda: answers(port), what="the web role")
        yield port
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def requests(port: int) -> dict[tuple[str, str], float]:
    """Requests by endpoint and status."""
    families = text_string_to_metric_families(get(port, "/metrics")[1].decode())
    samples = [sample for family in families for sample in family.samples if sample.name == "http_requests_total"]
    return {(sample.labels["endpoint"], sample.labels["status"]): sample.value for sample in samples}


def summary(port: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(get(port, SUMMARY)[1])["http"]
    return found


def test_requests_count_per_process_and_sums_outlive_it(data: Path) -> None:
    with web(data) as first:
        for _ in range(5):
            assert get(first, LIST)[0] == 200
        for number in range(3):
            assert get(first, f"{LIST}/{number}")[0] == 404
        assert get(first, "/no/such/page")[0] == 404
        found = requests(first)
        assert found[LIST, "200"] == 5
        assert found[f"{LIST}/{{blueprint_id}}", "404"] == 3
        assert found["unknown", "404"] == 1
        before = summary(first)
        assert before["total_requests"] >= 10
        assert 0 < before["error_rate"] < 1
        assert before["avg_latency_ms"] >= 0
    with web(data) as second:
        assert (LIST, "200") not in requests(second)
        assert summary(second)["total_requests"] > before["total_requests"]
        assert summary(second)["error_rate"] > 0
