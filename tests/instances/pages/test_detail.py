"""The page of an instance: how it stands and why, its log, and what may be done with it."""

from pathlib import Path

import pytest
from django.test import Client

from alma.accounts.models import Organization
from instances import logs
from instances.models import AT_ONCE, Instance
from tests.factories.accounts import make_organization, make_user
from tests.factories.instances import make_instance
from tests.factories.routing import make_load, make_waiter

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
RUNNING = {"wanted": "running", "status": "running", "run": 1, "wanted_run": 1}
LOG = """=== started at 2026-11-21T10:00:00+00:00 ===
0.00.100.000 I loading the model
0.01.200.000 W the context is short
0.02.300.000 E cannot allocate memory
half a lin"""


@pytest.fixture
def log(settings, tmp_path: Path) -> Path:
    """The folder of logs."""
    settings.ALMA_DATA_DIR = tmp_path
    (tmp_path / "instances").mkdir()
    return tmp_path / "instances"


def text(site: Client, path: str, **how: object) -> str:
    answer = site.get(path, **how)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.content[:300]
    return str(answer.content.decode())


def test_page_shows_how_it_stands(site: Client, organization: Organization) -> None:
    one = make_instance("one", organization=organization, memory_bytes=2**30, concurrency=4, **RUNNING)
    make_load(one, outstanding=3)
    make_waiter(one, label="ci key")
    page = text(site, "/instances/one/")
    for words in ('data-status="running"', "1\xa0GiB", "of 4 at a time", "ci key", f'data-live="{one.stream}"'):
        assert words in page


def test_crash_loop_shows_the_last_lines_of_its_log(site: Client, organization: Organization, log: Path) -> None:
    failed = RUNNING | {"status": "failed"}
    one = make_instance(
        "one", organization=organization, node="main", restarts=3, reason="It ended with code 1.", **failed
    )
    (log / f"{one.pk}.log").write_text(LOG)
    page = text(site, "/instances/one/")
    assert "It ended with code 1." in page
    assert "tried again 3 times" in page
    assert "E cannot allocate memory" in page


def test_reason_is_no_markup(site: Client, organization: Organization) -> None:
    failed = RUNNING | {"status": "failed"}
    make_instance("one", organization=organization, reason="<b>no</b>\n<script>x()</script>", **failed)
    page = text(site, "/instances/one/")
    assert "<script>x()" not in page and "&lt;b&gt;no" in page


def test_log_is_searched_and_read_on(site: Client, organization: Organization, log: Path) -> None:
    one = make_instance("one", organization=organization)
    file = log / f"{one.pk}.log"
    file.write_text(LOG)
    lines = site.get("/instances/one/?view=logs").context["page"].log.lines
    assert [shown.level for shown in lines] == ["info", "info", "warning", "error"]
    assert f"{lines[3].line.at:%H:%M:%S}" == "10:00:02"
    page = text(site, "/instances/one/?view=logs&level=warn")
    assert "context is short" in page and "loading the model" not in page and "half a lin" not in page
    assert "context is short" not in text(site, "/instances/one/?view=logs&q=ALLOCATE%20memory")

    end = lines[3].key
    with file.open("a") as more:
        more.write("e\n0.03.000.000 I ready\n")
    part = text(site, f"/instances/one/?view=logs&after={end}", headers={**HTMX, "HX-Target": "log-lines"})
    assert "half a line" in part and "ready" in part and "10:00:03" in part and "loading" not in part
    assert f'value="{file.stat().st_size}"' in part


def test_log_that_was_cut_is_read_on_at_its_end(log: Path) -> None:
    (log / "7.log").write_text("one\ntwo\n")
    assert logs.read_on(7).lines == ((4, "one"), (8, "two"))
    assert logs.read_on(7, 4).lines == ((8, "two"),)
    assert logs.read_on(7, 500) == logs.Piece(end=8)
    assert logs.read_on(8) == logs.Piece(is_gone=True)


@pytest.mark.parametrize(
    "query", ["after=-1", "after=x", "after=99999999999999999", "level=none", "q=%00", "view=none"]
)
def test_page_takes_any_query(site: Client, organization: Organization, query: str) -> None:
    make_instance("one", organization=organization)
    text(site, f"/instances/one/?view=logs&{query}")


@pytest.mark.parametrize(
    ("target", "holds"), [("instance-head", 'id="instance-head"'), ("instance-now", 'id="instance-now"')]
)
def test_htmx_gets_the_part(site: Client, organization: Organization, target: str, holds: str) -> None:
    make_instance("one", organization=organization)
    part = text(site, "/instances/one/", headers={**HTMX, "HX-Target": target})
    assert holds in part and "<html" not in part


