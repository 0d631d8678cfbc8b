"""What is read of clusters, and what is made of answers that say little."""

from typing import Any

import pytest

from alma.accounts.actors import Actor
from alma.events.models import Event
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.scans.conftest import finish
from vms.models import Cluster, Guest, ScanFinding, SecurityScan
from vms.scans import services, surroundings
from vms.scans.devices import _has_copies, storage_facts
from vms.scans.facts import Missing, PasswordFacts
from vms.scans.guests import _password_of, system_of

ALL = {"/": {"Datastore.Audit": 1, "VM.Backup": 1}}


def leaf(name: str) -> dict[str, Any]:
    return {"name": name, "leaf": 1}


@pytest.mark.parametrize(
    ("children", "copies"),
    [
        ([{"name": "mirror-0", "children": [leaf("sda"), leaf("sdb")]}], True),
        ([{"name": "tank", "children": [{"name": "raidz1-0", "children": [leaf("sda"), leaf("sdb")]}]}], True),
        ([leaf("sda")], False),
        ([{"name": "mirror-0", "children": [leaf("sda"), leaf("sdb")]}, leaf("sdc")], False),
        (
            [
                {"name": "mirror-0", "children": [leaf("sda"), leaf("sdb")]},
                {"name": "cache", "children": [leaf("sdc")]},
            ],
            True,
        ),
        ([], None),
    ],
    ids=["mirror", "raidz below the pool", "single", "mirror and single", "cache counts not", "empty"],
)
def test_copies_of_a_pool(children: list[dict[str, Any]], copies: bool | None) -> None:
    assert _has_copies({"name": "tank", "children": children}) is copies


@pytest.mark.parametrize(
    ("volumes", "is_encrypted"),
    [(["/dev/sda3"], False), (["/dev/nvme0n1p3", "/dev/sdb"], False), (["/dev/mapper/luks"], None), (["/dev/sda", "/dev/dm-0"], None), ([], None)],
)  # fmt: skip
def test_only_plain_devices_are_certainly_not_encrypted(volumes: list[str], is_encrypted: bool | None) -> None:
    facts = storage_facts("local-lvm", {"plugin": "lvmthin", "vgname": "pve"}, {"devices": {"lvm": {"pve": volumes}}})
    known = None if isinstance(facts.is_encrypted, Missing) else facts.is_encrypted
    assert known is is_encrypted


@pytest.mark.parametrize("encrypts", [True, False])
def test_what_an_operator_says_of_encryption_counts(encrypts: bool) -> None:
    told = {"plugin": "zfspool", "pool": "tank/vault", "encrypts": encrypts}
    facts = storage_facts("vault", told, {"devices": {"zfs": {"tank": True}}})
    assert (facts.is_encrypted, facts.is_redundant) == (encrypts, True)
    assert "with a mirror or parity; " in facts.where and "as the settings of the cluster say" in facts.where


def test_a_group_that_was_not_read_leaves_the_rules_unknown() -> None:
    rules = [{"type": "group", "action": "web", "enable": 1}, {"type": "in", "action": "DROP"}]
    assert isinstance(surroundings.with_groups(rules, {"web": {"missing": "403"}}), Missing)
    assert surroundings.with_groups([{**rules[0], "enable": 0}], {}) == []
    inner = {"type": "in", "action": "ACCEPT"}
    assert surroundings.with_groups(rules, {"web": [inner]}) == [{**inner, "group": "web"}, rules[1]]


@pytest.mark.parametrize(
    ("seed", "password"),
    [
        ("#cloud-config\nuser: root\n", None),
        ("#cloud-config\npassword: $5$abc$def\n", PasswordFacts(is_plain=False)),
        ("#cloud-config\npassword: 'Admin'\n", PasswordFacts(is_plain=True, is_default=True)),
        ("#cloud-config\n  password: hunter2\n", PasswordFacts(is_plain=True, is_default=False)),
    ],
    ids=["none", "hashed", "default", "plain"],
)
def test_of_a_password_only_its_form_is_kept(seed: str, password: PasswordFacts | None) -> None:
    assert _password_of(seed) == password


