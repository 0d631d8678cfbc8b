"""Storages: definitions, what lies on them, and how files get there."""

import hashlib
import io

import pytest

from tests.fixtures.sandbox import RunningSandbox, wait_for_task
from tests.vms.sandbox.driving import SECRETS, Cluster
from tests.vms.sandbox.raw import Wire
from vms.sandbox.core.core import Request
from vms.sandbox.core.routing import Upload
from vms.sandbox.inprocess import client

LOCAL = "/nodes/pve1/storage/local"


@pytest.mark.parametrize(
    ("params", "shown"),
    [
        ({"type": "dir", "path": "/srv"}, {"path": "/srv", "content": "images,rootdir"}),
        (
            {"type": "nfs", "server": "10.0.0.9", "export": "/x", "content": "iso,backup", "prune-backups": "keep-last=3"},
            {"server": "10.0.0.9", "export": "/x", "path": "/mnt/pve/store", "content": "iso,backup",
             "prune-backups": "keep-last=3"},
        ),
        ({"type": "lvmthin", "vgname": "vg", "thinpool": "data", "nodes": "pve1,pve2"},
         {"vgname": "vg", "thinpool": "data", "nodes": "pve1,pve2"}),
        ({"type": "zfspool", "pool": "tank", "disable": 1}, {"pool": "tank", "disable": 1}),
        ({"type": "dir", "path": "/srv", "shared": 1}, {"path": "/srv", "shared": 1}),
    ],
)  # fmt: skip
def test_definition(cluster: Cluster, params: dict, shown: dict) -> None:
    assert cluster.post("/storage", storage="store", **params) == {"storage": "store", "type": params["type"]}
    row = cluster.get("/storage/store")
    assert shown.items() <= row.items() and len(row["digest"]) == 40
    assert row in cluster.get("/storage", type=params["type"])
    assert cluster.put("/storage/store", content="images") == {"storage": "store", "type": params["type"]}
    assert cluster.get("/storage/store")["content"] == "images"
    assert cluster.delete("/storage/store") is None
    assert cluster.refusal("GET", "/storage/store").message == "storage 'store' does not exist"


@pytest.mark.parametrize(
    ("params", "status", "text", "errors"),
    [
        (
            {"storage": "local", "type": "dir", "path": "/x"}, 500,
            "create storage failed: error during cfs-locked 'file-storage_cfg' operation: storage ID 'local' already defined",
            {},
        ),
        ({"storage": "store", "type": "dir"}, 500, "missing value for required option 'path'", {}),
        ({"storage": "store", "type": "dir", "path": "/x", "vgname": "v"}, 500, "unexpected property 'vgname'", {}),
        (
            {"storage": "store", "type": "lvm", "vgname": "v", "content": "iso"}, 500,
            "storage does not support content type 'iso'", {},
        ),
        (
            {"storage": "x", "type": "dir", "path": "/x"}, 400, "Parameter verification failed.",
            {"storage": "invalid format - storage ID 'x' cannot be shorter than 2 characters\n"},
        ),
        ({"storage": "store", "type": "pbs", "server": "a"}, 500, "missing value for required option 'datastore'", {}),
        ({"storage": "store", "type": "esxi"}, 501, "storage type 'esxi' not implemented", {}),
        ({"type": "dir"}, 400, "Parameter verification failed.", {"storage": "property is missing and it is not optional"}),
    ],
)  # fmt: skip
def test_definitions_that_are_refused(cluster: Cluster, params: dict, status: int, text: str, errors: dict) -> None:
    answer = cluster.answer("POST", "/storage", **params)
    assert (answer.status, answer.message, answer.errors) == (status, text, errors)


def test_changes_of_a_definition(cluster: Cluster) -> None:
    digest = cluster.get("/storage/local")["digest"]
    cluster.put("/storage/local", nodes="pve1", disable=1, digest=digest)
    assert cluster.refusal("PUT", "/storage/local", content="iso", digest=digest).status == 500
    refused = cluster.refusal("GET", f"{LOCAL}/status")
    assert refused.message == "storage 'local' is disabled"
    cluster.put("/storage/local", delete="disable,nodes")
    assert cluster.get(f"{LOCAL}/status")["active"] == 1
    assert cluster.refusal("PUT", "/storage/local", delete="path").message == "unable to delete required option 'path'"
    assert cluster.refusal("PUT", "/storage/local", path="/x").status == 400


def test_a_new_storage_holds_disks(cluster: Cluster) -> None:
    cluster.post("/storage", storage="tank", type="zfspool", pool="rpool/data", content="images,rootdir", sparse=1)
    row = next(row for row in cluster.get("/nodes/pve2/storage") if row["storage"] == "tank")
    assert row["used"] == 0 and row["avail"] == row["total"] > 0
    cluster.machine(node="pve2", scsi0="tank:4")
    assert cluster.config(100, node="pve2")["scsi0"] == "tank:vm-100-disk-0,size=4G"
    details = cluster.get("/nodes/pve2/storage/tank/content/tank:vm-100-disk-0")
    assert details["path"] == "/dev/zvol/rpool/data/vm-100-disk-0"
    cluster.delete("/storage/tank")
    assert cluster.power(100, "start", node="pve2") == "start failed: volume 'tank:vm-100-disk-0' does not exist"
    assert cluster.get("/cluster/resources")


