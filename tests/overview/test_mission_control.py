"""The mission control page: the activity of one organization under every filter, and what runs, at a constant cost."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from alma.accounts.actors import Actor, for_user
from alma.events.models import Event, Stream
from alma.events.services import emit
from alma.overview.activity import Filters, activity
from alma.overview.control import PER_PAGE
from alma.overview.feed import KINDS, entry_of
from alma.overview.sparkline import sparkline
from blueprints import projects
from blueprints.assistants import services
from iprs.models import IPR, Deployment
from tests.factories.accounts import make_actor, make_organization, make_project, make_user
from tests.factories.blueprints import make_blueprint
from tests.factories.iprs import make_deployment, make_ipr
from tests.factories.vms import make_cluster, make_guest
from vms.models import Cluster

pytestmark = pytest.mark.django_db
URL = "/mission-control/"
QUERIES = 12
PARTS = {"mission": 7, "mission-running": 4, "mission-activity": 5, "mission-feed": 4, "mission-machines": 4}


def signed_in(client: Client, role: str | None = "admin") -> Actor:
    user = make_user(role)
    client.force_login(user)
    return for_user(user)


def text_of(client: Client, query: str = "", part: str = "") -> str:
    headers = {"HX-Request": "true", "HX-Target": part} if part else {}
    answer = client.get(f"{URL}?{query}", headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def tell(ipr: IPR, kind: str = "ipr.commented", **data: Any) -> None:
    emit(ipr.stream, kind, organization_id=ipr.organization_id, actor="ana", ipr=ipr.pk, title=ipr.title, **data)


def told(client: Client, query: str = "") -> list[str]:
    """Who did what to what, newest first."""
    feed = text_of(client, query, "mission-feed")
    lines = re.findall(r'<div class="timeline-line">(.*?) · <time', feed, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", "", line).split()) for line in lines]


def test_it_is_for_people_of_the_organization_alone(client: Client) -> None:
    assert client.get(URL).status_code == 302
    client.force_login(make_user(None))
    assert client.get(URL).status_code == 403
    signed_in(client)
    assert client.post(URL).status_code == 405
    assert "Mission control" in text_of(client)


def test_the_page_says_what_happened_and_links_to_it(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr(title="Ship it")
    make_deployment(ipr, Deployment.Status.COMPLETED)
    foreign = make_ipr(by=make_actor(organization=make_organization("other")), title="canary")
    tell(foreign)
    text = text_of(client)
    assert f'<a href="/iprs/{ipr.pk}/">#{ipr.pk} Ship it</a>' in text
    assert "<h3>Today</h3>" in text
    assert 'href="/mission-control/" data-shortcut="g m"' in text
    assert 'href="/api/v1/mission-control"' in text
    assert "canary" not in text
    assert " style=" not in text


def test_nothing_happened_and_nothing_matches(client: Client) -> None:
    signed_in(client)
    assert "Nothing happened yet" in text_of(client)
    text = text_of(client, "search=nowhere")
    assert "Nothing matches" in text
    assert 'aria-label="Remove the filter “nowhere”"' in text


@pytest.mark.parametrize("part", PARTS)
def test_htmx_gets_the_part_that_it_swaps(
    client: Client, part: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    signed_in(client)
    make_guest(make_cluster(), vmid=7)
    tell(make_ipr())
    with django_assert_num_queries(PARTS[part]):
        text = text_of(client, part=part)
    assert f'id="{part}"' in text.split(">", 1)[0]
    assert "<html" not in text
    assert 'hx-get="/mission-control/"' in text


@pytest.mark.parametrize("count", [1, 30])
def test_the_page_costs_the_same_for_any_number(
    client: Client, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    signed_in(client)
    author, cluster = make_actor(), make_cluster()
    for number in range(count):
        make_deployment(make_ipr(by=author))
        make_guest(cluster, name=f"web-{number}", vmid=100 + number)
        make_project(slug=f"p{number}")
    with django_assert_num_queries(QUERIES):
        text = text_of(client)
    assert text.count('data-key="job-') == min(count, 6)
    assert ("All of them" in text) is (count > 6)


@pytest.fixture
def world(client: Client) -> IPR:
    admin = signed_in(client)
    project = make_project()
    blueprint = make_blueprint(by=admin, name="shop")
    projects.place(blueprint, project, by=admin)
    blueprint.refresh_from_db()
    ipr = make_ipr(blueprint=blueprint, title="Ship the Größe")
    cluster = make_cluster(organization=project.organization)
    make_guest(cluster, name="web-1", vmid=5001)
    make_guest(cluster, name="web-2", vmid=5002)
    emit(cluster.stream, "vm.created", organization_id=cluster.organization_id, name="web-1", vmid=5001)
    job = make_deployment(ipr).job
    emit(
        job.stream,
        "deployment.step",
        organization_id=job.organization_id,
        key="web-1",
        title="Make it",
        state="running",
    )
    return ipr


def test_a_machine_leads_to_its_page_while_there_is_one(client: Client, world: IPR) -> None:
    cluster, me = Cluster.objects.get(), make_actor()
    for kind in ("vm.status_changed", "vm.deleted"):
        emit(cluster.stream, kind, organization_id=cluster.organization_id, id="vm-012", name="web-2", vmid=5002)
    places = {event.kind: entry_of(event, me).url for event in Event.objects.filter(kind__startswith="vm.")}
    assert places == {
        "vm.created": "/vms/?q=id%3A5001", "vm.status_changed": "/vms/12/", "vm.deleted": "/vms/?q=id%3A5002",
    }  # fmt: skip


def test_filters_are_those_of_the_api(client: Client, world: IPR) -> None:
    assert told(client, "kind=vm") == ["ALMA found a new guest: web-1 (5001)"]
    assert any("Größe" in line for line in told(client, "search=gr%C3%B6%C3%9Fe"))
    assert set(told(client, "machine=web-1")) >= {"ALMA found a new guest: web-1 (5001)"}
    assert told(client, "machine=web-2") == []
    assert [line.startswith("ALMA Make it: begins – deploy-") for line in told(client, "kind=deployment.step")] == [
        True
    ]
    project = world.blueprint.project
    assert project is not None
    assert not any("web-1" in line for line in told(client, f"projectId={project.public_id}"))
    assert told(client, "agentId=6f1c9a52-3a0e-4c7e-9d4b-0f6f7a2b9c11") == []


def test_what_is_chosen_stays_in_the_form_and_the_links(client: Client, world: IPR) -> None:
    project = world.blueprint.project
    assert project is not None
    agent = "6f1c9a52-3a0e-4c7e-9d4b-0f6f7a2b9c11"
    query = f"search=web&kind=vm.created&agentId={agent}&projectId={project.public_id}&machine=web-1"
    text = text_of(client, query)
    for piece in ('value="web"', 'value="vm.created" selected', f'value="{project.public_id}" selected', 'value="web-1"',
                  f'name="agentId" value="{agent}"', f'href="/api/v1/mission-control?{query.replace("&", "&amp;")}"'):  # fmt: skip
        assert piece in text
    assert text.count('aria-label="Remove the filter ') == 5
    assert ">web-2<" not in text_of(client, query, "mission-machines")


@pytest.mark.parametrize(
    ("query", "status"),
    [("kind=IPR", 400), ("agentId=7", 400), (f"search={'x' * 101}", 400), ("machine=%00", 400), ("cursor=x", 400),
     ("projectId=6f1c9a52-3a0e-4c7e-9d4b-0f6f7a2b9c11", 404)],
)  # fmt: skip
def test_what_cannot_be_a_filter_is_said(client: Client, query: str, status: int) -> None:
    signed_in(client)
    assert client.get(f"{URL}?{query}").status_code == status


def test_agents_are_chosen_by_name(client: Client) -> None:
    admin = signed_in(client)
    agent = services.create(by=admin, name="Scout")
    text = text_of(client, f"agentId={agent.uid}")
    assert f'<option value="{agent.uid}" selected>Scout</option>' in text
    assert 'aria-label="Remove the filter agent Scout"' in text
    assert f'href="/mission-control/?agentId={agent.uid}">Scout</a>' in text


def test_it_is_read_on_from_a_cursor_and_back(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr()
    for number in range(PER_PAGE + 10):
        tell(ipr, plan=number)
    everything = Event.objects.filter(kind__in=("ipr.commented", "ipr.opened")).order_by("-at", "-pk")
    keys = [f'data-key="event-{event.pk}"' for event in everything]
    first = text_of(client)
    assert [key in first for key in keys] == [True] * PER_PAGE + [False] * (len(keys) - PER_PAGE)
    assert 'rel="prev"' not in first
    older = re.search(r'rel="next" href="/mission-control/\?([^"]+)"', first)
    assert older
    second = text_of(client, older[1].replace("&amp;", "&"))
    assert [key in second for key in keys] == [False] * PER_PAGE + [True] * (len(keys) - PER_PAGE)
    assert 'id="mission-feed" aria-labelledby="feed-title">' in second  # an older page stands still
    tell(ipr)
    newer = re.search(r'rel="prev" href="/mission-control/\?([^"]+)"', second)
    assert newer
    back = text_of(client, newer[1].replace("&amp;", "&"))
    assert [key in back for key in keys] == [True] * PER_PAGE + [False] * (len(keys) - PER_PAGE)
    assert client.get(f"{URL}?kind=ipr&{older[1]}").status_code == 400


def test_running_shows_what_is_at_work(client: Client) -> None:
    signed_in(client)
    ipr = make_ipr(title="Ship it")
    run = make_deployment(ipr)
    make_deployment(make_ipr(by=make_actor(organization=make_organization("other")), title="canary"))
    text = text_of(client, part="mission-running")
    assert f'href="{run.get_absolute_url()}">Ship it<' in text
    assert "<progress" in text
    assert "canary" not in text


def test_members_are_told_to_administrators_alone(client: Client) -> None:
    signed_in(client)
    organization = make_organization()
    stream = f"organization:{organization.pk}"
    emit(stream, "member.added", organization_id=organization.pk, actor="ana", member="zoe", role="viewer")
    emit(stream, "key.created", organization_id=organization.pk, actor="ana", name="ci")
    assert told(client) == ["ana made the key ci", "ana added as viewer: zoe"]
    client.force_login(make_user("viewer"))
    assert told(client) == ["ana made the key ci"]
    assert "Members" not in text_of(client)


def test_every_kind_has_words_and_a_place() -> None:
    admin, organization = make_actor("admin"), make_organization()
    data = {"ipr": 1, "title": "t", "blueprint_id": 1, "name": "n", "vmid": 5, "cluster": "c", "member": "m", "now": "x",
            "webhook": "w", "agent": "6f1c9a52-3a0e-4c7e-9d4b-0f6f7a2b9c11"}  # fmt: skip
    streams = {"deployment": "deployment:deploy-1", "webhook": "webhook:1"}
    for kind in KINDS:
        name = streams.get(kind.partition(".")[0], "any:1")
        stream, _ = Stream.objects.get_or_create(name=name, defaults={"organization": organization})
        entry = entry_of(Event(stream=stream, seq=1, kind=kind, data=data, at=timezone.now()), admin)
        assert entry.line.words, kind
        assert entry.target, kind
        assert entry.url or kind.endswith(".deleted") and not kind.startswith("vm."), kind


def test_a_link_is_only_where_the_actor_may_go() -> None:
    stream = Stream.objects.create(name="webhook:1", organization=make_organization())
    event = Event(
        stream=stream,
        seq=1,
        kind="webhook.created",
        data={"webhook": "w", "agent": "6f1c9a52-3a0e-4c7e-9d4b-0f6f7a2b9c11"},
        at=timezone.now(),
    )
    assert entry_of(event, make_actor("admin")).url == "/settings/webhooks/1/"
    assert entry_of(event, make_actor("operator")).url == ""


def test_the_sparkline_counts_hours_of_a_day() -> None:
    ipr, actor = make_ipr(), make_actor()
    for _ in range(3):
        tell(ipr)
    now = timezone.now()
    old = Event.objects.filter(kind="ipr.commented").order_by("pk")
    Event.objects.filter(pk=old[0].pk).update(at=now - timedelta(hours=5))
    Event.objects.filter(pk=old[1].pk).update(at=now - timedelta(hours=25))
    found = sparkline(activity(actor, Filters(kind="ipr.commented")))
    assert found.total == 2
    assert [bar.count for bar in found.bars if bar.count] == [1, 1]
    assert found.bars[-6].count == 1
    assert found.bars[-1].height == found.height
    assert "2 in the last 24 hours" in found.words
    assert sparkline(Event.objects.none()).words == "Nothing happened in the last 24 hours."