@pytest.mark.parametrize(
    ("told", "system"),
    [
        ({"id": "debian", "version-id": "12", "pretty-name": "Debian GNU/Linux 12"}, ("debian", "12")),
        ({"id": "mswindows", "pretty-name": "Windows Server 2012 R2 Standard"}, ("windows-server", "2012")),
        ({"id": "mswindows", "pretty-name": "Windows 10 Pro", "version-id": "10"}, ("windows", "10")),
        ({"id": "mswindows", "pretty-name": "Windows 10 Pro", "kernel-release": "19045"}, ("windows", "10.19045-w")),
        ({"id": "mswindows", "pretty-name": "Windows 10 Pro", "kernel-release": "26100"}, ("windows", "11.26100-w")),
        (
            {"id": "mswindows", "pretty-name": "Windows 11 Enterprise", "kernel-release": "22631"},
            ("windows", "11.22631-e"),
        ),
        (
            {"id": "mswindows", "pretty-name": "Windows 10 Enterprise LTSC 2021", "kernel-release": "19044"},
            ("windows", "lts.19044"),
        ),
        ({"id": "mswindows", "pretty-name": "Windows 8.1 Pro", "kernel-release": "9600"}, ("windows", "8.1")),
    ],
    ids=["debian", "server", "client", "pro-10", "eleven-that-says-ten", "enterprise", "long-term", "eight"],
)
def test_systems_in_the_words_of_the_table(told: dict[str, str], system: tuple[str, str]) -> None:
    facts = system_of({"result": told})
    assert (facts.family, facts.version) == system


def test_no_backup_is_only_said_by_who_would_have_seen_one() -> None:
    assert surroundings._blindness(ALL, []) == ""
    assert surroundings._unseen(ALL, 101) == ""
    assert "Datastore.Audit" in surroundings._blindness({"/": {"Sys.Audit": 1}}, [])
    assert "VM.Backup" in surroundings._unseen({"/": {"Datastore.Audit": 1}}, 101)
    assert "403" in surroundings._blindness(Missing("403"), [])


def outcomes(scan: SecurityScan, name: str) -> dict[str, str]:
    rows = ScanFinding.objects.filter(subject__scan=scan, subject__name=name)
    return dict(rows.values_list("rule", "unassessed"))


def test_a_token_that_may_not_look_leads_to_no_finding(
    cluster: Cluster, guests: list[Guest], actor: Actor, observer: Any
) -> None:
    observer.access.roles.post(roleid="Looker", privs="VM.Audit")
    observer.access.users.post(userid="looker@pve")
    made = observer.access.users("looker@pve").token("scan").post(privsep=0)
    observer.access.acl.put(path="/vms", roles="Looker", users="looker@pve")
    cluster.token_id = "looker@pve!scan"
    cluster.seal(made["value"])
    cluster.save()

    scan = finish(services.start(by=actor, guests=guests[:1]))
    assert scan.state == "completed", scan.job.error
    told = outcomes(scan, "dns-1")
    assert told["GUEST-NET-001"] == ""
    assert "may not" in told["GUEST-BACKUP-001"] or "does not see" in told["GUEST-BACKUP-001"]
    assert told["GUEST-DISK-001"]
    assert outcomes(scan, cluster.name)["CLUSTER-FW-001"].startswith("ALMA's token may not read this")


def test_a_password_of_cloud_init_is_judged_and_told_to_nobody(
    guests: list[Guest], actor: Actor, observer: Any, fresh_sandbox: RunningSandbox
) -> None:
    observer.nodes("pve1").qemu(101).config.put(cipassword="hunter2-zebra", description="password: hunter2-zebra")
    scan = finish(services.start(by=actor, guests=guests[:1]))
    assert {"GUEST-AUTH-003", "GUEST-AUTH-004"} <= outcomes(scan, "dns-1").keys()
    kept = [str(one) for one in ScanFinding.objects.values_list("evidence", "fix", "unassessed")]
    kept += [str(step.journal) + str(step.evidence) for step in scan.job.steps.all()]
    kept += [str(event.data) for event in Event.objects.of(scan.job.stream)]
    assert not any("hunter2-zebra" in one for one in kept)


def test_a_cluster_that_falls_silent_between_guests_fails_the_scan(
    cluster: Cluster, guests: list[Guest], actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vms.scans.running.LAST_TRY", 1)
    scan = services.start(by=actor, guests=guests)
    read = surroundings.read

    def and_then_silence(*args: Any, **options: Any) -> Any:
        kept = read(*args, **options)
        Cluster.objects.filter(pk=cluster.pk).update(port=9)
        return kept

    monkeypatch.setattr(surroundings, "read", and_then_silence)
    scan = finish(scan)
    assert (scan.state, scan.score) == ("failed", None)
    assert scan.job.error is not None
    assert "stopped answering" in scan.job.error["message"]
