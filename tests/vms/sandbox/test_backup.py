"""vzdump and restore: jobs, archives, retention, and guests that come back."""

import pytest

from tests.vms.sandbox.driving import Cluster, make_cluster
from vms.sandbox.core.state import State

VZDUMP = "/nodes/pve1/vzdump"
QEMU = "/nodes/pve1/qemu"
LXC = "/nodes/pve1/lxc"
CONTENT = "/nodes/pve1/storage/local/content"


def dump(cluster: Cluster, node: str = "pve1", **params: object) -> str:
    return finish(cluster, cluster.post(f"/nodes/{node}/vzdump", **params))


def finish(cluster: Cluster, upid: str) -> str:
    """A job runs through one stage for each guest."""
    for _ in range(50):
        if ended := cluster.finish(upid):
            return ended
    raise AssertionError(upid)


def backups(cluster: Cluster, vmid: int = 100) -> list[dict]:
    return cluster.get(CONTENT, content="backup", vmid=vmid)


def test_the_log_and_the_row_of_a_stopped_machine(cluster: Cluster) -> None:
    cluster.machine(description="kept")
    upid = cluster.post(VZDUMP, vmid=100, compress="lzo")
    assert ":vzdump:100:" in upid
    assert cluster.config(100)["lock"] == "backup"
    assert finish(cluster, upid) == "OK" and "lock" not in cluster.config(100)
    path = "/var/lib/vz/dump/vzdump-qemu-100-2026_11_21-00_00_01.vma.lzo"
    assert cluster.log(upid) == [
        "INFO: starting new backup job: vzdump 100 --node pve1 --compress lzo",
        "INFO: Starting Backup of VM 100 (qemu)",
        "INFO: Backup started at 2026-11-21 00:00:01",
        "INFO: status = stopped",
        "INFO: VM Name: m100",
        "INFO: include disk 'scsi0' 'local-lvm:vm-100-disk-0' 8G",
        "INFO: backup mode: stop",
        "INFO: ionice priority: 7",
        f"INFO: creating vzdump archive '{path}'",
        "INFO: 100% (8.0 GiB of 8.0 GiB) in 1s",
        "INFO: transferred 8.0 GiB",
        "INFO: archive file size: 2KB",
        "INFO: Finished Backup of VM 100 (00:00:00)",
        "INFO: Backup finished at 2026-11-21 00:00:01",
        "INFO: Backup job finished successfully",
        "TASK OK",
    ]
    (row,) = backups(cluster)
    assert row == {
        "volid": "local:backup/vzdump-qemu-100-2026_11_21-00_00_01.vma.lzo", "content": "backup", "format": "vma.lzo",
        "size": 2048, "ctime": 1795219201, "vmid": 100, "subtype": "qemu",
    }  # fmt: skip
    text = cluster.get("/nodes/pve1/vzdump/extractconfig", volume=row["volid"])
    assert text.startswith("#kept\nboot: order=scsi0\nmeta: ") and "lock" not in text
    assert "\nscsi0: local-lvm:vm-100-disk-0,size=8G\n" in text
    assert text.endswith("#qmdump#map:scsi0:drive-scsi0:local-lvm:raw:\n")


@pytest.mark.parametrize(
    ("vmid", "kind", "compress", "suffix"),
    [
        (100, "qemu", None, "vma"), (100, "qemu", "0", "vma"), (100, "qemu", "1", "vma.lzo"),
        (100, "qemu", "gzip", "vma.gz"), (100, "qemu", "zstd", "vma.zst"), (201, "lxc", "zstd", "tar.zst"),
        (201, "lxc", "0", "tar"),
    ],
)  # fmt: skip
def test_names_by_compression(cluster: Cluster, vmid: int, kind: str, compress: str | None, suffix: str) -> None:
    cluster.machine()
    assert dump(cluster, vmid=vmid, **({"compress": compress} if compress else {})) == "OK"
    (row,) = backups(cluster, vmid)
    assert row["format"] == suffix and row["volid"].startswith(f"local:backup/vzdump-{kind}-{vmid}-2026_11_21-00_00_0")


