"""What is kept of what instances take, and its pictures."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from alma.accounts.models import Organization
from instances import measuring
from instances.models import Node, Sample
from instances.pages.metrics import Metrics
from tests.factories.accounts import make_actor, make_organization
from tests.factories.instances import make_instance
from tests.factories.routing import make_load, make_record, make_router, make_waiter

pytestmark = pytest.mark.django_db
RUNNING = {"wanted": "running", "status": "running", "run": 1, "wanted_run": 1}


def test_each_that_runs_is_sampled_once_a_half_minute_and_forgotten_after_a_day(organization: Organization) -> None:
    Node.objects.create(name="far", seen_at=timezone.now() - timedelta(minutes=5))
    one = make_instance("one", organization=organization, memory_bytes=2**20, cpu_percent=50.0, **RUNNING)
    make_instance("rests", organization=organization)
    make_instance("silent", organization=organization, node="far", **RUNNING)
    make_load(one, outstanding=3)
    make_load(one, make_router(), outstanding=2)
    make_waiter(one)
    Sample.objects.create(instance=one, at=timezone.now() - timedelta(hours=25))
    measuring.record()
    measuring.record()
    samples = list(Sample.objects.all())
    assert 1 <= len(samples) <= 2  # two where a half minute began between the calls
    assert {(row.instance, row.memory_bytes, row.cpu_percent, row.outstanding, row.waiting) for row in samples} == {
        (one, 2**20, 50.0, 5, 1)
    }


def test_pictures_have_gaps_where_it_did_not_run(site: Client, organization: Organization) -> None:
    one = make_instance("one", organization=organization)
    now = timezone.now()
    for minutes in (50, 49.5, 10, 9.5, 9):
        at = now - timedelta(minutes=minutes)
        Sample.objects.create(instance=one, at=at, memory_bytes=2**20 * 3, cpu_percent=150, outstanding=2, waiting=1)
    make_record(one, seconds=2.0, ago=300)
    memory, cpu, queue, speed = Metrics(one, make_actor("viewer", organization=organization), {}).charts
    assert len(memory.lines[0].pieces) == 2 and memory.lines[0].last == "3\xa0MiB"
    assert cpu.levels[0][0] == "200\xa0%" and [line.last for line in queue.lines] == ["2", "1"]
    assert "Of a request between 10 and 10" in speed.words
    day = Metrics(one, make_actor("viewer", organization=organization), {"period": "24h"}).charts[0]
    assert "between 3\xa0MiB and 3\xa0MiB" in day.words
    page = site.get("/instances/one/?view=metrics&period=x").content.decode()
    assert page.count("<polyline") >= 6 and "Tokens a second" in page
    part = site.get("/instances/one/?view=metrics", headers={"HX-Request": "true", "HX-Target": "metrics"})
    assert 'id="metrics"' in part.content.decode() and "<html" not in part.content.decode()


def test_samples_of_others_are_not_seen() -> None:
    theirs = make_instance("one", organization=make_organization("theirs"))
    Sample.objects.create(instance=theirs, at=timezone.now())
    assert not Sample.objects.visible_to(make_actor("viewer", organization=make_organization())).exists()