def test_filters_of_the_list(cluster: Cluster) -> None:
    names = {row["storage"] for row in cluster.get("/nodes/pve1/storage", content="images")}
    assert names == {"local-lvm", "shared", "vault"}
    assert {row["storage"] for row in cluster.get("/nodes/pve1/storage", target="pve2")} == {"pbs", "shared"}
    cluster.put("/storage/shared", disable=1)
    assert "shared" not in {row["storage"] for row in cluster.get("/nodes/pve1/storage", enabled=1)}
    assert cluster.get("/nodes/pve1/storage", storage="local", format=1)[0]["formats"]["default"] == "raw"


def test_allocation_and_rows(cluster: Cluster) -> None:
    volid = cluster.post(
        "/nodes/pve1/storage/shared/content", vmid=300, filename="vm-300-disk-0.qcow2", size="5G", format="qcow2"
    )
    assert volid == "shared:300/vm-300-disk-0.qcow2"
    (row,) = cluster.get("/nodes/pve2/storage/shared/content", vmid=300)
    assert (row["format"], row["size"], row["vmid"]) == ("qcow2", 5 * 2**30, 300)
    assert cluster.refusal("GET", "/nodes/pve1/storage/shared/content", content="x").status == 400
    refused = cluster.refusal("POST", "/nodes/pve1/storage/local-lvm/content", vmid=300, filename="vm-300-x", size="5T")
    assert refused.errors == {"size": "value does not match the regex pattern"}


def put_file(cluster: Cluster, size: int = 100, digest: str = "", **params: object) -> object:
    named = {name.replace("_", "-"): value for name, value in params.items()}
    request = Request("POST", f"{LOCAL}/upload", named, cluster.identity, upload=Upload(size, digest))
    return cluster.core.handle(request)


@pytest.mark.parametrize(
    ("content", "name", "format"),
    [
        ("iso", "x.iso", "iso"), ("iso", "x.img", "iso"), ("vztmpl", "debian-12-x.tar.zst", "tzst"),
        ("import", "noble-server.qcow2", "qcow2"),
    ],
)  # fmt: skip
def test_uploads(cluster: Cluster, content: str, name: str, format: str) -> None:
    answer = put_file(cluster, content=content, filename=f"C:\\files\\{name}")
    assert ":imgcopy::" in answer.data and cluster.finish(answer.data) == "OK"
    row = next(row for row in cluster.get(f"{LOCAL}/content", content=content) if row["volid"].endswith(name))
    assert (row["volid"], row["format"], row["size"]) == (f"local:{content}/{name}", format, 100)


@pytest.mark.parametrize(
    ("params", "status", "text", "errors"),
    [
        ({"content": "iso", "filename": "x.txt"}, 400, "Parameter verification failed.", {"filename": "wrong file extension"}),
        (
            {"content": "iso", "filename": "x.iso", "checksum": "0"}, 400, "Parameter verification failed.",
            {"checksum-algorithm": "missing property required by 'checksum'"},
        ),
        (
            {"content": "images", "filename": "x.raw"}, 400, "Parameter verification failed.",
            {"content": "value 'images' does not have a value in the enumeration 'iso, vztmpl, import'"},
        ),
    ],
)  # fmt: skip
def test_uploads_that_are_refused(cluster: Cluster, params: dict, status: int, text: str, errors: dict) -> None:
    answer = put_file(cluster, **params)
    assert (answer.status, answer.message, answer.errors) == (status, text, errors)


def test_a_storage_without_files_takes_none(cluster: Cluster) -> None:
    params = {"content": "iso", "filename": "x.iso", "url": "https://example.com/x.iso"}
    refused = cluster.refusal("POST", "/nodes/pve1/storage/local-lvm/download-url", **params)
    assert refused.message == "can't download to storage type 'lvmthin'"
    cluster.put("/storage/local", content="backup")
    refused = cluster.refusal("POST", f"{LOCAL}/download-url", **params)
    assert refused.message == "storage 'local' is not configured for content-type 'iso'"


def test_a_wrong_checksum_fails_the_task(cluster: Cluster) -> None:
    right, wrong = hashlib.sha256(b"x").hexdigest(), "0" * 64
    answer = put_file(
        cluster, digest=right, content="iso", filename="x.iso", checksum=wrong, checksum_algorithm="sha256"
    )
    assert cluster.finish(answer.data) == f"checksum mismatch: got '{right}' != expect '{wrong}'"
    assert not [row for row in cluster.get(f"{LOCAL}/content") if row["volid"].endswith("/x.iso")]