@pytest.mark.parametrize("mode", ["snapshot", "suspend", "stop"])
def test_a_running_machine_runs_on(cluster: Cluster, mode: str) -> None:
    before = cluster.core.state.guests.get(101).started_at  # type: ignore[union-attr]
    upid = cluster.post(VZDUMP, vmid=101, mode=mode)
    assert cluster.refusal("PUT", f"{QEMU}/101/config", name="x").message == "VM is locked (backup)"
    assert finish(cluster, upid) == "OK"
    log = cluster.log(upid)
    assert "INFO: status = running" in log and f"INFO: backup mode: {mode}" in log
    assert cluster.get(f"{QEMU}/101/status/current")["status"] == "running"
    after = cluster.core.state.guests.get(101).started_at  # type: ignore[union-attr]
    assert (after != before) is (mode == "stop")


def test_a_job_of_several_guests_goes_one_by_one_and_on_after_a_failure(cluster: Cluster) -> None:
    cluster.machine()
    cluster.put(f"{QEMU}/100/config", lock="migrate")
    upid = cluster.post(VZDUMP, vmid="100,101,999,201")
    assert cluster.get(f"{QEMU}/101/status/current")["lock"] == "backup"
    assert "lock" not in cluster.get(f"{LXC}/201/status/current")
    assert finish(cluster, upid) == "job errors"
    log = cluster.log(upid)
    assert "ERROR: Backup of VM 100 failed - VM is locked (migrate)" in log
    assert "ERROR: Backup of VM 999 failed - unable to find VM '999'" in log
    assert any(line.startswith("INFO: Finished Backup of VM 101 ") for line in log)
    assert any(line.startswith("INFO: Finished Backup of CT 201 ") for line in log)
    assert upid.split(":")[6] == "" and cluster.config(100)["lock"] == "migrate"


def test_guests_of_other_nodes_are_nobody_s_task_here(cluster: Cluster) -> None:
    assert cluster.post(VZDUMP, vmid=102) == "OK"
    assert not [task for task in cluster.core.state.tasks if task.type == "vzdump"]
    assert ":vzdump:101:" in cluster.post(VZDUMP, vmid="101,102")


def test_one_job_per_node_at_a_time(cluster: Cluster) -> None:
    first, second = cluster.post(VZDUMP, vmid=101), cluster.post(VZDUMP, vmid=201)
    elsewhere = cluster.post("/nodes/pve2/vzdump", vmid=102)
    cluster.get("/version")
    assert "lock" not in cluster.get(f"{LXC}/201/status/current")
    assert cluster.get("/nodes/pve2/qemu/102/status/current")["lock"] == "backup"
    assert [finish(cluster, upid) for upid in (first, second, elsewhere)] == ["OK", "OK", "OK"]


def test_all_and_pool_and_exclude(cluster: Cluster) -> None:
    upid = cluster.post(VZDUMP, all=1, exclude="9000,9001,110")
    assert finish(cluster, upid) == "OK"
    assert {row["vmid"] for row in cluster.get(CONTENT, content="backup")} == {101, 201}
    upid = cluster.post(VZDUMP, pool="infrastructure", storage="shared")
    assert finish(cluster, upid) == "OK"
    rows = cluster.get("/nodes/pve1/storage/shared/content", content="backup")
    assert {row["vmid"] for row in rows} == {101, 201}


@pytest.mark.parametrize(
    ("params", "status", "errors", "text"),
    [
        ({}, 400, {"vmid": "property is missing"}, "Parameter verification failed."),
        ({"vmid": 100, "all": 1}, 400, {"all": "option conflicts with option 'vmid'"}, "Parameter verification failed."),
        (
            {"vmid": 100, "protected": 1}, 400, {"storage": "missing property required by 'protected'"},
            "Parameter verification failed.",
        ),
        (
            {"vmid": 100, "mode": "x"}, 400,
            {"mode": "value 'x' does not have a value in the enumeration 'snapshot, suspend, stop'"},
            "Parameter verification failed.",
        ),
        ({"vmid": 100, "stdout": 1}, 501, {}, "option 'stdout' not implemented"),
    ],
)  # fmt: skip
def test_refusals(cluster: Cluster, params: dict, status: int, errors: dict, text: str) -> None:
    cluster.machine()
    answer = cluster.answer("POST", VZDUMP, **params)
    assert (answer.status, answer.errors, answer.message) == (status, errors, text)