def test_start_stop_restart_and_delete(site: Client, organization: Organization) -> None:
    one = make_instance("one", organization=organization)
    for verb, wanted, run in (("start", "running", 1), ("restart", "running", 2), ("stop", "stopped", 2)):
        Instance.objects.filter(pk=one.pk).update(status="running" if verb == "restart" else "stopped", run=1)
        assert site.post(f"/instances/one/{verb}/").headers["Location"] == "/instances/one/"
        one.refresh_from_db()
        assert (one.wanted, one.wanted_run) == (wanted, run), verb
    assert site.post("/instances/one/delete/", {"back": "/instances/one/"}).headers["Location"] == "/instances/"
    assert site.get("/instances/one/").status_code == 404


def test_start_says_first_whether_it_fits(site: Client, organization: Organization, models: Path) -> None:
    make_instance("one", organization=organization)
    make_instance("gone", organization=organization, model="none.gguf")
    make_instance("far", organization=organization, node="far")
    assert "It claims about" in text(site, "/instances/one/start/") and "MiB" in text(
        site, "/instances/one/start/", headers=HTMX
    )
    assert "There is no model none.gguf" in text(site, "/instances/gone/start/")
    assert "The machine far does not answer now." in text(site, "/instances/far/start/")
    assert 'id="fit"' not in text(site, "/instances/one/stop/")


def test_stop_says_what_it_cuts_and_cuts_at_once_when_told(site: Client, organization: Organization) -> None:
    one = make_instance("one", organization=organization, stop_seconds=90, **RUNNING)
    assert "nothing is cut" in text(site, "/instances/one/stop/")
    make_load(one, outstanding=2)
    words = text(site, "/instances/one/stop/", headers=HTMX)
    assert "2 requests are being answered" in words and "1\xa0min 30\xa0s" in words and "<html" not in words
    site.post("/instances/one/stop/", {"now": "1"})
    one.refresh_from_db()
    assert one.stop_by == AT_ONCE


@pytest.mark.parametrize(
    ("back", "lands"),
    [
        ("/instances/?group=a", "/instances/?group=a"),
        ("https://elsewhere.example/instances/", "/instances/one/"),
        ("//elsewhere.example/instances/", "/instances/one/"),
        ("/settings/", "/instances/one/"),
    ],
)
def test_back_leads_to_pages_of_instances_alone(
    site: Client, organization: Organization, back: str, lands: str
) -> None:
    make_instance("one", organization=organization)
    assert site.post("/instances/one/start/", {"back": back}).headers["Location"] == lands


def test_limit_refuses_a_start_with_a_sentence(site: Client, organization: Organization, settings) -> None:
    settings.ALMA_INSTANCES_RUNNING = 1
    make_instance("runs", organization=organization, **RUNNING)
    make_instance("one", organization=organization)
    answer = site.post("/instances/one/start/")
    assert answer.status_code == 409 and "At most 1 instance can run at a time" in answer.content.decode()


def test_demo_makes_a_model_and_starts_an_instance_once(site: Client, models: Path, settings, tmp_path: Path) -> None:
    settings.ALMA_MODELS_DIR = tmp_path / "new" / "models"
    for _ in range(2):
        assert site.post("/instances/new/demo/").headers["Location"] == "/instances/tiny/"
    one = Instance.objects.get()
    assert (one.name, one.model, one.wanted, one.wanted_run) == ("tiny", "tiny.gguf", "running", 1)
    assert (settings.ALMA_MODELS_DIR / "tiny.gguf").read_bytes() == (models / "tiny.gguf").read_bytes()
    assert "data-status" in text(site, "/instances/tiny/")


def test_who_may_do_what(client: Client, organization: Organization) -> None:
    make_instance("one", organization=organization)
    make_instance("theirs", organization=make_organization("theirs"))
    client.force_login(make_user("viewer", organization=organization))
    assert "Start one" not in text(client, "/instances/") and "Delete" not in text(client, "/instances/one/")
    for verb in ("start", "stop", "restart", "delete"):
        assert client.get(f"/instances/one/{verb}/").status_code == 403
        assert client.post(f"/instances/one/{verb}/").status_code == 403
    assert client.get("/instances/new/demo/").status_code == 405
    assert client.post("/instances/new/demo/").status_code == 403
    assert client.get("/instances/theirs/").status_code == client.get("/instances/none/").status_code == 404
    client.logout()
    assert client.get("/instances/one/").status_code == client.post("/instances/one/stop/").status_code == 302
