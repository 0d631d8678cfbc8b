"""Making and removing storages, on a sandbox over TLS."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.errors import DomainError, Invalid, Refused, WrongState
from alma.jobs import engine
from alma.jobs.models import Job
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.operations.conftest import see
from tests.vms.operations.test_networks import POINTS, Died, die_once
from vms.models import Cluster, ClusterStorage, Guest, GuestDetails, PlaceClaim
from vms.operations import storages
from vms.operations.storages import Storage

Finish = Callable[[Job], Job]
TANK = Storage(name="tank", plugin="zfspool", settings={"pool": "rpool/tank"})
NFS = Storage(
    name="more", plugin="nfs", content=("images", "backup"), settings={"server": "10.20.0.5", "export": "/tank/more"}
)
SECRET = "pl4nted-password-of-a-share"
CIFS = Storage(
    name="office", plugin="cifs", content=("backup",), nodes=("pve2",),
    settings={"server": "files.example.org", "share": "backup", "username": "alma", "password": SECRET},
)  # fmt: skip


@pytest.fixture(autouse=True)
def known(cluster: Cluster) -> None:
    see(cluster)
    rows = [GuestDetails(guest=guest, read_at=timezone.now()) for guest in Guest.objects.machines()]
    GuestDetails.objects.bulk_create(rows)


def made(wish: Storage, by: Actor, finish: Finish) -> ClusterStorage:
    row, job = storages.create(wish, by=by)
    finish(job)
    assert job.error is None, job.error
    return ClusterStorage.objects.select_related("cluster", "claim").get(pk=row.pk)


def defined(observer: Any) -> dict[str, Any]:
    return {row["storage"]: row for row in observer.storage.get()}


def refused(act: Callable[[], object], kind: type[DomainError], code: str) -> None:
    with pytest.raises(kind) as refusal:
        act()
    assert refusal.value.code == code


def test_a_storage_is_there_at_once_and_active_in_the_end(
    by: Actor, finish: Finish, observer: Any, cluster: Cluster
) -> None:
    row, job = storages.create(TANK, by=by)
    assert (row.node, row.plugin, row.content, row.is_active) == ("pve1", "zfspool", "images, rootdir", False)
    see(cluster)
    assert ClusterStorage.objects.filter(pk=row.pk).exists(), "what is not there yet is not missing"
    finish(job)
    assert job.error is None
    told = defined(observer)["tank"]
    assert (told["type"], told["pool"], told["content"]) == ("zfspool", "rpool/tank", "images,rootdir")
    see(cluster)
    rows = ClusterStorage.objects.filter(name="tank")
    assert {(one.node, one.is_active, one.claim_id) for one in rows} == {
        (node, True, PlaceClaim.objects.get().pk) for node in ("pve1", "pve2", "pve3")
    }  # fmt: skip
    assert rows.get(node="pve1").pk == row.pk
    assert job.steps.get().evidence["active_on"] == ["pve1", "pve2", "pve3"]


def test_removing_forgets_the_definition_alone(by: Actor, finish: Finish, observer: Any, cluster: Cluster) -> None:
    row = made(NFS, by, finish)
    see(cluster)
    assert ClusterStorage.objects.filter(name="more").count() == 3
    finish(storages.delete(row, by=by))
    assert "more" not in defined(observer)
    assert PlaceClaim.objects.get().state == "released"
    assert not ClusterStorage.objects.filter(name="more").exists(), "lists show it no longer, on any node"
    see(cluster)
    assert not ClusterStorage.objects.filter(name="more").exists()
    made(NFS, by, finish)


def test_secrets_are_told_once_and_kept_nowhere(
    by: Actor, finish: Finish, fresh_sandbox: RunningSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    row, job = storages.create(CIFS, by=by)
    assert SECRET not in everything(), "before it is made it is sealed"
    assert PlaceClaim.objects.get().secrets_sealed
    finish(job)
    assert job.error is None
    kept = fresh_sandbox.core.state.storages.get("office")
    assert kept is not None
    assert (kept.settings["password"], kept.settings["username"], kept.nodes) == (SECRET, "alma", ["pve2"])
    assert (PlaceClaim.objects.get().secrets_sealed, row.node) == ("", "pve2")
    assert SECRET not in everything() + caplog.text


def everything() -> str:
    """All that the database holds."""
    models = [model for model in apps.get_models() if model._meta.managed and not model._meta.proxy]
    return "\n".join(str(list(model.objects.values())) for model in models if hasattr(model, "objects"))


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("verb", ["create", "delete"])
def test_it_is_finished_wherever_a_worker_dies(
    by: Actor, finish: Finish, observer: Any, monkeypatch: pytest.MonkeyPatch, point: str, verb: str
) -> None:
    job = storages.create(TANK, by=by)[1] if verb == "create" else storages.delete(made(TANK, by, finish), by=by)
    die_once(monkeypatch, point, 1)
    with pytest.raises(Died):
        engine.advance(job.pk)
    Job.objects.update(lease_until=None)
    finish(job)
    assert job.error is None and ("tank" in defined(observer)) == (verb == "create")


def test_what_is_refused_leaves_nothing(by: Actor, finish: Finish, observer: Any) -> None:
    observer.sandbox.faults.post(kind="answer", status=400, text="no", method="POST", path="/storage", count=1)
    row, job = storages.create(TANK, by=by)
    finish(job)
    assert job.error is not None and job.error["code"] == "PVE_REFUSED"
    assert "tank" not in defined(observer) and not ClusterStorage.objects.filter(pk=row.pk).exists()
    assert PlaceClaim.objects.get().state == "released"


def test_a_lost_answer_makes_one(by: Actor, finish: Finish, observer: Any) -> None:
    observer.sandbox.faults.post(kind="lose_answer", method="POST", path="/storage", count=1)
    made(TANK, by, finish)
    assert "tank" in defined(observer)


def test_one_of_others_is_left_alone(by: Actor, finish: Finish, observer: Any, cluster: Cluster) -> None:
    row = ClusterStorage.objects.select_related("cluster", "claim").get(name="shared", node="pve1")
    refused(lambda: storages.delete(row, by=by), Refused, "PLACE_NOT_OURS")
    refused(lambda: storages.create(replace(TANK, name="shared"), by=by), WrongState, "NAME_TAKEN")
    observer.storage.post(storage="tank", type="zfspool", pool="rpool/tank")
    _, job = storages.create(TANK, by=by)
    finish(job)
    assert job.error is not None and job.error["code"] == "PLACE_NOT_OURS"
    assert "tank" in defined(observer)


def test_one_that_somebody_has_replaced_is_left_alone(by: Actor, finish: Finish, observer: Any) -> None:
    row = made(TANK, by, finish)
    observer.storage("tank").delete()
    observer.storage.post(storage="tank", type="zfspool", pool="rpool/other")
    job = finish(storages.delete(row, by=by))
    assert job.error is not None and job.error["code"] == "PLACE_NOT_OURS"
    assert defined(observer)["tank"]["pool"] == "rpool/other"


def test_a_storage_with_disks_stays(by: Actor, finish: Finish, observer: Any, fresh_sandbox: RunningSandbox) -> None:
    row = made(TANK, by, finish)
    fresh_sandbox.wait(observer.nodes("pve3").qemu.post(vmid=300, name="theirs", scsi0="tank:1"))
    job = finish(storages.delete(row, by=by))
    assert job.error is not None and (job.error["code"], "300" in job.error["message"]) == ("IN_USE", True)
    assert "tank" in defined(observer) and PlaceClaim.objects.get().state == "live"
    GuestDetails.objects.filter(guest__name="gitlab").update(disks=[{"place": "scsi0", "storage": "tank", "bytes": 1}])
    with pytest.raises(WrongState) as refusal:
        storages.delete(row, by=by)
    assert (refusal.value.code, refusal.value.details) == ("IN_USE", {"machines": ["gitlab"]})


@pytest.mark.parametrize(
    ("wish", "changes", "field"),
    [
        (TANK, {"name": "t"}, "name"),
        (TANK, {"name": "a/b"}, "name"),
        (TANK, {"settings": {}}, "pool"),
        (TANK, {"settings": {"pool": "a\nb"}}, "pool"),
        (TANK, {"settings": {"pool": "a", "path": "/x"}}, "path"),
        (TANK, {"content": ("iso",)}, "content"),
        (TANK, {"nodes": ("pve9",)}, "nodes"),
        (NFS, {"settings": {"server": "a b", "export": "/x"}}, "server"),
        (NFS, {"settings": {"server": "nas", "export": "x"}}, "export"),
        (TANK, {"plugin": "dir", "settings": {"path": "/etc/pve"}}, "path"),
        (TANK, {"plugin": "dir", "settings": {"path": "/srv/../etc"}}, "path"),
        (TANK, {"plugin": "dir", "settings": {"path": "/"}}, "path"),
        (TANK, {"plugin": "pbs", "settings": {"server": "a", "datastore": "b", "username": "c@pbs"}}, "password"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(by: Actor, wish: Storage, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        storages.create(replace(wish, **changes), by=by)
    assert refusal.value.details[0]["field"] == field  # type: ignore[index, call-overload]
    assert not Job.objects.exists() and not PlaceClaim.objects.exists()


def test_a_secret_is_not_said_back(by: Actor) -> None:
    wish = replace(CIFS, settings={**CIFS.settings, "share": "x\n"})
    with pytest.raises(Invalid) as refusal:
        storages.create(wish, by=by)
    assert SECRET not in f"{refusal.value.message} {refusal.value.details} {wish}"


def test_who_may_not(by: Actor) -> None:
    refused(lambda: storages.create(TANK, by=replace(by, scopes=frozenset({"storage:read"}))), Refused, "MISSING_SCOPE")
    storages.create(TANK, by=by)
    refused(lambda: storages.create(TANK, by=by), WrongState, "PLACE_BUSY")