@pytest.mark.parametrize(
    ("storage", "text"),
    [
        ("nope", "could not get storage information for 'nope': storage 'nope' does not exist"),
        (
            "local-lvm",
            "could not get storage information for 'local-lvm': can't use storage 'local-lvm' for backups - wrong content "
            "type",
        ),
    ],
)
def test_a_storage_that_cannot(cluster: Cluster, storage: str, text: str) -> None:
    assert dump(cluster, vmid=101, storage=storage) == text
    assert "lock" not in cluster.config(101)


def test_a_full_storage_is_a_job_error_and_unlocks(cluster: Cluster) -> None:
    local = cluster.core.state.storages.get("local")
    assert local is not None
    local.total = 1
    upid = cluster.post(VZDUMP, vmid=101)
    assert finish(cluster, upid) == "job errors"
    assert any("No space left on device" in line for line in cluster.log(upid))
    assert "lock" not in cluster.config(101)


def test_an_interrupted_job_unlocks_the_guest_at_hand(cluster: Cluster) -> None:
    upid = cluster.post(VZDUMP, vmid="101,201", mode="stop")
    assert cluster.config(101)["lock"] == "backup"
    cluster.delete(f"/nodes/pve1/tasks/{upid}")
    assert "lock" not in cluster.config(101)
    assert cluster.get(f"{QEMU}/101/status/current")["status"] == "running"


def test_notes_protection_and_removal(cluster: Cluster) -> None:
    assert dump(cluster, vmid=101, storage="local", notes_template="{{guestname}} on {{node}}", protected=1) == "OK"
    (row,) = backups(cluster, 101)
    assert (row["notes"], row["protected"]) == ("dns-1 on pve1", 1)
    path = f"{CONTENT}/{row['volid']}"
    assert cluster.finish(cluster.delete(path)) == f"cannot remove protected volume '{row['volid']}' on 'local'"
    assert cluster.put(path, protected=0, notes="changed") is None
    details = cluster.get(path)
    assert (details["notes"], details["protected"], details["format"]) == ("changed", 0, "vma")
    assert details["path"] == f"/var/lib/vz/dump/{row['volid'].rpartition('/')[2]}"
    upid = cluster.delete(path)
    assert ":imgdel:101@local:" in upid and cluster.finish(upid) == "OK" and not backups(cluster, 101)
    iso = f"{CONTENT}/iso/debian-12.12.0-amd64-netinst.iso"
    assert cluster.refusal("PUT", iso, notes="x").message == "only backups support attribute 'notes'"


def test_retention_while_backing_up(cluster: Cluster) -> None:
    for number in range(3):
        params = {"protected": 1, "storage": "local"} if number == 0 else {}
        assert dump(cluster, vmid=101, prune_backups="keep-last=1", **params) == "OK"
    rows = backups(cluster, 101)
    assert len(rows) == 2 and sorted(row.get("protected", 0) for row in rows) == [0, 1]


def test_retention_on_request(cluster: Cluster) -> None:
    for _ in range(3):
        assert dump(cluster, vmid=101) == "OK"
        cluster.clock.advance(86_400)
    base = "/nodes/pve1/storage/local/prunebackups"
    assert {row["mark"] for row in cluster.get(base)} == {"keep"}
    rows = cluster.get(base, prune_backups="keep-last=1,keep-daily=1")
    assert [row["mark"] for row in rows] == ["keep", "keep", "remove"] and rows[0]["type"] == "qemu"
    assert cluster.finish(cluster.delete(base, prune_backups="keep-last=1")) == "OK"
    assert len(backups(cluster, 101)) == 1


def archive(cluster: Cluster, vmid: int, **params: object) -> str:
    assert dump(cluster, vmid=vmid, **params) == "OK"
    return str(backups(cluster, vmid)[-1]["volid"])


def test_restore_to_a_new_number(cluster: Cluster) -> None:
    cluster.machine(
        net0="virtio=BC:24:11:00:00:01,bridge=vmbr0", ide2="local-lvm:cloudinit", cores=3, scsi1="local-lvm:1,backup=0"
    )
    old = cluster.config(100)
    volid = archive(cluster, 100)
    upid = cluster.post(QEMU, vmid=300, archive=volid, storage="shared", cores=5)
    assert ":qmrestore:300:" in upid and cluster.config(300)["lock"] == "create"
    assert cluster.finish(upid) == "OK"
    config = cluster.config(300)
    assert config["scsi0"] == "shared:300/vm-300-disk-0.raw,size=8G"
    assert config["ide2"] == "shared:300/vm-300-cloudinit.qcow2,media=cdrom,size=4M"
    assert (config["cores"], config["net0"], config["smbios1"]) == (5, old["net0"], old["smbios1"])
    assert config["vmgenid"] != old["vmgenid"] and not {"lock", "scsi1"} & config.keys()
    assert cluster.power(300, "start") == "OK"


