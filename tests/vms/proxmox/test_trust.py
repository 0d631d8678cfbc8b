"""A cluster proves who it is by a pinned certificate too, or is called unverified where the operator allows that."""

import hashlib
import logging
import ssl
from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from alma.jobs.kinds import Unknown
from tests.factories.vms import make_cluster
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.proxmox.conftest import Impostor
from vms.models import Cluster
from vms.proxmox.client import connect, disconnect

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_connection_left() -> Iterator[None]:
    yield
    disconnect()


def fingerprint_of(running: RunningSandbox) -> str:
    pem = ssl.get_server_certificate((running.host, running.port))
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, 64, 2))


def test_a_pinned_certificate_needs_no_authority(sandbox: RunningSandbox) -> None:
    cluster = make_cluster(sandbox, ca_pem="", fingerprint=fingerprint_of(sandbox))
    assert connect(cluster).get("version")["release"]


def test_another_certificate_than_the_pinned_one_gets_no_request(impostor: Impostor) -> None:
    impostor.answer(b'{"data":{}}')
    cluster = make_cluster(
        host="127.0.0.1", port=impostor.port, is_sandbox=True, ca_pem=impostor.ca_pem, fingerprint=":".join(["AA"] * 32)
    )
    with pytest.raises(Unknown, match="not the pinned one"):
        connect(cluster).get("version")
    assert not any(impostor.requests)


def test_verification_is_off_only_while_the_operator_allows_it(
    sandbox: RunningSandbox, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ALMA_CLUSTER_ALLOW_UNVERIFIED = True
    cluster = make_cluster(sandbox, ca_pem="", verifies_tls=False)
    with caplog.at_level(logging.WARNING, "vms.proxmox.client"):
        assert connect(cluster).get("version")["release"]
    assert "is not verified" in caplog.text
    assert cluster.token_secret not in caplog.text

    disconnect()
    settings.ALMA_CLUSTER_ALLOW_UNVERIFIED = False
    with pytest.raises(Unknown, match="could not be verified"):
        connect(Cluster.objects.get(pk=cluster.pk)).get("version")
