"""Audit and compliance: one set of rules for what is wanted and for what is there."""

from typing import Any

import pytest

from blueprints.tools import execute
from tests.factories.accounts import make_actor, make_environment, make_organization
from tests.factories.blueprints import make_document, make_resource
from tests.factories.scans import make_scan
from tests.factories.vms import make_cluster, make_guest
from vms.machines import public_id

pytestmark = pytest.mark.django_db


def run(name: str, **arguments: Any) -> Any:
    return execute(name, arguments, by=make_actor())


def document(**specs: Any) -> dict[str, Any]:
    return make_document(resources=[make_resource("web", type=specs.pop("type", "vm"), specs=specs)])


def rules_of(found: Any) -> set[str]:
    return {row.rule for row in found.findings}


SAID = [
    ({"os": "debian-10"}, "GUEST-OS-001", {"os": "debian-13"}),
    ({}, "GUEST-NET-002", {"network": {"firewall": True}}),
    ({}, "GUEST-BACKUP-003", {"backup": "daily"}),
    ({"user": "ana"}, "GUEST-AUTH-003", {"user": "ana", "ssh_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9SqvPNAIYF1xNWm3uQtkN4E2LB0zMgG2gPjYvEX5cG ana"]}),
    ({}, "GUEST-OPT-001", {"protected": True}),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "rule", "right"), SAID, ids=[row[1] for row in SAID])
def test_a_blueprint_breaks_a_rule_and_mends_it(wrong: dict[str, Any], rule: str, right: dict[str, Any]) -> None:
    make_environment("production", is_protected=True)
    broken, mended = (
        run("security_audit", blueprint=document(**wrong)),
        run("security_audit", blueprint=document(**right)),
    )
    found = next(row for row in broken.findings if row.rule == rule)
    assert found.subject == "web"
    assert found.evidence
    assert found.in_document
    assert rule not in rules_of(mended) | {row.rule for row in mended.not_assessed}


def test_what_only_a_real_guest_shows_is_not_assessed_and_counts_for_nothing() -> None:
    found = run("security_audit", blueprint=document(os="debian-13"))
    unknown = {row.rule: row.reason for row in found.not_assessed}
    assert {"GUEST-DISK-001", "GUEST-BACKUP-001", "GUEST-RES-001", "GUEST-OPT-001"} <= unknown.keys()
    assert unknown["GUEST-BACKUP-001"] == "it is not made yet"
    assert not rules_of(found) & unknown.keys()


def test_a_container_is_made_unprivileged() -> None:
    assert "GUEST-CT-001" not in rules_of(run("security_audit", blueprint=document(type="lxc")))


def test_the_score_worked_by_hand() -> None:
    """A container with a firewalled card and a backup: NET-001 (5) fails, NET-002 (5), BACKUP-003 (2), DISK-003 (1), NET-003 (10),
    NET-006 (1), AUTH-004 (5), CT-001 (5), CT-002 (1), CT-003 (5) pass: 100 × 35 / 40 = 87."""
    found = run("security_audit", blueprint=document(type="lxc", network={"firewall": True}, backup="daily"))
    assert rules_of(found) == {"GUEST-NET-001"}
    assert (found.score, found.counts["high"], found.counts["critical"]) == (87, 1, 0)


def test_real_machines_are_judged_by_their_last_scan() -> None:
    cluster = make_cluster(organization=make_organization())
    guest, unseen = make_guest(cluster), make_guest(cluster)
    make_scan(cluster, guest=guest, evidence="0\x1b[31m (default)")
    found = run("security_audit", vm_ids=[public_id(guest), public_id(unseen)])
    assert rules_of(found) == {"GUEST-NET-001"}
    assert [proof.value for proof in found.findings[0].evidence] == ["0 [31m (default)"]
    assert any("never scanned" in line and public_id(unseen) in line for line in found.assumptions)
    assert found.score == 100 * 1 // 6  # passed: low, 1; failed: high, 5


def test_controls_follow_from_the_rules() -> None:
    found = run("check_compliance", blueprint=document(type="lxc"), framework="soc2")
    by_id = {row.id: row for row in found.controls}
    assert {row.framework for row in found.controls} == {"SOC 2"}
    assert (by_id["CC6.6"].status, found.compliant) == ("failed", False)
    assert any(line.startswith("web: ") for line in by_id["CC6.6"].evidence)
    assert len(run("check_compliance", blueprint=document(type="lxc")).controls) > len(found.controls)
    assert run("check_compliance", blueprint=document(type="lxc"), framework="SOC 2").controls == found.controls


def test_one_has_to_say_about_what() -> None:
    for name in ("security_audit", "check_compliance"):
        with pytest.raises(Exception, match="give blueprint_id, blueprint or vm_ids"):
            run(name)