def test_unique_gives_new_addresses(cluster: Cluster) -> None:
    cluster.machine(net0="virtio=BC:24:11:00:00:01,bridge=vmbr0")
    volid = archive(cluster, 100)
    assert cluster.finish(cluster.post(QEMU, vmid=300, archive=volid, unique=1, start=1)) == "OK"
    config, old = cluster.config(300), cluster.config(100)
    assert config["net0"] != old["net0"] and config["smbios1"] != old["smbios1"]
    assert cluster.get(f"{QEMU}/300/status/current")["status"] == "running"


def test_force_replaces_the_old_machine(cluster: Cluster) -> None:
    cluster.machine(cores=1)
    volid = archive(cluster, 100)
    cluster.put(f"{QEMU}/100/config", cores=4, scsi1="local-lvm:2")
    refused = cluster.refusal("POST", QEMU, vmid=100, archive=volid)
    assert refused.message == "unable to restore VM 100 - VM 100 already exists on node 'pve1'"
    assert cluster.finish(cluster.post(QEMU, vmid=100, archive=volid, force=1)) == "OK"
    assert cluster.config(100)["cores"] == 1 and "scsi1" not in cluster.config(100)
    assert [
        volume.name for volume in cluster.core.state.volumes if volume.vmid == 100 and volume.content == "images"
    ] == ["vm-100-disk-0"]


def test_what_a_restore_refuses_leaves_the_old_machine_alone(cluster: Cluster) -> None:
    volid = archive(cluster, 101)
    before = cluster.config(101)
    upid = cluster.post(QEMU, vmid=101, archive=volid, force=1)
    assert cluster.finish(upid) == "unable to restore VM 101 - vm is running"
    assert cluster.config(101) == before
    refused = cluster.refusal("POST", QEMU, vmid=102, archive=volid, force=1)
    assert refused.message == "unable to restore VM 102 - VM 102 already exists on node 'pve2'"
    cluster.machine()
    cluster.put(f"{QEMU}/100/config", lock="backup")
    refused = cluster.refusal("POST", QEMU, vmid=100, archive=volid, force=1)
    assert refused.message == "unable to restore VM 100 - VM is locked (backup)"


@pytest.mark.parametrize(
    ("params", "status", "text", "errors"),
    [
        ({"archive": "nope:backup/x"}, 500, "storage 'nope' does not exist", {}),
        ({"archive": "local-lvm:x"}, 500, "unable to parse lvm volume name 'x'", {}),
        ({"force": 1}, 400, "Parameter verification failed.", {"archive": "missing property required by 'force'"}),
        ({"unique": 1}, 400, "Parameter verification failed.", {"archive": "missing property required by 'unique'"}),
        (
            {"archive": "local:backup/vzdump-qemu-9-2026_11_21-00_00_00.vma", "storage": "local"}, 400,
            "Parameter verification failed.", {"storage": "storage 'local' does not support vm images"},
        ),
    ],
)  # fmt: skip
def test_restore_refusals(cluster: Cluster, params: dict, status: int, text: str, errors: dict) -> None:
    answer = cluster.answer("POST", QEMU, vmid=300, **params)
    assert (answer.status, answer.message, answer.errors) == (status, text, errors)


def test_an_archive_that_is_gone_leaves_no_guest(cluster: Cluster) -> None:
    volid = "local:backup/vzdump-qemu-9-2026_11_21-00_00_00.vma"
    ended = cluster.finish(cluster.post(QEMU, vmid=300, archive=volid))
    assert ended == (
        "unable to restore VM 300 - can't find archive file '/var/lib/vz/dump/vzdump-qemu-9-2026_11_21-00_00_00.vma'"
    )
    assert 300 not in cluster.core.state.guests


