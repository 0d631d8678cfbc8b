"""Where a cluster may lie, whatever its host is called."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from alma.jobs.kinds import Unknown
from tests.factories.vms import make_cluster
from tests.vms.proxmox.conftest import Impostor
from vms import checks
from vms.proxmox.addresses import AddressRefused, allowances, refusal_of, resolve
from vms.proxmox.client import connect, disconnect

NEVER = (
    "127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::", "169.254.169.254", "fe80::1", "224.0.0.1",
    "100.100.100.200", "fd00:ec2::254",
)  # fmt: skip


@pytest.mark.parametrize("address", NEVER)
def test_own_and_metadata_addresses_are_refused_whatever_the_list_says(settings: Settings, address: str) -> None:
    settings.ALMA_CLUSTER_ALLOW = ["0.0.0.0/0", "::/0"]
    assert refusal_of("pve.example", address)


@pytest.mark.parametrize("address", ["10.1.2.3", "192.168.1.10", "fd12::1", "100.64.0.9"])
def test_private_addresses_need_the_operators_leave(settings: Settings, address: str) -> None:
    settings.ALMA_CLUSTER_ALLOW = []
    assert "ALMA_CLUSTER_ALLOW" in refusal_of("pve.lan", address)
    settings.ALMA_CLUSTER_ALLOW = ["pve.lan"]
    assert not refusal_of("PVE.lan", address)
    assert refusal_of("other.lan", address)
    settings.ALMA_CLUSTER_ALLOW = [f"{address}/32" if "." in address else f"{address}/128"]
    assert not refusal_of("other.lan", address)


def test_public_addresses_need_no_leave_and_the_sandbox_is_on_loopback(settings: Settings) -> None:
    settings.ALMA_CLUSTER_ALLOW = []
    assert not refusal_of("pve.example", "9.9.9.9")
    assert not refusal_of("127.0.0.1", "127.0.0.1", is_sandbox=True)
    assert resolve("127.0.0.1", 8006, 1.0, is_sandbox=True) == ["127.0.0.1"]


@pytest.mark.parametrize("host", ["localhost", "127.1", "0x7f000001", "2130706433", "017700000001"])
def test_other_spellings_of_loopback_are_looked_up_and_refused(host: str) -> None:
    with pytest.raises(AddressRefused):
        resolve(host, 8006, 5.0)


def test_no_packet_leaves_for_a_refused_address(db: None, impostor: Impostor) -> None:
    impostor.answer(b'{"data":{}}')
    cluster = make_cluster(host="127.0.0.1", port=impostor.port, ca_pem=impostor.ca_pem)
    with pytest.raises(Unknown, match="built-in sandbox"):
        connect(cluster).get("version")
    disconnect()
    assert impostor.requests == []


def test_a_list_that_cannot_be_read_stops_the_start(settings: Settings) -> None:
    settings.ALMA_CLUSTER_ALLOW = ["10.0.0.0/99"]
    with pytest.raises(ImproperlyConfigured, match="ALMA_CLUSTER_ALLOW"):
        allowances()
    assert [error.id for error in checks.cluster_settings()] == ["vms.E001"]
