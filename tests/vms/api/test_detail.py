"""`GET /v1/vms/{vm_id}`: the documented nesting, by id and by VMID."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alma.accounts.models import Organization
from tests.factories.vms import GIB, make_cluster, make_guest
from tests.vms.api.readers import cluster, organization, site
from vms.models import Cluster, Guest, GuestDetails

__all__ = ["cluster", "organization", "site"]
pytestmark = pytest.mark.django_db
DOCUMENTED = {
    "": {"id", "name", "description", "status", "environment", "configuration", "performance", "security", "backup",
         "created_at", "updated_at"},
    "configuration": {"cpu_cores", "cpu_sockets", "memory_mb", "storage", "network"},
    "performance": {"cpu_usage_percent", "memory_usage_percent", "disk_usage_percent", "network_rx_mbps",
                    "network_tx_mbps", "uptime_seconds"},
    "security": {"encrypted", "firewall_enabled", "ssh_key_auth", "last_security_scan", "compliance_score",
                 "vulnerabilities"},
    "backup": {"enabled", "schedule", "retention_days", "last_backup", "backup_size_gb"},
}  # fmt: skip
DISK = {"place": "scsi0", "storage": "local-lvm", "bytes": 100 * GIB, "is_ssd": True, "mount_point": None}
CARD = {
    "place": "net0", "bridge": "vmbr0", "mac": "BC:24:11:00:00:01", "ip": "192.168.1.101/24", "gateway": "192.168.1.1",
    "vlan": 100, "has_firewall": True,
}  # fmt: skip


def shown(site: Client, vm_id: str) -> Any:
    answer = site.get(f"/v1/vms/{vm_id}")
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]["vm"]


def test_the_documented_shape(site: Client, cluster: Cluster) -> None:
    guest = make_guest(cluster, cores=4, memory_bytes=8 * GIB, memory_used=2 * GIB, cpu_load=0.255, uptime=2_592_000)
    GuestDetails.objects.create(
        guest=guest, description="Production web server running Nginx", sockets=1, os_type="ubuntu-22.04",
        ip_address="192.168.1.101", firewall_enabled=True, has_ssh_keys=True, disks=[DISK], cards=[CARD],
        read_at=timezone.now(),
    )  # fmt: skip
    vm = shown(site, f"vm-{guest.pk:03d}")
    for part, keys in DOCUMENTED.items():
        assert (vm[part] if part else vm).keys() >= keys, part
    made = vm["configuration"]
    assert (vm["description"], made["cpu_cores"], made["cpu_sockets"], made["memory_mb"]) == (
        "Production web server running Nginx", 4, 1, 8192,
    )  # fmt: skip
    assert made["storage"] == [
        {
            "disk_id": "scsi0",
            "size_gb": 100,
            "type": "ssd",
            "encrypted": None,
            "mount_point": None,
            "storage": "local-lvm",
        }
    ]
    (card,) = made["network"]
    told = {"ip_address": "192.168.1.101", "subnet": "192.168.1.0/24", "gateway": "192.168.1.1", "vlan_id": 100}
    assert {name: card[name] for name in told} == told
    performance = vm["performance"]
    assert (performance["cpu_usage_percent"], performance["memory_usage_percent"]) == (25.5, 25.0)
    assert (performance["uptime_seconds"], performance["disk_usage_percent"]) == (2_592_000, None)
    assert (vm["security"]["firewall_enabled"], vm["security"]["ssh_key_auth"]) == (True, True)


def test_disks_are_as_full_as_the_agent_says(site: Client, cluster: Cluster) -> None:
    guest = make_guest(cluster)
    read_at = timezone.now().replace(microsecond=0) - timedelta(minutes=4)
    mounted = [
        {"mount_point": "/boot", "bytes": GIB, "used_bytes": GIB // 2, "disk": "scsi0"},
        {"mount_point": "/", "bytes": 9 * GIB, "used_bytes": 4 * GIB, "disk": "scsi0"},
        {"mount_point": "/srv", "bytes": 10 * GIB, "used_bytes": 0, "disk": None},
    ]
    GuestDetails.objects.create(
        guest=guest, disks=[DISK, DISK | {"place": "scsi1"}], file_systems=mounted, file_systems_read_at=read_at,
        read_at=timezone.now(),
    )  # fmt: skip
    vm = shown(site, f"vm-{guest.pk:03d}")
    assert vm["performance"]["disk_usage_percent"] == 22.5
    assert vm["performance"]["disk_measured_at"] == read_at.isoformat().replace("+00:00", "Z")
    assert [disk["mount_point"] for disk in vm["configuration"]["storage"]] == ["/", None]
    Guest.objects.update(status="stopped")
    assert shown(site, f"vm-{guest.pk:03d}")["performance"]["disk_usage_percent"] is None


def test_what_proxmox_measures_of_a_container(site: Client, cluster: Cluster) -> None:
    guest = make_guest(cluster, kind="lxc", disk_bytes=10 * GIB, disk_used=GIB, rx_rate=1_562_500.0, tx_rate=0.0)
    performance = shown(site, f"vm-{guest.pk:03d}")["performance"]
    assert (performance["disk_usage_percent"], performance["disk_measured_at"]) == (10.0, performance["measured_at"])
    assert (performance["network_rx_mbps"], performance["network_tx_mbps"]) == (12.5, 0.0)
    Guest.objects.update(disk_used=None, rx_rate=None)
    performance = shown(site, f"vm-{guest.pk:03d}")["performance"]
    assert (performance["disk_usage_percent"], performance["network_rx_mbps"]) == (None, None)


@pytest.mark.parametrize(
    ("card", "told"),
    [
        ({"ip": "dhcp", "seen": ["10.0.0.7/24"], "gateway": ""}, ("10.0.0.7", "10.0.0.0/24", None, "dhcp")),
        ({"ip": "10.0.0.5/8", "seen": []}, ("10.0.0.5", "10.0.0.0/8", "192.168.1.1", "static")),
        ({"ip": "10.0.0.5/8", "seen": ["10.0.0.6/16"]}, ("10.0.0.6", "10.0.0.0/16", "192.168.1.1", "static")),
        ({"ip": "", "seen": ["2001:db8::7/64"], "gateway": ""}, ("2001:db8::7", "2001:db8::/64", None, None)),
        ({"ip": "dhcp", "seen": [], "gateway": ""}, (None, None, None, "dhcp")),
    ],
    ids=["leased", "given", "moved-within", "unknown-to-the-config", "silent"],
)
def test_each_card_has_the_address_that_was_seen_on_it(
    site: Client, cluster: Cluster, card: dict[str, Any], told: tuple[str | None, ...]
) -> None:
    guest = make_guest(cluster)
    GuestDetails.objects.create(guest=guest, cards=[CARD | card], ip_address="10.9.9.9", read_at=timezone.now())
    (found,) = shown(site, f"vm-{guest.pk:03d}")["configuration"]["network"]
    assert tuple(found[name] for name in ("ip_address", "subnet", "gateway", "mode")) == told


@pytest.mark.parametrize(
    ("encrypting", "places", "disks", "whole"),
    [
        ([], ["vault"], [None], None),
        (["vault"], ["vault", "vault"], [True, True], True),
        (["vault"], ["vault", "local-lvm"], [True, False], False),
        (["vault"], [], [], None),
    ],
    ids=["nobody has said", "all", "not all", "no disk"],
)
def test_encrypted_is_what_an_operator_says_of_the_storages(
    site: Client, cluster: Cluster, encrypting: list[str], places: list[str], disks: list[bool], whole: bool | None
) -> None:
    Cluster.objects.filter(pk=cluster.pk).update(encrypting_storages=encrypting)
    guest = make_guest(cluster)
    rows = [DISK | {"place": f"scsi{number}", "storage": storage} for number, storage in enumerate(places)]
    GuestDetails.objects.create(guest=guest, disks=rows, read_at=timezone.now())
    vm = shown(site, f"vm-{guest.pk:03d}")
    assert ([disk["encrypted"] for disk in vm["configuration"]["storage"]], vm["security"]["encrypted"]) == (
        disks,
        whole,
    )
    (row,) = site.get("/v1/vms").json()["data"]["vms"]
    assert row["security"]["encrypted"] is whole


def test_one_that_was_never_read_closely(site: Client, cluster: Cluster) -> None:
    guest = make_guest(cluster, status="stopped")
    vm = shown(site, f"vm-{guest.pk:03d}")
    assert (vm["description"], vm["configuration"]["storage"], vm["configuration"]["network"]) == (None, None, None)
    assert set(vm["backup"].values()) == {None}
    assert {vm["performance"][name] for name in DOCUMENTED["performance"]} == {None}


@pytest.mark.parametrize(
    ("ip", "seen", "address", "mode"),
    [("dhcp", "10.0.0.7", "10.0.0.7", "dhcp"), ("dhcp", "", None, "dhcp"), ("", "", None, None),
     ("10.0.0.5/8", "", "10.0.0.5", "static")],
)  # fmt: skip
def test_an_address_is_seen_or_given(
    site: Client, cluster: Cluster, ip: str, seen: str, address: str | None, mode: str | None
) -> None:
    guest = make_guest(cluster)
    GuestDetails.objects.create(guest=guest, cards=[CARD | {"ip": ip}], ip_address=seen, read_at=timezone.now())
    (card,) = shown(site, f"vm-{guest.pk:03d}")["configuration"]["network"]
    assert (card["ip_address"], card["mode"]) == (address, mode)


def test_a_vmid_that_one_cluster_has(site: Client, cluster: Cluster) -> None:
    make_guest(make_cluster(), vmid=102)
    guest = make_guest(cluster, vmid=102)
    assert shown(site, "102")["id"] == f"vm-{guest.pk:03d}"


def test_a_vmid_that_two_clusters_have(site: Client, cluster: Cluster, organization: Organization) -> None:
    guests = [make_guest(one, vmid=102) for one in (cluster, make_cluster(organization=organization))]
    answer = site.get("/v1/vms/102")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "RESOURCE_CONFLICT")
    assert answer.json()["error"]["details"]["ids"] == [f"vm-{guest.pk:03d}" for guest in guests]


@pytest.mark.parametrize("vm_id", ["vm-", "vm-x", "vm-99999999", "104", "0", "vm--1", "x" * 60, "9" * 30])
def test_what_is_not_there(site: Client, vm_id: str) -> None:
    answer = site.get(f"/v1/vms/{vm_id}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize("what", ["template", "gone", "foreign"])
def test_what_is_no_machine_of_the_caller(site: Client, cluster: Cluster, what: str) -> None:
    place = make_cluster() if what == "foreign" else cluster
    gone = timezone.now() if what == "gone" else None
    guest = make_guest(place, is_template=what == "template", missing_since=gone)
    assert site.get(f"/v1/vms/vm-{guest.pk:03d}").status_code == 404