def test_containers_come_back(cluster: Cluster) -> None:
    volid = archive(cluster, 201, mode="snapshot")
    refused = cluster.refusal("POST", LXC, vmid=201, ostemplate=volid, restore=1, storage="local-lvm")
    assert refused.message == "CT 201 already exists on node 'pve1'"
    refused = cluster.refusal("POST", LXC, vmid=201, ostemplate=volid, restore=1, storage="local-lvm", force=1)
    assert refused.message == "can't overwrite running container"
    assert cluster.refusal("POST", LXC, vmid=300, ostemplate=volid, restore=1).errors == {
        "storage": "storage 'local' does not support container directories"
    }
    upid = cluster.post(LXC, vmid=300, ostemplate=volid, restore=1, storage="local-lvm", unique=1, hostname="copy")
    assert ":vzrestore:300:" in upid and cluster.finish(upid) == "OK"
    config = cluster.config(300, kind="lxc")
    assert config["rootfs"] == "local-lvm:vm-300-disk-0,size=4G" and config["hostname"] == "copy"
    assert cluster.power(300, "start", kind="lxc") == "OK"


def test_a_template_comes_back_as_one(cluster: Cluster) -> None:
    volid = archive(cluster, 9000)
    assert cluster.finish(cluster.post(QEMU, vmid=300, archive=volid, storage="local-lvm")) == "OK"
    config = cluster.config(300)
    assert config["template"] == 1 and config["scsi0"].startswith("local-lvm:base-300-disk-0,")


def test_removing_a_guest_keeps_its_backups(cluster: Cluster) -> None:
    cluster.machine()
    volid = archive(cluster, 100)
    assert cluster.finish(cluster.delete(f"{QEMU}/100", destroy_unreferenced_disks=1)) == "OK"
    assert [row["volid"] for row in backups(cluster)] == [volid]


def test_a_job_goes_on_after_a_restart_of_the_process(cluster: Cluster) -> None:
    upid = cluster.post(VZDUMP, vmid="101,201")
    assert cluster.config(101)["lock"] == "backup"
    state = State()
    for change in cluster.core.state.drain():
        if change.body is not None:
            state.restore(change.kind, change.body)
    again = make_cluster(state)
    again.clock.move_to(cluster.clock.now())
    assert again.config(101)["lock"] == "backup"
    assert finish(again, upid) == "OK"
    assert len(backups(again, 101)) == len(backups(again, 201)) == 1
    assert "lock" not in again.config(101)


def test_a_backup_server_names_compresses_and_encrypts_by_itself(cluster: Cluster) -> None:
    made = {
        "storage": "vault2",
        "type": "pbs",
        "server": "10.0.0.9",
        "datastore": "d",
        "encryption-key": "secret words",
    }
    cluster.post("/storage", **made)
    shown = cluster.get("/storage/vault2")
    assert shown["content"] == "backup" and shown["encryption-key"].count(":") == 31
    assert "secret" not in str(cluster.get("/storage"))
    cluster.machine()
    assert dump(cluster, vmid=100, storage="vault2", compress="lzo") == "OK"
    here = "/nodes/pve2/storage/vault2/content"
    (row,) = cluster.get(here, content="backup")
    assert row["volid"] == "vault2:backup/vm/100/2026-11-21T00:00:01Z"
    assert (row["format"], row["subtype"], row["encrypted"]) == ("pbs-vm", "qemu", shown["encryption-key"])
    assert cluster.get(f"{here}/{row['volid']}")["path"] == "root@pam@10.0.0.9:d:vm/100/2026-11-21T00:00:01Z"
    assert "scsi0" in cluster.get("/nodes/pve1/vzdump/extractconfig", volume=row["volid"])
    assert finish(cluster, cluster.post(QEMU, vmid=555, archive=row["volid"])) == "OK"
    assert cluster.config(555)["scsi0"].startswith("local-lvm:vm-555-disk-0")
    assert finish(cluster, cluster.call("DELETE", f"{here}/{row['volid']}")) == "OK"
    assert cluster.get(here, content="backup") == []


def test_a_purged_guest_leaves_the_backup_jobs(cluster: Cluster) -> None:
    cluster.machine()
    for name, vmid in (("own", "100"), ("shared-job", "100,101")):
        cluster.post("/cluster/backup", id=name, schedule="daily", storage="local", vmid=vmid)
    assert finish(cluster, cluster.call("DELETE", f"{QEMU}/100", purge=1)) == "OK"
    assert [(row["id"], row["vmid"]) for row in cluster.get("/cluster/backup")] == [("shared-job", "101")]
