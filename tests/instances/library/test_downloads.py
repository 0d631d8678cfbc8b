"""Downloads over real HTTP and the real engine of jobs, from an endpoint that behaves and from many that do not."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alma.accounts.actors import Actor
from alma.errors import DomainError, WrongState
from alma.jobs.engine import advance
from alma.jobs.models import Job
from alma.jobs.services import retry
from instances.library import downloads, fetching, kinds, owning, places, scanning
from instances.library.downloads import Wish
from instances.models import Download
from tests.factories.accounts import make_actor, make_organization
from tests.factories.instances import make_instance
from tests.instances.library.hub import COMMIT, REPO, Hub, serving

pytestmark = pytest.mark.django_db
WISH = Wish(REPO)
NAME = "tiny-Q4_K_M.gguf"


@pytest.fixture
def hub(tiny: Path, settings, tmp_path: Path) -> Iterator[Hub]:
    """An endpoint with two quantisations, and the folder into which they are fetched."""
    content = tiny.read_bytes()
    files = {NAME: content, "tiny-Q8_0.gguf": content[::-1], "mmproj-F16.gguf": b"eyes", "README.md": b"# tiny"}
    with serving(Hub(files)) as hub:
        settings.ALMA_MODELS_DIR = tmp_path / "models"
        settings.ALMA_MODELS_RESERVE = 0
        settings.ALMA_HF_ENDPOINT = hub.url
        settings.ALMA_OUTBOUND_ALLOW = [f"127.0.0.1:{hub.port}"]
        fetching._SUMS.clear()
        yield hub


@pytest.fixture
def actor() -> Actor:
    return make_actor()


def run(row: Download, seconds: float = 20) -> Job:
    """Work on its job as a worker does, until it has ended."""
    assert row.job is not None
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if advance(row.job.pk, slot_seconds=1) == "ended":
            break
    row.refresh_from_db()
    return Job.objects.get(pk=row.job.pk)


def place(name: str = NAME) -> Path:
    return scanning.Path(scanning.settings.ALMA_MODELS_DIR) / REPO / name


def test_download_is_there_whole(hub: Hub, actor: Actor) -> None:
    row = downloads.begin(WISH, by=actor)
    job = run(row)
    assert (job.state, job.error) == ("completed", None)
    assert place().read_bytes() == hub.files[NAME]
    assert (row.fetched_bytes, row.total_bytes, row.commit, row.path) == (
        len(hub.files[NAME]), len(hub.files[NAME]), COMMIT, f"{REPO}/{NAME}",
    )  # fmt: skip
    (model,) = scanning.scan()
    assert (model.path, model.repo, model.problem) == (row.path, REPO, "")
    assert not list(place().parent.glob("*.part"))


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        (Wish(REPO, tag="q8_0"), "tiny-Q8_0.gguf"),
        (Wish(REPO, file="tiny-Q8_0.gguf"), "tiny-Q8_0.gguf"),
    ],
    ids=str,
)
def test_the_one_that_was_named_is_fetched(hub: Hub, actor: Actor, wish: Wish, name: str) -> None:
    assert run(downloads.begin(wish, by=actor)).state == "completed"
    assert place(name).read_bytes() == hub.files[name]
    assert [path.name for path in place().parent.iterdir()] == [name]


def test_folder_of_safetensors_comes_with_what_belongs_to_it(hub: Hub, actor: Actor) -> None:
    hub.files = {
        "model.safetensors": b"weights",
        "config.json": b"{}",
        "pytorch_model.bin": b"pickle",
        "run.py": b"evil",
    }
    assert run(downloads.begin(replace(WISH, format="safetensors"), by=actor)).state == "completed"
    assert sorted(path.name for path in place().parent.iterdir()) == ["config.json", "model.safetensors"]


def test_split_files_come_together(hub: Hub, actor: Actor, tiny: Path) -> None:
    hub.files = {f"big-Q4_0-0000{number}-of-00002.gguf": tiny.read_bytes() for number in (1, 2)}
    assert run(downloads.begin(WISH, by=actor)).state == "completed"
    assert len(scanning.scan()[0].parts) == 2


def test_what_was_cut_off_is_gone_on_with(hub: Hub, actor: Actor) -> None:
    hub.deaths, hub.dies_after = 2, 100_000
    assert run(downloads.begin(WISH, by=actor)).state == "completed"
    starts = [asked for _, asked, _ in hub.fetched()]
    assert starts[0] == "" and starts[1:] == [f"bytes={100_000 * number}-" for number in range(1, len(starts))]
    assert len(starts) == 3
    assert place().read_bytes() == hub.files[NAME]


def test_endpoint_that_knows_no_ranges_begins_anew(hub: Hub, actor: Actor) -> None:
    hub.deaths, hub.dies_after, hub.ignores_ranges = 1, 100_000, True
    assert run(downloads.begin(WISH, by=actor)).state == "completed"
    assert place().read_bytes() == hub.files[NAME]


def test_another_process_goes_on_with_the_file(hub: Hub, actor: Actor) -> None:
    """A worker that died has left a part behind, and nothing of its checksum."""
    row = downloads.begin(WISH, by=actor)
    place().parent.mkdir(parents=True)
    places.part_of(place()).write_bytes(hub.files[NAME][:123_456])
    fetching._SUMS.clear()
    assert run(row).state == "completed"
    assert [asked for _, asked, _ in hub.fetched()] == ["bytes=123456-"]
    assert hashlib.sha256(place().read_bytes()).digest() == hashlib.sha256(hub.files[NAME]).digest()


LIES = {
    "another content": ({"says_sum": {NAME: "0" * 64}}, "CHECKSUM_MISMATCH"),
    "more than it said": ({"says_size": {NAME: 5_000}}, "SIZE_MISMATCH"),
    "no checksum": ({"says_sum": {NAME: "none"}}, "HUB_UNREADABLE"),
    "no such repository": ({"status": 404}, "HUB_NOT_FOUND"),
    "not for us": ({"wants_token": "hush"}, "HUB_REFUSED"),
    "what makes no sense": ({"status": 418}, "HUB_UNREADABLE"),
    "a way out": ({"extra": [{"type": "file", "path": "../../evil-Q4_K_M.gguf", "size": 1, "lfs": {"oid": "0" * 64, "size": 1}}]}, "UNSAFE_NAME"),
    "an absolute name": ({"extra": [{"type": "file", "path": "/etc/A-Q4_K_M.gguf", "size": 1, "lfs": {"oid": "0" * 64, "size": 1}}]}, "UNSAFE_NAME"),
    "a negative size": ({"extra": [{"type": "file", "path": "a.gguf", "size": -1}]}, "HUB_UNREADABLE"),
    "a name that is none": ({"extra": [{"type": "file", "path": 5, "size": 1}]}, "HUB_UNREADABLE"),
    "endless redirects": ({"redirects": "{url}/org/model/resolve/" + COMMIT + "/"}, "HUB_REDIRECTS"),
    "into our network": ({"redirects": "http://169.254.169.254/"}, "ADDRESS_REFUSED"),
    "to another port": ({"redirects": "http://127.0.0.1:1/"}, "ADDRESS_REFUSED"),
    "to a file": ({"redirects": "file:///etc/"}, "ADDRESS_REFUSED"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_lie_ends_the_download_and_leaves_nothing(hub: Hub, actor: Actor, lie: str, tmp_path: Path) -> None:
    values, code = LIES[lie]
    for name, value in values.items():
        setattr(hub, name, value.replace("{url}", hub.url) if isinstance(value, str) else value)
    job = run(downloads.begin(WISH, by=actor))
    assert (job.state, (job.error or {}).get("code")) == ("failed", code), job.error
    assert scanning.scan() == []
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size]


def test_redirect_is_followed_without_the_token(hub: Hub, actor: Actor, settings) -> None:
    with serving(Hub(hub.files)) as other:
        settings.ALMA_OUTBOUND_ALLOW = [f"127.0.0.1:{hub.port}", f"127.0.0.1:{other.port}"]
        hub.redirects, hub.wants_token = f"{other.url}/blobs/", "hush-hush"
        row = downloads.begin(replace(WISH, token="hush-hush"), by=actor)
        assert "hush" not in row.token_sealed
        assert run(row).state == "completed"
        assert {token for _, _, token in hub.asked} == {"Bearer hush-hush"}
        assert [token for _, _, token in other.asked] == [""]
    row.refresh_from_db()
    assert row.token_sealed == ""


def test_silence_is_waited_for(hub: Hub, actor: Actor) -> None:
    hub.status = 503
    row = downloads.begin(WISH, by=actor)
    assert row.job is not None
    advance(row.job.pk, slot_seconds=0.2)
    hub.status = 0
    assert run(row).state == "completed"


def test_cancel_ends_it_in_the_middle_and_takes_away_what_has_come(hub: Hub, actor: Actor, monkeypatch) -> None:
    monkeypatch.setattr(kinds, "TOLD_SECONDS", 0.0)
    hub.is_slow = True
    row = downloads.begin(WISH, by=actor)

    def cancel(context: object, come: int) -> None:
        if come >= 70_000:
            downloads.cancel(Download.objects.select_related("job").get(pk=row.pk), by=actor)
            hub.slow.set()
        told(context, come)

    told = kinds._Telling.__call__
    monkeypatch.setattr(kinds._Telling, "__call__", cancel)
    assert run(row).state == "cancelled"
    assert row.fetched_bytes < len(hub.files[NAME])
    assert not list(place().parent.glob("*"))
    with pytest.raises(WrongState):
        downloads.cancel(downloads.find(row.job.public_id, by=actor), by=actor)  # type: ignore[union-attr]


def test_cancel_of_one_whose_endpoint_is_silent(hub: Hub, actor: Actor) -> None:
    hub.status = 503
    row = downloads.begin(WISH, by=actor)
    assert row.job is not None
    advance(row.job.pk, slot_seconds=0.1)
    downloads.cancel(row, by=actor)
    assert run(row, seconds=5).state == "cancelled"


def test_failed_one_is_gone_on_with_when_it_is_retried(hub: Hub, actor: Actor, settings) -> None:
    settings.ALMA_DOWNLOAD_LARGEST = 1000
    row = downloads.begin(WISH, by=actor)
    job = run(row)
    assert (job.state, job.error["code"]) == ("failed", "TOO_LARGE")  # type: ignore[index]
    settings.ALMA_DOWNLOAD_LARGEST = 10**9
    retry(job, by="somebody")
    assert run(row).state == "completed"


def test_disk_keeps_its_reserve(hub: Hub, actor: Actor, settings) -> None:
    settings.ALMA_MODELS_RESERVE = 10**15
    job = run(downloads.begin(WISH, by=actor))
    assert (job.state, job.error["code"]) == ("failed", "NO_SPACE_LEFT")  # type: ignore[index]


@pytest.mark.parametrize("where", ["folder", "file", "part"])
def test_link_on_the_way_is_refused(hub: Hub, actor: Actor, tmp_path: Path, settings, where: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    link = {"folder": place().parent, "file": place(), "part": places.part_of(place())}[where]
    link.parent.mkdir(parents=True)
    link.symlink_to(outside if where == "folder" else outside / "evil")
    job = run(downloads.begin(WISH, by=actor))
    assert (job.state, job.error["code"]) == ("failed", "UNSAFE_NAME")  # type: ignore[index]
    assert list(outside.iterdir()) == []


def test_file_of_the_same_name_is_not_overwritten(hub: Hub, actor: Actor) -> None:
    place().parent.mkdir(parents=True)
    place().write_bytes(b"x" * len(hub.files[NAME]))
    job = run(downloads.begin(WISH, by=actor))
    assert (job.state, job.error["code"]) == ("failed", "FILE_EXISTS")  # type: ignore[index]
    assert set(place().read_bytes()) == {ord("x")}


def test_same_files_are_shared_and_go_with_the_last(hub: Hub, actor: Actor) -> None:
    other = make_actor(organization=make_organization("theirs"))
    assert run(downloads.begin(WISH, by=actor)).state == "completed"
    assert owning.visible(scanning.scan(), by=other) == []
    with pytest.raises(DomainError) as caught:
        downloads.delete(f"{REPO}/{NAME}", by=other)
    assert caught.value.code == "MODEL_NOT_FOUND"
    count = len(hub.fetched())
    assert run(downloads.begin(WISH, by=other)).state == "completed"
    assert len(hub.fetched()) == count
    downloads.delete(f"{REPO}/{NAME}", by=actor)
    assert owning.visible(scanning.scan(), by=actor) == [] and place().exists()
    downloads.delete(f"{REPO}/{NAME}", by=other)
    assert list(place().parents[2].iterdir()) == []


def test_model_that_is_named_is_not_deleted(hub: Hub, actor: Actor) -> None:
    run(downloads.begin(WISH, by=actor))
    row = make_instance("one", organization=make_organization(), model=f"/models/{REPO}/{NAME}")
    with pytest.raises(WrongState, match="one serves .*; delete that first"):
        downloads.delete(f"{REPO}/{NAME}", by=actor)
    second = make_instance("two", organization=row.organization, model=row.model)
    with pytest.raises(WrongState, match="one, two serve .*; delete those first"):
        downloads.delete(f"{REPO}/{NAME}", by=actor)
    second.delete()
    row.delete()
    downloads.delete(f"{REPO}/{NAME}", by=actor)
    assert scanning.scan() == []


def test_what_the_operator_put_there_is_deleted_by_staff(hub: Hub, actor: Actor, tiny: Path) -> None:
    place().parent.mkdir(parents=True)
    place().write_bytes(tiny.read_bytes())
    make_organization("theirs")
    with pytest.raises(DomainError) as caught:
        downloads.delete(f"{REPO}/{NAME}", by=actor)
    assert caught.value.code == "STAFF_ONLY" and place().exists()
    assert actor.user is not None
    actor.user.is_staff = True
    downloads.delete(f"{REPO}/{NAME}", by=actor)
    assert not place().exists()


@pytest.mark.parametrize(
    "wish",
    [
        Wish("model"), Wish("../model"), Wish("org/.."), Wish("org/a..b"), Wish("org/mo\nel"), Wish("/org/model"), Wish("a/b/c"),
        Wish("org/model", tag="../x"), Wish("org/model", file="../x.gguf"), Wish("org/model", file="x.py"),
        Wish("org/model", revision="/x"), Wish("org/model", format="bin"), Wish("org/model", token="a\nb"), Wish("org/m\u00f6del"),
    ],
    ids=str,
)  # fmt: skip
def test_wish_that_is_refused(hub: Hub, actor: Actor, wish: Wish) -> None:
    with pytest.raises(DomainError):
        downloads.begin(wish, by=actor)
    assert not Download.objects.exists() and not Job.objects.exists()


def test_only_so_many_at_a_time_and_none_twice(hub: Hub, actor: Actor, settings) -> None:
    settings.ALMA_DOWNLOADS = 2
    downloads.begin(WISH, by=actor)
    with pytest.raises(WrongState) as caught:
        downloads.begin(WISH, by=actor)
    assert caught.value.code == "ALREADY_RUNNING"
    downloads.begin(Wish("org/other"), by=actor)
    with pytest.raises(WrongState) as caught:
        downloads.begin(Wish("org/third"), by=actor)
    assert caught.value.code == "TOO_MANY_DOWNLOADS"
