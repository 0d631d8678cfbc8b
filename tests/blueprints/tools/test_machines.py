"""Tools about clusters and machines, with arithmetic worked by hand."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.errors import BadRequest, NotFound, Refused, WrongState
from alma.jobs.services import create_job
from blueprints.tools import execute
from tests.factories.accounts import make_actor, make_organization
from tests.factories.blueprints import make_blueprint, make_document, make_resource
from tests.factories.vms import make_claim, make_cluster, make_guest
from vms.machines import public_id
from vms.metrics import Series, _key
from vms.models import Cluster, ClusterMoment, ClusterNode, ClusterStorage, ClusterTask, Guest, GuestDetails
from vms.recording import HOUR, MINUTE, floor

pytestmark = pytest.mark.django_db
GIB = 1024**3
FIGURES = ("cpu", "mem", "maxmem", "disk", "maxdisk", "diskread", "diskwrite", "netin", "netout")


def run(name: str, **arguments: Any) -> Any:
    return execute(name, arguments, by=make_actor())


def cluster_of(*nodes: tuple[int, int], shared_gb: int = 10_000, **overrides: Any) -> Cluster:
    """Nodes of so many cores and GB, and one shared storage."""
    cluster = make_cluster(organization=make_organization(), **overrides)
    now = timezone.now()
    for number, (cores, memory) in enumerate(nodes, start=1):
        name = f"pve{number}"
        ClusterNode.objects.create(
            cluster=cluster, name=name, is_online=True, cores=cores, memory_bytes=memory * GIB, seen_at=now
        )
        ClusterStorage.objects.create(
            cluster=cluster, node=name, name="shared", plugin="rbd", content="images, rootdir", is_shared=True, is_active=True,
            total_bytes=shared_gb * GIB,
        )  # fmt: skip
    return cluster


def measured(cluster: Cluster, values: list[float], step: int = HOUR, **total: float) -> None:
    """Figures until now, as the sampler keeps them; memory in use are the values."""
    begin = floor(timezone.now(), step) - timedelta(seconds=step * len(values))
    told = {
        "cores": 16.0,
        "cpu_load": 1.0,
        "memory_bytes": 1000.0,
        "storage_bytes": 1000.0,
        "storage_used": 10.0,
    } | total
    ClusterMoment.objects.bulk_create(
        ClusterMoment(
            cluster=cluster, step=step, at=begin + timedelta(seconds=step * number), memory_used=value, **told
        )
        for number, value in enumerate(values)
    )


def remember(guest: Guest, period: str, values: list[float], name: str = "cpu", step: int = 1800) -> None:
    """What its cluster told a moment ago: a value each half hour, 0 to 1 of its cores, or bytes."""
    now = int(timezone.now().timestamp())
    blank = dict.fromkeys(FIGURES, 0.0) | {"maxmem": float(guest.memory_bytes)}
    moments = [(now - step * (len(values) - n), blank | {name: value}) for n, value in enumerate(values)]
    cache.set(_key(guest, period), Series(moments, timezone.now()), 60)


# -- capacity -------------------------------------------------------------------------------------
def test_capacity_by_memory_with_a_node_in_reserve() -> None:
    """Two nodes of 16 cores and 64 GB; 10 % stay free: 57.6 GB each. 20 GB are promised on the first: (57.6 - 20) / 8 = 4, and
    57.6 / 8 = 7 on the second: 11 fit. With a node away: (57.6 - 20) / 8 = 4."""
    cluster = cluster_of((16, 64), (16, 64))
    make_guest(cluster, node="pve1", memory_bytes=20 * GIB, cores=4)
    found = run("calculate_capacity", cpu=2, memory="8GB", disk="10GB")
    row = found.clusters[0]
    assert [node.machines for node in row.nodes] == [4, 7]
    assert (row.machines_without_reserve, row.machines, row.limited_by) == (11, 4, "the reserve for a failure")
    assert run("calculate_capacity", cpu=2, memory="8GB", disk="10GB", spare_nodes=0).machines == 11


@pytest.mark.parametrize(
    ("spare", "line"),
    [
        (0, "No node is kept free for a failure."),
        (1, "The largest node of each cluster stays free for a failure, where there are more."),
        (2, "The 2 largest nodes of each cluster stay free for a failure, where there are more."),
    ],
)
def test_what_stays_free_is_told_with_its_number(spare: int, line: str) -> None:
    cluster_of((8, 64))
    assert line in run("calculate_capacity", spare_nodes=spare).assumptions


def test_only_what_was_left_out_is_called_so() -> None:
    cluster_of((8, 64))
    said = [
        run("calculate_capacity", **given).assumptions[0]
        for given in ({"cpu": 1}, {"cpu": 1, "memory": "1GB", "disk": "1GB"})
    ]
    assert said == ["Left out of the size, so taken: 4 GB of memory, 40 GB of disk.", "The size is as it was given."]


def test_capacity_by_cores_and_by_disks() -> None:
    """One node: 8 cores promised fourfold are 32, in machines of 4 are 8. Disks of 100 GB on 450 GB are 4."""
    cluster_of((8, 1000), shared_gb=450)
    assert run("calculate_capacity", cpu=4, memory="1GB", disk="1GB").machines == 8
    found = run("calculate_capacity", cpu=1, memory="1GB", disk="100GB").clusters[0]
    assert (found.machines, found.limited_by) == (4, "storage")


def test_the_size_of_a_blueprint_is_the_mean_of_its_machines() -> None:
    cluster_of((8, 64))
    resources = [
        make_resource("a", specs={"cpu": 2, "memory": "4GB", "disk": "20GB"}),
        make_resource("b", specs={"cpu": 6, "memory": "8GB", "disk": "60GB"}),
    ]
    found = run("calculate_capacity", blueprint=make_document(resources=resources))
    assert (found.machine_cpu, found.machine_memory_gb, found.machine_disk_gb) == (4, 6.0, 40.0)


@pytest.mark.parametrize("wrong", [{"memory": "8"}, {"disk": "big"}, {"memory": "0GB"}, {"cpu": 0}])
def test_sizes_that_are_none(wrong: dict[str, Any]) -> None:
    cluster_of((8, 64))
    with pytest.raises(BadRequest):
        run("calculate_capacity", **wrong)


def test_no_cluster() -> None:
    with pytest.raises(NotFound):
        run("calculate_capacity")
    make_cluster(slug="theirs")
    for name, arguments in (("calculate_capacity", {"cluster": "theirs"}), ("forecast_metrics", {"cluster": "theirs"})):
        with pytest.raises(NotFound):
            run(name, **arguments)


# -- forecast -------------------------------------------------------------------------------------
def test_a_straight_line_goes_on() -> None:
    """One more each hour from 100 on, 240 hours: 339 is the last. In 7 days it is 339 + 168 = 507; of 1,000, 40 % (400) are
    reached 61 hours after the last."""
    measured(cluster_of((8, 64)), [100.0 + hour for hour in range(240)])
    found = run("forecast_metrics", metric="memory", days=7, threshold_percent=40)
    assert found.expected == pytest.approx(507, rel=0.01)
    assert found.forecast[-1].lower <= found.expected <= found.forecast[-1].upper
    hours = (found.reaches_threshold_at - found.history[-1].at) / timedelta(hours=1)
    assert hours == pytest.approx(61, abs=2)
    assert found.may_reach_threshold_at <= found.reaches_threshold_at
    assert (found.season_hours, found.measured_hours, len(found.history)) == (24, 240, 120)


def test_a_day_repeats_itself() -> None:
    """Busy at noon, quiet at midnight: tomorrow's noon is like today's."""
    day = [200.0] * 8 + [600.0] * 8 + [200.0] * 8
    measured(cluster_of((8, 64)), day * 10)
    found = run("forecast_metrics", metric="memory", days=1)
    assert [point.value for point in found.forecast] == pytest.approx(day, abs=5)
    assert found.reaches_threshold_at is None


def test_gaps_are_said_and_too_little_is_refused() -> None:
    cluster = cluster_of((8, 64))
    measured(cluster, [100.0] * 20)
    with pytest.raises(WrongState, match="memory .*: 20 hours. To look 7 days ahead, 72 hours are needed"):
        run("forecast_metrics", metric="memory")
    ClusterMoment.objects.all().delete()
    measured(cluster, [100.0] * 100)
    holes = ClusterMoment.objects.order_by("at").values_list("pk", flat=True)[40:44]
    ClusterMoment.objects.filter(pk__in=list(holes)).delete()
    found = run("forecast_metrics", metric="memory")
    assert any(line.startswith("4 values were missing") for line in found.assumptions)
    assert found.expected == pytest.approx(100, abs=0.5)


def test_a_week_is_not_foreseen_from_an_hour() -> None:
    """Of 46 minutes one can say something about the next seven hours, and nothing about the next week."""
    cluster = cluster_of((8, 64))
    measured(cluster, [100.0, 101.0] * 23, step=MINUTE)
    measured(cluster, [100.0])
    with pytest.raises(WrongState, match="so far: 0.8 hours. To look 7 days ahead, 16.8 hours are needed"):
        run("forecast_metrics", metric="memory")


def test_figures_have_the_unit_in_which_they_are_something() -> None:
    measured(cluster_of((8, 64)), [100.0] * 100, rx_rate=2_097_152.0)
    assert "network is 2.00 MB a second now" in run("forecast_metrics", metric="network").summary


def test_when_room_ends_stands_beside_the_capacity() -> None:
    """800 of 1,000 and two more each hour: 90 % in 50 hours."""
    measured(cluster_of((8, 64)), [560.0 + 2 * hour for hour in range(121)])
    outlook = {row.metric: row for row in run("calculate_capacity").clusters[0].outlook}
    assert outlook["memory"].used_percent == 80.0
    day = outlook["memory"].full_at.date()
    assert re.search(rf" 90 % of memory of \S+ are reached on {day}\.$", run("calculate_capacity").summary)
    ahead = (outlook["memory"].full_at - datetime.now(UTC)) / timedelta(hours=1)
    assert ahead == pytest.approx(49, abs=4)
    assert outlook["storage"].full_at is None


def test_a_machine_is_foreseen_from_what_its_cluster_keeps() -> None:
    guest = make_guest(cluster_of((8, 64)), cores=4)
    remember(guest, "30d", [0.5] * 300)
    found = run("forecast_metrics", vm_id=public_id(guest))
    assert (found.unit, found.total, found.season_hours) == ("cores", 4.0, 24.0)
    assert found.expected == pytest.approx(2.0, abs=0.01)


# -- costs ----------------------------------------------------------------------------------------
def test_savings_worked_by_hand() -> None:
    """Three web servers of 4 cores, 8 GB and 100 GB with backups are 3 × 42 = 126. One is 42; without backups it is 40; as a
    container it is 2 + 0.8 × (16 + 16) + 6 = 33.60."""
    specs = {"count": 3, "cpu": 4, "memory": "8GB", "disk": "100GB", "backup": "daily"}
    given = make_document(
        resources=[make_resource("web", type="web", specs=specs)], metadata={"environment": "development"}
    )
    found = run("optimize_costs", blueprint=given)
    assert [(row.kind, row.saving_monthly) for row in found.savings] == [
        ("redundancy", 84.0),
        ("backup", 2.0),
        ("container", 6.4),
    ]
    assert (found.cost_monthly, found.optimized_cost_monthly, found.saving_percent) == (126.0, 33.6, 73.3)
    again = run("optimize_costs", blueprint=found.draft)
    assert (again.savings, again.saving_monthly) == ([], 0.0)


def test_production_keeps_its_redundancy() -> None:
    given = make_document(resources=[make_resource("db", type="database", specs={"count": 2, "backup": "daily"})])
    assert run("optimize_costs", blueprint=given).savings == []


def test_what_was_never_used_is_saved() -> None:
    """8 cores of which 1 is used at most: 2 with half as much again, rounded up."""
    actor = make_actor()
    row = make_blueprint(
        by=actor, resources=[make_resource("db", type="database", specs={"ram": "8GB", "cores": 8, "disk": "10GB"})]
    )
    cluster = make_cluster(organization=make_organization())
    claim = make_claim(cluster, owner=f"env:1/blueprint:{row.pk}", key="db")
    guest = make_guest(cluster, claim=claim, cores=8, memory_bytes=8 * GIB)
    remember(guest, "30d", [0.125] * 100)
    found = execute("optimize_costs", {"blueprint_id": row.pk}, by=actor)
    assert [(one.kind, one.change) for one in found.savings] == [("right_size", "cpu: 2, memory: 512MB")]
    assert found.draft["resources"][0]["specs"] == {"disk": "10GB", "cpu": 2, "memory": "512MB"}


# -- migration ------------------------------------------------------------------------------------
def test_a_migration_worked_by_hand() -> None:
    """100 GB at 100 MB a second are 1,024 s: 17.1 minutes. The larger machine goes first, to the node with more memory; the third
    needs more than any node has left. An hour holds both, and a quarter neither together."""
    cluster_of((8, 32), (8, 64), slug="new")
    inventory = [
        {"name": "small", "memory": "8GB", "disk": "100GB"}, {"name": "large", "memory": "40GB", "disk": "100GB"},
        {"name": "huge", "memory": "60GB", "disk": "100GB"},
    ]  # fmt: skip
    found = run("migrate_infrastructure", inventory=inventory, target_cluster="new", wave_hours=1)
    where = {move.machine: move.node for move in found.moves}
    assert where == {"huge": None, "large": "pve2", "small": "pve1"}
    assert (found.feasible, len(found.problems), len(found.waves)) == (False, 1, 1)
    assert {move.copy_minutes for move in found.moves} == {17.1}
    assert len(run("migrate_infrastructure", inventory=inventory, target_cluster="new", wave_hours=0.3).waves) == 2
    long = run("migrate_infrastructure", inventory=inventory, target_cluster="new", wave_hours=0.1)
    assert [line for line in long.assumptions if "takes 0.3 hours and not 0.1" in line][1:]


@pytest.mark.parametrize(
    ("memories", "sizes", "summary", "problem"),
    [
        ([4], ["8GB"], "No room on Cluster for 1 machine: nothing can be copied.", "1 core, 8 GB of memory and 10 GB of disk; 3.6 GB is"),
        ([0], ["8GB"], "No room on Cluster for 1 machine: nothing can be copied.", "; no memory is left."),
        ([16], ["8GB"], "1 of 1 machine finds room on Cluster; 10 GB in 1 wave, 0 hours of copying.", ""),
        ([16], ["8GB", "80GB"], "1 of 2 machines finds room on Cluster; 10 GB in 1 wave, 0 hours of copying.", "80 GB of memory"),
    ],
)  # fmt: skip
def test_what_finds_room_is_told_in_words(memories: list[int], sizes: list[str], summary: str, problem: str) -> None:
    cluster_of(*((8, memory) for memory in memories), slug="new", name="Cluster")
    inventory = [{"name": f"m{size}", "cpu": 1, "memory": size, "disk": "10GB"} for size in sizes]
    found = run("migrate_infrastructure", inventory=inventory, target_cluster="new")
    assert found.summary == summary
    assert problem in " ".join(found.problems)


def test_groups_move_together_and_the_source_is_ours_alone() -> None:
    source, target = cluster_of((8, 64), slug="old"), cluster_of((16, 128), slug="new")
    for name in ("a", "b", "c"):
        make_guest(source, name=name, tags="alma;shop" if name != "c" else "", disk_bytes=50 * GIB)
    make_guest(target, name="stays")
    found = run("migrate_infrastructure", source_cluster="old", target_cluster="new", wave_hours=0.3)
    assert [len(wave.machines) for wave in found.waves] == [1, 2]
    assert not any("stays" in move.machine for move in found.moves)
    make_cluster(slug="foreign")
    with pytest.raises(NotFound):
        run("migrate_infrastructure", source_cluster="foreign", target_cluster="new")


# -- trouble --------------------------------------------------------------------------------------
def test_what_is_wrong_with_a_machine() -> None:
    cluster = cluster_of((8, 64))
    guest = make_guest(cluster, status="stopped", lock="backup", cores=2)
    GuestDetails.objects.create(
        guest=guest, read_at=timezone.now(), file_systems=[{"mount_point": "/", "bytes": 100, "used_bytes": 99}]
    )
    ClusterTask.objects.create(
        cluster=cluster, upid="UPID:1", node="pve1", kind="qmstart", subject=str(guest.vmid), started_at=timezone.now(),
        ended_at=timezone.now(), status="start failed: timeout", log="line one\nTASK ERROR: timeout",
    )  # fmt: skip
    remember(guest, "24h", [0.97] * 40)
    found = run("troubleshoot_issue", vm_ids=[public_id(guest)], problem="it is slow")
    assert {(row.topic, row.severity) for row in found.findings} == {
        ("reach", "critical"), ("job", "warning"), ("storage", "critical"), ("load", "warning"),
    }  # fmt: skip
    task = next(row for row in found.findings if "qmstart" in row.finding)
    assert task.evidence == ["start failed: timeout", "line one", "TASK ERROR: timeout"]
    load = next(row for row in found.findings if row.topic == "load")
    assert "1.94 of 2 cores" in load.evidence[0]
    assert any("all nodes are online" in line for line in found.checked)


def test_a_sound_machine_and_a_failed_job() -> None:
    guest = make_guest(cluster_of((8, 64)))
    remember(guest, "24h", [0.1] * 40)
    found = run("troubleshoot_issue", vm_ids=[public_id(guest)])
    assert (found.findings, len(found.checked)) == ([], 9)
    job = create_job("cleanup", [], organization_id=make_organization().pk, title="Clean up")
    type(job).objects.filter(pk=job.pk).update(
        state="failed", error={"code": "PVE_REFUSED", "message": "no such storage"}
    )
    told = run("troubleshoot_issue", job_ids=[job.public_id]).findings
    assert [(row.severity, row.evidence) for row in told] == [("critical", ["PVE_REFUSED: no such storage"])]


def test_others_see_nothing_of_it() -> None:
    guest = make_guest(make_cluster(name="quokkaberry9x"), name="quokkaberry9x")
    with pytest.raises(NotFound):
        run("troubleshoot_issue", vm_ids=[public_id(guest)])
    assert "quokkaberry9x" not in run("troubleshoot_issue").model_dump_json()
    with pytest.raises(Refused):
        execute("troubleshoot_issue", {}, by=Actor(None, "nobody", frozenset({"tool:read"})))
