"""The pages of models, as a browser without JavaScript asks for them."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from instances.models import LOST_AFTER, Download, Node
from tests.factories.accounts import make_organization, make_user, sign_in
from tests.factories.instances import make_download, make_instance

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("others")]


def visitor(role: str = "operator") -> Client:
    return sign_in(Client(), make_user(role, organization=make_organization()))


def text(answer: Any) -> str:
    return answer.content.decode()


def test_list_shows_models_downloads_and_what_fits(tmp_path: Path) -> None:
    (tmp_path / "page.gguf").write_text("<html>")
    make_instance("one", organization=make_organization(), model="/models/tiny.gguf")
    make_download(organization=make_organization(), repo="org/<b>", total_bytes=1000, fetched_bytes=250)
    shown = text(visitor().get("/models/"))
    for words in (
        "tiny.gguf",
        "llama",
        "F16",
        "8192",
        "org/&lt;b&gt;",
        "25&nbsp;%",
        "does not begin as a GGUF file does",
        ">one<",
    ):
        assert words in shown, words
    part = text(visitor().get("/models/?q=other", headers={"HX-Request": "true"}))
    assert "other.gguf" in part and "tiny.gguf" not in part and "<html" not in part


def test_viewer_reads_and_changes_nothing() -> None:
    client = visitor("viewer")
    assert "Download a model" not in text(client.get("/models/"))
    assert client.post("/models/download/", {"repo": "org/model", "format": "gguf"}).status_code == 403
    assert client.get("/models/delete/?path=tiny.gguf").status_code == 403


def test_form_begins_a_download_and_says_what_is_wrong() -> None:
    client = visitor()
    wrong = client.post("/models/download/", {"repo": "../etc", "format": "gguf"})
    assert wrong.status_code == 422 and "org/model:Q4_K_M" in text(wrong) and not Download.objects.exists()
    done = client.post("/models/download/", {"repo": "org/model:Q8_0", "format": "gguf", "token": "hush"}, follow=True)
    assert done.redirect_chain == [("/models/", 302)] and "org/model:Q8_0 is being fetched." in text(done)
    row = Download.objects.get()
    assert (row.repo, row.tag, row.revision) == ("org/model", "Q8_0", "main")
    assert "hush" not in text(done)
    assert row.job is not None
    client.post(f"/models/downloads/{row.job.public_id}/cancel/")
    row.job.refresh_from_db()
    assert row.job.cancel_requested_at is not None


def test_model_is_deleted_after_it_was_asked_for(tmp_path: Path) -> None:
    client = visitor()
    assert "Delete other.gguf?" in text(client.get("/models/delete/?path=other.gguf"))
    assert (tmp_path / "other.gguf").exists()
    assert "other.gguf is deleted." in text(client.post("/models/delete/?path=other.gguf", follow=True))
    assert not (tmp_path / "other.gguf").exists()
    make_instance("one", organization=make_organization(), model="tiny.gguf")
    assert "one serves this model" in text(client.get("/models/delete/?path=tiny.gguf"))
    assert client.post("/models/delete/?path=tiny.gguf").status_code == 409
    assert client.get("/models/delete/").status_code == 302
    for path in ("../x", "/etc/passwd", "none.gguf"):
        assert client.get("/models/delete/", {"path": path}).status_code == 404
    assert (tmp_path / "tiny.gguf").exists() and User.objects.exists()


def test_machine_of_the_models() -> None:
    client = visitor()
    assert client.get("/models/?node=gpu1").status_code == 404
    assert 'name="node"' not in text(client.get("/models/"))
    Node.objects.create(name="gpu1", address="10.0.0.7", seen_at=timezone.now() - LOST_AFTER * 2)
    page = text(client.get("/models/?node=gpu1"))
    assert "The machine gpu1 does not answer now" in page and "tiny.gguf" not in page
    assert page.count('<option value="gpu1" selected>gpu1 (away)</option>') == 2, "the list and the form of a download"
    assert "tiny.gguf" in text(client.get("/models/?node=main"))
    refused = client.post("/models/download/", {"repo": "org/model", "format": "gguf", "node": "gpu1"})
    assert (refused.status_code, "does not answer now" in text(refused)) == (422, True)
