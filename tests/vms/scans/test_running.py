"""A scan from its start to its figures, against the sandbox."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from alma.accounts.actors import Actor
from alma.errors import Invalid, NotFound, Refused, WrongState
from alma.events.models import Event
from alma.jobs import engine
from alma.jobs.findings import check_invariants
from alma.jobs.models import Job, Step
from tests.factories.accounts import make_actor, make_environment
from tests.factories.scans import make_scan
from tests.factories.vms import make_cluster, make_guest
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.scans.conftest import finish
from vms.models import Cluster, Guest, ScanFinding, ScanSubject, SecurityScan
from vms.scans import scoring, services


def broken(scan: SecurityScan, name: str) -> set[str]:
    return set(
        ScanFinding.objects.broken().filter(subject__scan=scan, subject__name=name).values_list("rule", flat=True)
    )


def unassessed(scan: SecurityScan, name: str) -> dict[str, str]:
    rows = ScanFinding.objects.not_assessed().filter(subject__scan=scan, subject__name=name)
    return dict(rows.values_list("rule", "unassessed"))


def test_a_scan_of_everything(guests: list[Guest], actor: Actor) -> None:
    scan = finish(services.start(by=actor))

    assert (scan.state, scan.job.error) == ("completed", None)
    assert set(scan.subjects.filter(kind="guest").values_list("vmid", flat=True)) == {guest.vmid for guest in guests}
    assert set(scan.subjects.exclude(kind="guest").values_list("kind", flat=True)) == {"node", "cluster"}
    assert broken(scan, "dns-1") >= {"GUEST-NET-001", "GUEST-NET-002", "GUEST-BACKUP-001"}
    assert "version" in unassessed(scan, "proxy-edge")["GUEST-OS-001"]
    assert "GUEST-OS-001" not in broken(scan, "gitlab") | unassessed(scan, "gitlab").keys()
    assert scan.score == scoring.score(scan.tally)
    assert scan.high == ScanFinding.objects.broken().filter(subject__scan=scan, severity="high").count()
    assert [finding for finding in check_invariants() if finding.is_breach] == []


def test_its_end_is_told_in_the_transaction_of_its_figures(guests: list[Guest], actor: Actor) -> None:
    scan = finish(services.start(by=actor, guests=guests[:1]))

    events = list(Event.objects.of(scan.job.stream))
    assert [event.kind for event in events[:2]] == ["security.scan_queued", "security.scan_started"]
    assert events[-1].kind == "security.scan_completed"
    told = events[-1].data
    assert told == {
        "id": scan.public_id, "type": "vulnerability", "status": "completed", "guests": 1, "score": scan.score,
        "findings": scan.counts, "not_assessed": scan.unassessed,
    }  # fmt: skip


def test_settings_that_were_mended_are_no_findings(guests: list[Guest], actor: Actor, observer: Any) -> None:
    before = finish(services.start(by=actor, guests=guests[:1]))
    fixes = ScanFinding.objects.broken().filter(subject__scan=before, fix__isnull=False)
    assert fixes.count() >= 3
    for fix in fixes.values_list("fix", flat=True):
        observer(fix["path"]).put(**fix["values"])
    observer.cluster.backup.post(all=1, storage="local", schedule="daily")
    observer.nodes("pve1").vzdump.post(vmid=101, storage="local")

    after = finish(services.start(by=actor, guests=guests[:1]))
    mended = broken(before, "dns-1") - broken(after, "dns-1")
    assert mended >= {"GUEST-NET-001", "GUEST-NET-002", "GUEST-BACKUP-003"}
    assert before.score is not None
    assert after.score is not None
    assert after.score > before.score
    assert [one.pk for one in services.trend(after)] == [before.pk, after.pk]


def test_only_a_deep_scan_asks_within_guests_and_for_backups(guests: list[Guest], actor: Actor) -> None:
    scan = finish(services.start(by=actor, guests=guests[:1], is_deep=False, has_surroundings=False))
    told = unassessed(scan, "dns-1")
    assert told["GUEST-BACKUP-001"] == told["GUEST-OS-001"] == "only a deep scan reads this"
    assert set(scan.subjects.values_list("kind", flat=True)) == {"guest"}


def test_a_guest_that_is_gone_is_not_assessed(guests: list[Guest], actor: Actor, observer: Any) -> None:
    observer.nodes("pve3").qemu(130).delete()
    stopped = next(guest for guest in guests if guest.vmid == 130)
    scan = finish(services.start(by=actor, guests=[stopped]))
    assert scan.state == "completed"
    assert broken(scan, "staging-shop") == set()
    assert "not in the list" in unassessed(scan, "staging-shop")["GUEST-DISK-001"]
    assert scan.subjects.get(kind="guest").score is None


def test_the_environment_of_a_tag_is_protected(cluster: Cluster, guests: list[Guest], actor: Actor) -> None:
    make_environment("staging", organization=cluster.organization, is_protected=True)
    chosen = [guest for guest in guests if guest.vmid in {101, 130}]
    scan = finish(services.start(by=actor, guests=chosen))
    assert "GUEST-OPT-001" in broken(scan, "staging-shop")
    assert "GUEST-OPT-001" in unassessed(scan, "dns-1")


def test_a_worker_that_dies_between_guests_is_followed_by_another(guests: list[Guest], actor: Actor) -> None:
    scan = services.start(by=actor, guests=guests[:4])
    engine.advance(scan.job_id, slot_seconds=0.0)
    while not scan.subjects.filter(kind="guest", assessed_at__isnull=False).exists():
        engine.advance(scan.job_id, slot_seconds=0.0)
    Job.objects.filter(pk=scan.job_id).update(lease_token=99, lease_until=None)  # as if it had died there
    scan = finish(scan, turns=40)
    assert scan.state == "completed"
    assert services.progress(scan) == (4, 4)
    assert ScanFinding.objects.filter(subject__scan=scan, subject__name="dns-1", rule="GUEST-NET-001").count() == 1


def test_a_silent_cluster_fails_the_scan_and_gives_no_score(
    cluster: Cluster, guests: list[Guest], actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vms.scans.running.ReadSurroundings.patience", 0.0)
    scan = services.start(by=actor, guests=guests[:1])
    Cluster.objects.filter(pk=cluster.pk).update(port=9)
    scan = finish(scan)
    assert (scan.state, scan.score) == ("failed", None)
    assert Event.objects.of(scan.job.stream).last().kind == "security.scan_failed"  # type: ignore[union-attr]


def test_a_scan_that_is_cancelled(guests: list[Guest], actor: Actor) -> None:
    scan = services.start(by=actor, guests=guests[:2])
    services.cancel(scan, by=actor)
    assert finish(scan).state == "cancelled"
    assert Event.objects.of(scan.job.stream).last().kind == "security.scan_cancelled"  # type: ignore[union-attr]


@pytest.mark.django_db
class TestWhoMayStartWhat:
    def test_what_is_needed(self) -> None:
        with pytest.raises(Refused):
            services.start(by=make_actor("viewer"))
        with pytest.raises(Invalid, match="no guest"):
            services.start(by=make_actor("operator"))

    def test_guests_of_others_are_not_found(self) -> None:
        theirs = make_guest(make_cluster())
        with pytest.raises(NotFound):
            services.named([f"vm-{theirs.pk:03d}"], by=make_actor("operator"))

    def test_the_same_guest_is_scanned_once(self) -> None:
        cluster = make_cluster()
        guest = make_guest(cluster, vmid=4711)
        actor = make_actor("operator", organization=cluster.organization)
        found = services.named([f"vm-{guest.pk:03d}", "4711"], by=actor)
        assert services.start(by=actor, guests=found).subjects.count() == 1

    def test_what_is_yet_to_be_made_is_left_out(self) -> None:
        cluster = make_cluster()
        guest = make_guest(cluster)
        make_guest(cluster, status="creating")
        scan = services.start(by=make_actor("operator", organization=cluster.organization))
        assert [subject.guest_id for subject in scan.subjects.filter(kind="guest")] == [guest.pk]

    def test_no_more_than_a_few_at_a_time(self) -> None:
        cluster = make_cluster()
        guest = make_guest(cluster)
        actor = make_actor("operator", organization=cluster.organization)
        for _ in range(services.MOST_RUNNING):
            services.start(by=actor, guests=[guest])
        with pytest.raises(WrongState, match="running already"):
            services.start(by=actor, guests=[guest])

    def test_a_cluster_that_is_off_is_not_read(self) -> None:
        cluster = make_cluster(is_enabled=False)
        guest = make_guest(cluster)
        with pytest.raises(WrongState, match="switched off"):
            services.start(by=make_actor("operator", organization=cluster.organization), guests=[guest])

    def test_guests_come_in_batches_after_what_they_stand_on(self) -> None:
        cluster = make_cluster()
        guests = [make_guest(cluster) for _ in range(services.BATCH + 3)]
        scan = services.start(by=make_actor("operator", organization=cluster.organization), guests=guests)
        steps = Step.objects.filter(job=scan.job).values_list("kind", "level", "weight")
        assert list(steps) == [("scan.surroundings", 0, 2), ("scan.guests", 1, 10), ("scan.guests", 1, 3)]


@pytest.mark.django_db
def test_the_last_judgement_of_each_guest_in_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    cluster = make_cluster()
    guests = [make_guest(cluster) for _ in range(3)]
    for guest in guests[:2]:
        make_scan(cluster, guest=guest)
        last = make_scan(cluster, guest=guest, tally={"GUEST-NET-001": {"passed": 1}, "GUEST-NET-002": {"passed": 1}})
    with django_assert_num_queries(1):
        found = services.security_of(guests)
    assert found.keys() == {guest.pk for guest in guests[:2]}
    assert found[guests[1].pk].score == 100
    assert found[guests[1].pk].scanned_at == last.started_at
    assert sum(found[guests[0].pk].counts.values()) == 0


@pytest.mark.usefixtures("cluster")
def test_what_is_kept_of_the_surroundings_is_told_to_nobody(
    guests: list[Guest], actor: Actor, fresh_sandbox: RunningSandbox
) -> None:
    """Rules of firewalls stay in the journal; events and answers carry figures."""
    scan = finish(services.start(by=actor, guests=guests[:1]))
    told = [str(event.data) for event in Event.objects.of(scan.job.stream)]
    assert not any("policy" in one or "digest" in one for one in told)
    assert ScanSubject.objects.filter(scan=scan).count() == 5