def test_download(cluster: Cluster) -> None:
    params = {"content": "import", "filename": "noble.qcow2", "url": "https://cloud.example.com/noble.img"}
    upid = cluster.post(f"{LOCAL}/download-url", **params)
    assert ":download:noble.qcow2:" in upid and cluster.finish(upid) == "OK"
    assert cluster.log(upid)[0].startswith("downloading https://cloud.example.com/noble.img to /var/lib/vz/import/")
    again = cluster.finish(cluster.post(f"{LOCAL}/download-url", **params))
    assert again == "refusing to override existing file '/var/lib/vz/import/noble.qcow2'"
    cluster.machine(scsi0="local-lvm:0,import-from=local:import/noble.qcow2", agent="1")
    assert cluster.power(100, "start") == "OK"
    cluster.clock.advance(30)
    assert cluster.get("/nodes/pve1/qemu/100/agent/get-osinfo")["result"]["id"] == "ubuntu"


def test_history(cluster: Cluster) -> None:
    rows = cluster.get(f"{LOCAL}/rrddata", timeframe="hour")
    assert len(rows) == 60 and rows[0]["time"] + 60 == rows[1]["time"]
    assert 0 < rows[0]["used"] <= rows[-1]["used"] * 1.01 and rows[0]["total"] == rows[-1]["total"]
    assert cluster.refusal("GET", f"{LOCAL}/rrddata").errors == {
        "timeframe": "property is missing and it is not optional"
    }


CONTENT = b"not a real image" * 50_000


def test_stock_client_uploads_over_the_wire(sandbox: RunningSandbox) -> None:
    file = io.BytesIO(CONTENT)
    file.name = "over-the-wire.iso"
    local = sandbox.proxmoxer(ticket=True).nodes("pve1").storage("local")
    upid = local.upload.create(
        content="iso", filename=file,
        **{"checksum-algorithm": "sha256", "checksum": hashlib.sha256(CONTENT).hexdigest()},
    )  # fmt: skip
    assert wait_for_task(sandbox.proxmoxer(), upid) == "OK"
    row = next(row for row in local.content.get() if row["volid"] == "local:iso/over-the-wire.iso")
    assert row["size"] == len(CONTENT)


def test_an_upload_needs_no_csrf_token_and_only_there(sandbox: RunningSandbox) -> None:
    ticket = sandbox.proxmoxer(ticket=True).get_tokens()[0]
    parts = (
        b'--b\r\nContent-Disposition: form-data; name="content"\r\n\r\niso\r\n--b\r\nContent-Disposition: form-data; '
        b'name="filename"; filename="by-hand.iso"\r\n\r\nabc\r\n--b--\r\n'
    )
    headers = (f"Cookie: PVEAuthCookie={ticket}", "Content-Type: multipart/form-data; boundary=b")
    with Wire(sandbox) as wire:
        answer = wire.send("POST /api2/json/nodes/pve1/storage/local/upload", *headers, body=parts)
        assert answer.line == "HTTP/1.1 200 OK" and ":imgcopy::" in answer.json["data"]
        assert "invalid csrf token" in wire.send("POST /api2/json/nodes/pve1/qemu", *headers, body=parts).line


def test_uploads_without_a_socket(cluster: Cluster) -> None:
    file = io.BytesIO(b"abc")
    file.name = "inside.iso"
    local = client(cluster.core, SECRETS).nodes("pve1").storage("local")
    upid = local.upload.create(content="iso", filename=file)
    assert cluster.finish(upid) == "OK"
    assert any(row["volid"] == "local:iso/inside.iso" and row["size"] == 3 for row in local.content.get())


@pytest.mark.parametrize(
    ("storage", "name", "said"),
    [
        ("local-lvm", "disk", "illegal name 'disk' - should be 'vm-300-*'\n"),
        ("local-lvm", "vm-301-disk-0", "illegal name 'vm-301-disk-0' - should be 'vm-300-*'\n"),
        ("local-lvm", "local-lvm:1", "illegal name 'local-lvm:1' - should be 'vm-300-*'\n"),
        ("shared", "vm-300-disk-0", "unable to parse volume filename 'vm-300-disk-0'\n"),
        ("shared", "../vm-300-disk-0.raw", "unable to parse volume filename '../vm-300-disk-0.raw'\n"),
    ],
)
def test_a_volume_is_named_after_its_guest(cluster: Cluster, storage: str, name: str, said: str) -> None:
    path = f"/nodes/pve1/storage/{storage}/content"
    refused = cluster.refusal("POST", path, vmid=300, filename=name, size="1G")
    assert (refused.status, refused.message) == (500, said)


def test_the_format_of_a_volume_is_in_its_name(cluster: Cluster) -> None:
    path = "/nodes/pve1/storage/shared/content"
    assert cluster.post(path, vmid=300, filename="vm-300-a.qcow2", size="1G") == "shared:300/vm-300-a.qcow2"
    refused = cluster.refusal("POST", path, vmid=300, filename="vm-300-b.qcow2", size="1G", format="raw")
    assert refused.errors == {"format": "different storage formats (raw != qcow2)"}
