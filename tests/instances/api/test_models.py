"""`/api/v1/models`: the library, the fit, and downloads from the request to their end."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from alma.jobs.engine import advance
from instances import machine
from instances.models import Download, Instance
from tests.factories.accounts import make_key, make_organization
from tests.factories.instances import make_download, make_instance
from tests.instances.library.hub import REPO, Hub, serving

pytestmark = pytest.mark.django_db
MODELS, JOBS = "/api/v1/models", "/api/v1/models/jobs"


@pytest.fixture
def client() -> Client:
    return Client(headers={"Authorization": f"Bearer {make_key()[1]}"})


@pytest.fixture
def hub(named_models: Path, settings) -> Iterator[Hub]:
    with serving(Hub({"tiny-Q4_0.gguf": (named_models / "tiny.gguf").read_bytes()})) as hub:
        settings.ALMA_HF_ENDPOINT, settings.ALMA_MODELS_RESERVE = hub.url, 0
        settings.ALMA_OUTBOUND_ALLOW = [f"127.0.0.1:{hub.port}"]
        yield hub


def post(client: Client, path: str, body: Any) -> Any:
    return client.post(path, body, content_type="application/json")


def test_list_tells_what_each_model_is(client: Client, named_models: Path) -> None:
    (named_models / "page.gguf").write_text("<html>")
    make_instance("one", organization=make_organization(), model="/models/tiny.gguf")
    make_instance("foreign", organization=make_organization("theirs"), model="tiny.gguf")
    rows = {row["path"]: row for row in client.get(MODELS).json()}
    row = rows["tiny.gguf"]
    assert row.items() >= {
        "node": "main", "repo": "", "tag": "F16", "format": "gguf", "architecture": "llama", "quantization": "F16",
        "context_length": 8192, "problem": "", "used_by": ["one"], "size_bytes": (named_models / "tiny.gguf").stat().st_size,
    }.items()  # fmt: skip
    assert row["files"] == [{"name": "tiny.gguf", "path": "tiny.gguf", "size_bytes": row["size_bytes"], "type": "gguf"}]
    assert "does not begin as a GGUF file does" in rows["page.gguf"]["problem"]


def test_fit_says_what_is_claimed_and_free(client: Client) -> None:
    answer = post(client, f"{MODELS}/fit", {"model": "tiny.gguf", "backend_options": {"c": 4096}})
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["verdict"], body["context"], body["is_whole"], body["evicts"]) == ("fits", 4096, True, [])
    assert body["claim"]["cache"] == 4096 * 256
    assert body["claim"]["total"] == sum(body["claim"][part] for part in ("weights", "cache", "working", "runtime"))
    assert 0 < body["memory"]["free"] < body["memory"]["total"]


def test_start_that_can_hardly_go_well_says_so(client: Client, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(machine, "memory_bytes", lambda: machine.Memory(1000, 10))
        created = post(client, "/api/v1/instances/one", {"model": "tiny.gguf"})
        assert created.status_code == 201 and "will not fit" in created.json()["warnings"][0]
        Instance.objects.update(wanted="stopped")
        for path in ("/api/v1/instances/one/start", "/api/instances/one/start"):
            assert "will not fit" in client.generic("POST", path).json()["warnings"][0]
    assert post(client, "/api/v1/instances/two", {"model": "tiny.gguf"}).json()["warnings"] == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "/api/v1/instances/one", {"model": "/models/tinny.gguf"}),
        ("post", "/api/instances", {"name": "one", "model_path": "/srv/tinny.gguf"}),
        ("put", "/api/v1/instances/there", {"model": "tinny.gguf"}),
        ("put", "/api/instances/there", {"model_path": "tinny.gguf"}),
        ("post", f"{MODELS}/fit", {"model": "tinny.gguf"}),
    ],
    ids=str,
)
def test_model_that_is_not_there_is_refused_with_the_nearest(client: Client, method: str, path: str, body: Any) -> None:
    make_instance("there", organization=make_organization())
    answer = getattr(client, method)(path, body, content_type="application/json")
    assert answer.status_code == 400 and "there is tiny.gguf" in answer.json()["error"]
    assert list(Instance.objects.values_list("name", "model")) == [("there", "tiny.gguf")]


def test_download_from_the_request_to_its_end(client: Client, hub: Hub, named_models: Path) -> None:
    begun = post(client, f"{MODELS}/download", {"repo": f"{REPO}:Q4_0", "token": "hush-hush"})
    assert begun.status_code == 202, begun.content
    body = begun.json()
    assert (body["repo"], body["tag"], begun["Location"]) == (REPO, "Q4_0", f"{JOBS}/{body['job_id']}")
    shown = client.get(begun["Location"]).json()
    assert (shown["status"], shown["progress"]["bytes_downloaded"], shown["completed_at"]) == ("queued", 0, None)
    row = Download.objects.get()
    while advance(row.job_id, slot_seconds=2) != "ended":  # type: ignore[arg-type]
        pass
    shown = client.get(begun["Location"]).json()
    size = len(hub.files["tiny-Q4_0.gguf"])
    assert (shown["status"], shown["error"], shown["model_path"]) == ("completed", "", f"{REPO}/tiny-Q4_0.gguf")
    assert shown["progress"] == {"bytes_downloaded": size, "total_bytes": size, "current_file": ""}
    assert type(shown["created_at"]) is type(shown["completed_at"]) is int
    assert client.get(JOBS).json()["jobs"] == [shown]
    assert b"hush" not in client.get(JOBS).content
    assert client.delete(begun["Location"]).status_code == 409
    assert client.delete(f"{MODELS}?repo={REPO}&tag=F16").status_code == 204
    assert not (named_models / "org").exists()
    assert client.delete(f"{MODELS}?repo={REPO}").status_code == 404


def test_download_is_cancelled(client: Client) -> None:
    path = f"{JOBS}/{make_download(organization=make_organization())}"
    assert client.delete(path).status_code == 204
    assert Download.objects.get().job.cancel_requested_at is not None  # type: ignore[union-attr]
    foreign = make_download(organization=make_organization("theirs"))
    assert [client.get(f"{JOBS}/{name}").status_code for name in (foreign, "none", "%00")] == [404, 404, 404]
    assert len(client.get(JOBS).json()["jobs"]) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "repo"),
        ({"repo": 5}, "repo"),
        ({"repo": "model"}, "org/model"),
        ({"repo": "org/../etc"}, "org/model"),
        ({"repo": "org/model:../x"}, "tag"),
        ({"repo": "org/model", "format": "bin"}, "format"),
        ({"repo": "org/model", "file": "/etc/passwd"}, "file"),
        ({"repo": "org/model", "node": "x"}, "node"),
    ],
    ids=str,
)
def test_download_that_is_refused(client: Client, body: Any, words: str) -> None:
    answer = post(client, f"{MODELS}/download", body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert words in answer.json()["error"] and not Download.objects.exists()


@pytest.mark.parametrize(
    "query", ["", "?tag=Q4_0", "?path=../../etc/passwd", "?repo=nobody/nothing", "?path=%2Fetc%2Fpasswd"]
)
def test_deletion_that_is_refused(client: Client, query: str) -> None:
    answer = client.delete(MODELS + query)
    assert (answer.status_code, list(answer.json())) == (404 if "repo" in query or "path" in query else 400, ["error"])


def test_one_of_several_is_named_by_its_tag(client: Client, named_models: Path) -> None:
    folder = named_models / "org" / "two"
    folder.mkdir(parents=True)
    for name in ("a", "b"):
        (folder / f"{name}.gguf").write_bytes((named_models / "tiny.gguf").read_bytes())
    answer = client.delete(f"{MODELS}?repo=org/two")
    assert answer.status_code == 400 and "2 models" in answer.json()["error"]
    assert client.delete(f"{MODELS}?path=org/two/a.gguf").status_code == 204
    assert [path.name for path in folder.iterdir()] == ["b.gguf"]
