"""The connection: verified, bounded in time and size, and never sure of what was not said."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pytest_django.fixtures import Settings

from alma.errors import Unavailable
from alma.jobs.kinds import Unknown
from tests.factories.vms import make_cluster
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.proxmox.conftest import Impostor
from vms.models import Cluster
from vms.proxmox import cluster as reader
from vms.proxmox.answers import Refusal, Verdict
from vms.proxmox.client import connect, disconnect
from vms.proxmox.paths import UnsafeValue
from vms.sandbox import certificates
from vms.services import read_cluster


def test_sandbox_is_read_over_verified_tls(cluster: Cluster) -> None:
    reading = read_cluster(cluster)

    assert [node.name for node in reading.online_nodes()] == ["pve1", "pve2", "pve3"]
    assert reading.template("debian-12-cloudinit") == reading.template(9000)
    assert reading.storages_for("pve1")[0].name == "shared"
    assert "local" not in {storage.name for storage in reading.storages_for("pve1")}
    assert reading.bridges_on("pve1") == ("vmbr0",)
    assert any(template.volid.startswith("local:vztmpl/") for template in reading.ostemplates)
    assert not {row.vmid for row in reading.templates} & {row.vmid for row in reading.guests}


def test_certificate_of_another_authority_is_refused(db: None, sandbox: RunningSandbox, tmp_path: Path) -> None:
    certificates.ensure(tmp_path)
    cluster = make_cluster(sandbox, ca_pem=(tmp_path / "ca.pem").read_text())

    with pytest.raises(Unknown, match="could not be verified"):
        connect(cluster).get("version")
    disconnect()


def test_without_a_bundle_the_systems_authorities_count_and_never_none(db: None, sandbox: RunningSandbox) -> None:
    with pytest.raises(Unknown, match="could not be verified"):
        connect(make_cluster(sandbox, ca_pem="")).get("version")
    disconnect()


def test_environment_cannot_weaken_the_connection(
    db: None, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificates.ensure(tmp_path)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))

    assert connect(make_cluster(sandbox)).get("version")["release"]
    disconnect()


def write_certificate(folder: Path, name: str) -> None:
    """A certificate for another machine that signs itself; pinning it makes it trusted, not right."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    pem = builder.add_extension(names, critical=False).sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    (folder / "ca.pem").write_bytes(pem)
    (folder / "cert.pem").write_bytes(pem)
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@pytest.mark.parametrize(("name", "is_right"), [("elsewhere.example", False), ("localhost", True)])
def test_pinned_certificate_must_bear_the_right_name(db: None, tmp_path: Path, name: str, is_right: bool) -> None:
    write_certificate(tmp_path, name)
    impostor = Impostor(tmp_path)
    impostor.answer(b'{"data":{}}')
    cluster = make_cluster(host="localhost", port=impostor.port, ca_pem=impostor.ca_pem, is_sandbox=True)

    try:
        if is_right:
            assert connect(cluster).get("version") == {}
        else:
            with pytest.raises(Unknown, match="could not be verified"):
                connect(cluster).get("version")
    finally:
        disconnect()
        impostor.close()
    assert len(impostor.requests) == int(is_right)


def test_rejected_token_says_nothing_about_guests(cluster: Cluster) -> None:
    cluster.seal("00000000-0000-0000-0000-000000000000")
    with pytest.raises(Unavailable, match="401"):
        read_cluster(cluster)


def test_changed_token_makes_a_new_connection(cluster: Cluster) -> None:
    first = connect(cluster)
    assert connect(cluster) is first

    cluster.seal(cluster.token_secret)
    assert connect(cluster) is not first


STRANGE = {
    "login page": b"<html><body>Please sign in</body></html>",
    "nothing": b"",
    "no object": b"[]",
    "no data": b'{"success": 1}',
    "half": b'{"data": [{"type": "qemu", "vm',
    "not utf-8": b'{"data": "\xff\xfe"}',
    "null": b'{"data": null}',
    "a word": b'{"data": "no"}',
    "an object": b'{"data": {"type": "qemu"}}',
    "rows of words": b'{"data": ["qemu/100"]}',
    "a number for a list": b'{"data": [{"type": "qemu", "vmid": [100]}]}',
    "infinity": b'{"data": [{"type": "qemu", "vmid": 100, "mem": Infinity}]}',
    "deep": b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}


