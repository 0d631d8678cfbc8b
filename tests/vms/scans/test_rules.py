"""Each rule with a subject that trips it, one that does not, and one of which nothing is known."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.vms.scans.given import MAC, NOW, SAFE, cluster, guest, node, unread
from vms.scans.controls import CONTROLS
from vms.scans.facts import (
    BackupFacts,
    ClusterFacts,
    Facts,
    Firewall,
    Missing,
    NodeFacts,
    PasswordFacts,
    StorageFacts,
    SystemFacts,
)
from vms.scans.findings import Severity
from vms.scans.judging import Verdict, judge
from vms.scans.lifetimes import AS_OF, LIFETIMES, is_over, lifetime
from vms.scans.rules import REGISTER
from vms.scans.rules.ports import opened

DAYS = timedelta(days=1)
UNKNOWN_CLUSTER, UNKNOWN_NODE = ClusterFacts(now=NOW), NodeFacts(now=NOW, node="pve1")


def rules(*rows: dict[str, Any], **options: Any) -> Firewall:
    accepting = ({"type": "in", "action": "ACCEPT", "enable": 1, "pos": place, **row} for place, row in enumerate(rows))
    return Firewall(options={"enable": 1, **options}, rules=tuple(accepting))


def stored(**facts: Any) -> dict[str, StorageFacts]:
    return {"safe": StorageFacts(name="safe", plugin="lvmthin", **facts)}


SSH = rules({"dport": "22"})
OLD = (BackupFacts(at=NOW - 8 * DAYS, volume="pbs:backup/vm/101", is_encrypted=True),)
PLAIN = (BackupFacts(at=NOW, volume="local:backup/vzdump-qemu-101.vma.zst", is_encrypted=False),)
RAW = [["lxc.apparmor.profile", "unconfined"]]
BULLSEYE = SystemFacts(family="debian", version="11", name="Debian GNU/Linux 11")
TRIPPED: dict[str, tuple[Facts, str]] = {
    "GUEST-DISK-001": (guest(storages=stored(is_encrypted=False, where="volume group pve on /dev/sda3")), "/dev/sda3"),
    "GUEST-DISK-002": (guest(storages=stored(is_redundant=False, where="pool tank without a mirror")), "tank"),
    "GUEST-DISK-003": (guest(config={"scsi0": "safe:vm-101-disk-0,cache=unsafe"}), "unsafe"),
    "GUEST-NET-001": (guest(firewall=Firewall(options={}, rules=())), "0 (default)"),
    "GUEST-NET-002": (guest(config={"net1": "virtio=BC:24:11:00:00:02,bridge=vmbr1"}), "net1: firewall"),
    "GUEST-NET-003": (guest(firewall=SSH), "SSH (22) from anywhere"),
    "GUEST-NET-004": (guest(firewall=rules(policy_in="ACCEPT")), "ACCEPT"),
    "GUEST-NET-005": (guest(config={"net0": f"virtio={MAC},bridge=vmbr0"}, addresses={MAC: ("10.0.0.5", "8.8.4.4")}), "8.8.4.4"),
    "GUEST-NET-006": (guest(firewall=rules(macfilter=0)), "macfilter"),
    "GUEST-AUTH-001": (guest(password=PasswordFacts(is_plain=True, is_default=True)), "best-known"),
    "GUEST-AUTH-002": (guest(password=PasswordFacts(is_plain=True, is_default=False)), "not hashed"),
    "GUEST-AUTH-003": (guest(config={"sshkeys": None}), "sshkeys"),
    "GUEST-AUTH-004": (guest(config={"description": "login root, Password: hunter2"}), "Password: …"),
    "GUEST-OPT-001": (guest(config={"protection": None}), "production"),
    "GUEST-CT-001": (guest("lxc", {"unprivileged": None}), "0 (default)"),
    "GUEST-CT-002": (guest("lxc", {"features": "nesting=1,keyctl=1"}), "keyctl"),
    "GUEST-CT-003": (guest("lxc", {"lxc": RAW}), "unconfined"),
    "GUEST-BACKUP-001": (guest(backups=()), "none on any storage"),
    "GUEST-BACKUP-002": (guest(backups=OLD), "8 days ago"),
    "GUEST-BACKUP-003": (guest(is_in_backup_job=False), "none names it"),
    "GUEST-BACKUP-004": (guest(backups=PLAIN), "vzdump-qemu-101"),
    "GUEST-SNAP-001": (guest(snapshots={"old": NOW - 31 * DAYS, "new": NOW}), "snapshot old"),
    "GUEST-OS-001": (guest(system=BULLSEYE), "2026-08-31"),
    "GUEST-AGENT-001": (guest(config={"agent": None}), "agent"),
    "GUEST-SYS-001": (guest(config={"machine": "pc-i440fx-5.1"}), "2020-08"),
    "GUEST-SYS-002": (guest(config={"bios": None, "tpmstate0": None}), "tpmstate0"),
    "GUEST-SYS-003": (guest(config={"args": "-vnc 0.0.0.0:77,password=on"}), "args"),
    "GUEST-RES-001": (guest(node_cores=2), "2 of 2"),
    "CLUSTER-FW-001": (cluster(firewall=Firewall(options={}, rules=())), "0 (default)"),
    "CLUSTER-FW-002": (cluster(firewall=rules({"dport": "8006", "source": "0.0.0.0/0"})), "8006"),
    "CLUSTER-FW-003": (cluster(firewall=rules(policy_in="ACCEPT")), "ACCEPT"),
    "CLUSTER-BACKUP-001": (cluster(backup_jobs=({"id": "a", "enabled": 0},)), "1, all off"),
    "CLUSTER-OS-001": (cluster(version="8.4.1"), "2026-08-31"),
    "CLUSTER-TLS-001": (cluster(is_verified=False), "no fingerprint"),
    "CLUSTER-TOKEN-001": (cluster(excess=("Permissions.Modify",)), "Permissions.Modify"),
    "NODE-FW-001": (node(firewall=Firewall(options={"enable": 0}, rules=())), "node firewall"),
    "NODE-FW-002": (node(firewall=SSH), "SSH"),
}  # fmt: skip


def kind_of(rule: str) -> str:
    return REGISTER[rule].kind or "vm"


def verdict(facts: Facts, rule: str) -> Verdict | None:
    return next((one for one in judge(facts) if one.rule.id == rule), None)


def test_every_rule_is_in_the_table() -> None:
    assert TRIPPED.keys() == REGISTER.keys()


@pytest.mark.parametrize("rule", TRIPPED)
def test_who_trips_it(rule: str) -> None:
    facts, shown = TRIPPED[rule]
    found = verdict(facts, rule)
    assert found is not None
    assert found.finding is not None, found
    told = " ".join(f"{one.setting} {one.value}" for one in found.finding.evidence)
    assert shown in told
    assert "hunter2" not in told
    assert "password=on" not in told


@pytest.mark.parametrize("rule", TRIPPED)
def test_who_does_not(rule: str) -> None:
    sound = {"GUEST": guest(kind_of(rule)), "NODE": node(), "CLUSTER": cluster()}[rule.partition("-")[0]]
    found = verdict(sound, rule)
    assert found is None or (found.finding is None and not found.unassessed), found


@pytest.mark.parametrize("rule", TRIPPED)
def test_of_whom_nothing_is_known(rule: str) -> None:
    """Unknown is never a pass, and never a finding."""
    unknown = {"GUEST": unread(kind_of(rule)), "NODE": UNKNOWN_NODE, "CLUSTER": UNKNOWN_CLUSTER}[rule.partition("-")[0]]
    found = verdict(unknown, rule)
    assert found is not None
    assert found.finding is None
    assert found.unassessed


def test_a_sound_guest_is_assessed_by_what_it_can_be_assessed() -> None:
    passed = {one.rule.id for one in judge(guest()) if not one.finding and not one.unassessed}
    assert passed == {name for name, rule in REGISTER.items() if name.startswith("GUEST") and rule.kind != "lxc"}


@pytest.mark.parametrize(
    ("row", "ports"),
    [
        ({"dport": "22"}, [22]),
        ({"dport": "20:25,8000:9000"}, [22, 8006]),
        ({"dport": "ssh"}, [22]),
        ({"dport": "443"}, []),
        ({"macro": "RDP"}, [3389]),
        ({"macro": "Web"}, []),
        ({"proto": "udp", "dport": "22"}, []),
        ({"proto": "tcp"}, [22, 3389, 5900, 8006]),
        ({}, [22, 3389, 5900, 8006]),
    ],
    ids=str,
)
def test_ports_of_a_rule(row: dict[str, str], ports: list[int]) -> None:
    assert opened(row) == ports


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ({"dport": "22", "source": "10.0.0.0/8"}, "passed"),
        ({"dport": "22", "source": "2001:db8::/32"}, "passed"),
        ({"dport": "22", "source": "::/0"}, "failed"),
        ({"dport": "22", "source": "10.0.0.0/8,0.0.0.0/0"}, "failed"),
        ({"dport": "22", "source": "+everybody"}, "unassessed"),
        ({"dport": "22", "source": "office"}, "unassessed"),
        ({"dport": "22", "enable": 0}, "passed"),
        ({"dport": "22", "action": "DROP"}, "passed"),
        ({"dport": "22", "type": "out"}, "passed"),
        ({"dport": "22", "group": "admins"}, "failed"),
    ],
    ids=str,
)
def test_from_where_a_port_is_open(row: dict[str, Any], outcome: str) -> None:
    found = verdict(guest(firewall=rules(row)), "GUEST-NET-003")
    assert found is not None
    assert outcome == ("failed" if found.finding else "unassessed" if found.unassessed else "passed")


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"cluster_firewall": {"enable": 0}, "addresses": {MAC: ("8.8.4.4",)}}, "failed"),
        ({"cluster_firewall": {"enable": 0}, "addresses": Missing("no agent")}, "unassessed"),
        ({"cluster_firewall": {"enable": 1}, "addresses": Missing("no agent")}, "passed"),
        ({"firewall": Firewall(options={}, rules=()), "addresses": {MAC: ("10.1.2.3",)}}, "passed"),
    ],
    ids=["open and public", "open and unknown", "filtered", "open and private"],
)
def test_exposure(changes: dict[str, Any], outcome: str) -> None:
    found = verdict(guest(**changes), "GUEST-NET-005")
    assert found is not None
    assert outcome == ("failed" if found.finding else "unassessed" if found.unassessed else "passed")


def test_encryption_within_the_guest_is_stated_by_a_tag() -> None:
    facts = guest(config={"tags": "shop;encrypted"}, storages=stored(is_encrypted=False, where="plain"))
    found = verdict(facts, "GUEST-DISK-001")
    assert found is not None
    assert (found.finding, found.unassessed) == (None, "")


def test_one_plain_disk_among_unknown_ones_is_a_finding() -> None:
    facts = guest(
        config={"scsi1": "plain:vm-101-disk-9", "scsi2": "odd:vm-101-disk-8"},
        storages={
            "safe": SAFE, "plain": StorageFacts(name="plain", plugin="lvm", is_encrypted=False, where="on /dev/sdb"),
            "odd": StorageFacts(name="odd", plugin="dir"),
        },
    )  # fmt: skip
    found = verdict(facts, "GUEST-DISK-001")
    assert found is not None
    assert found.finding is not None
    assert [one.setting for one in found.finding.evidence] == ["scsi1"]


def test_a_fix_is_a_call_that_a_shell_understands() -> None:
    found = verdict(TRIPPED["GUEST-NET-002"][0], "GUEST-NET-002")
    assert found is not None
    assert found.finding is not None
    fix = found.finding.plain()["fix"]
    assert fix["values"] == {"net1": "virtio=BC:24:11:00:00:02,bridge=vmbr1,firewall=1"}
    assert (
        fix["command"]
        == "pvesh set /nodes/pve1/qemu/101/config --net1 'virtio=BC:24:11:00:00:02,bridge=vmbr1,firewall=1'"
    )


def test_rules_of_the_register_are_whole() -> None:
    for rule in REGISTER.values():
        assert rule.controls, rule.id
        assert set(rule.controls) <= CONTROLS.keys(), rule.id
        assert rule.remedy.endswith("."), rule.id
        assert rule.severity in Severity
    used = {control for rule in REGISTER.values() for control in rule.controls}
    assert used == CONTROLS.keys()


def test_lifetimes_are_sourced_and_found_by_their_versions() -> None:
    assert AS_OF.year == 2026
    assert all(one.source.startswith("https://") for one in LIFETIMES.values())
    assert lifetime("debian", "12.4") == LIFETIMES["debian", "12"]
    assert lifetime("ubuntu", "22.04.5") == LIFETIMES["ubuntu", "22.04"]
    assert lifetime("debian", "99") is None
    assert lifetime("templeos", "5") is None


@pytest.mark.parametrize(
    ("family", "version", "is_known", "is_ended"),
    [
        ("freebsd", "14.2", True, True),
        ("freebsd", "14.4", True, False),
        ("freebsd", "14.9", True, False),
        ("windows", "10.19045-w", True, True),
        ("windows", "lts.19044", True, False),
        ("windows", "lts.1", False, False),
        ("windows", "11.26100-w", True, True),
        ("windows", "11.26100-e", True, False),
        ("windows", "11.99999-e", False, False),
        ("windows-server", "2025", True, False),
        ("proxmox", "9.2", True, False),
        ("proxmox", "8.4.1", True, True),
        ("rhel", "7.9", True, True),
        ("ol", "10.1", True, False),
    ],
)
def test_who_is_supported_no_longer(family: str, version: str, is_known: bool, is_ended: bool) -> None:
    found = lifetime(family, version)
    assert (found is not None) == is_known
    assert bool(found and is_over(found, date(2026, 11, 21))) == is_ended