@pytest.mark.parametrize("body", STRANGE.values(), ids=STRANGE)
def test_strange_answers_are_unknown(impostor: Impostor, strange_cluster: Cluster, body: bytes) -> None:
    impostor.answer(body)

    with pytest.raises(Unknown):
        reader.list_guests(connect(strange_cluster))
    assert len(impostor.requests) == 1


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        ("301 Moved Permanently", "Location: https://127.0.0.1:1/\r\n"),
        ("200 OK", "Content-Encoding: gzip\r\n"),
        ("404 Not Found", ""),
        ("500 Internal Server Error", ""),
        ("502 Bad Gateway", ""),
        ("595 No route to host", ""),
        ("401 invalid token value!", ""),
        ("429 Too Many Requests", ""),
        ("500", ""),
        ("700 what", ""),
    ],
)
def test_strange_statuses_are_unknown(impostor: Impostor, strange_cluster: Cluster, status: str, headers: str) -> None:
    impostor.answer(b'{"data":[]}', status=status, headers=headers)

    with pytest.raises(Unknown):
        connect(strange_cluster).get("cluster", "resources")
    assert len(impostor.requests) == 1, "nothing was followed or asked again"


def test_error_body_that_is_no_object_does_no_harm(impostor: Impostor, strange_cluster: Cluster) -> None:
    impostor.answer(b"[1]", status="400 Parameter verification failed.")

    with pytest.raises(Refusal) as refusal:
        connect(strange_cluster).get("version")
    assert refusal.value.verdict == Verdict.REFUSED


@pytest.mark.parametrize("drips", ["body", "headers"])
def test_answer_that_drips_ends_at_the_total_deadline(
    impostor: Impostor, strange_cluster: Cluster, settings: Settings, drips: str
) -> None:
    settings.ALMA_CLUSTER_TOTAL_SECONDS = 1
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    impostor.pause = 0.2
    impostor.pieces = [head + b"Content-Length: 400\r\n\r\n"] if drips == "body" else [head]
    impostor.pieces += [b"x"] * 400

    started = time.monotonic()
    with pytest.raises(Unknown, match="in time"):
        connect(strange_cluster).get("version")
    assert time.monotonic() - started < 2.5


def test_all_calls_of_a_turn_share_the_deadline(
    cluster: Cluster, settings: Settings, fresh_sandbox: RunningSandbox
) -> None:
    settings.ALMA_CLUSTER_TOTAL_SECONDS = 1
    fresh_sandbox.core.faults.latency = 0.3
    api = connect(cluster)

    started = time.monotonic()
    with pytest.raises(Unknown):
        for _ in range(20):
            api.get("version")
    assert time.monotonic() - started < 2.5
    fresh_sandbox.core.faults.latency = 0.0
    assert connect(cluster).get("version")


def test_answer_that_announces_too_much_is_not_read(impostor: Impostor, strange_cluster: Cluster) -> None:
    impostor.pieces = [b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{"]

    with pytest.raises(Unknown):
        connect(strange_cluster).get("version")


def test_nobody_there_is_unknown(db: None) -> None:
    with pytest.raises(Unknown, match="refused the connection"):
        connect(make_cluster(is_sandbox=True)).get("version")
    disconnect()


@pytest.mark.parametrize(
    "name", ["args", "hookscript", "hostpci0", "usb1", "serial0", "skiplock", "lock", "force", "Args"]
)
def test_dangerous_options_are_never_sent(impostor: Impostor, strange_cluster: Cluster, name: str) -> None:
    with pytest.raises(UnsafeValue):
        connect(strange_cluster).post("nodes", "pve1", "qemu", **{name: "1"})
    assert impostor.requests == []


@pytest.mark.parametrize(
    "part", ["..", "a/b", "", ".", "a..b", "x?y", "x#y", "%2e%2e", "a b", "ä", "-a", "a\n", "UPID:x"]
)
def test_path_cannot_be_left(impostor: Impostor, strange_cluster: Cluster, part: Any) -> None:
    with pytest.raises(UnsafeValue):
        connect(strange_cluster).get("nodes", part, "status")
    assert impostor.requests == []


def test_secret_is_in_the_header_and_nowhere_in_the_database(impostor: Impostor, strange_cluster: Cluster) -> None:
    impostor.answer(b'{"data":{}}')
    connect(strange_cluster).get("version")

    assert b"Authorization: PVEAPIToken=root@pam!alma=no-secret" in impostor.requests[0]
    assert b"Accept-Encoding: identity" in impostor.requests[0]
    row = Cluster.objects.values().get(pk=strange_cluster.pk)
    assert "no-secret" not in str(row)
