"""A snapshot of a cluster becomes a sandbox that tells the same of itself."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from alma.errors import Unavailable
from tests.factories.accounts import make_organization
from tests.factories.vms import make_cluster
from tests.fixtures.sandbox import RunningSandbox, wait_for_task
from tests.vms.sandbox.driving import SECRETS
from vms.models import Cluster
from vms.proxmox.client import carried_by, connect, disconnect
from vms.proxmox.cluster import read as read_cluster
from vms.sandbox import credentials, importing
from vms.sandbox.core.clock import ManualClock
from vms.sandbox.core.consistency import check_consistency
from vms.sandbox.core.core import Core
from vms.sandbox.core.world import Options
from vms.sandbox.credentials import SandboxCredentials
from vms.sandbox.inprocess import SandboxAdapter
from vms.sandbox.opening import build, open_sandbox
from vms.services import clear_answers

pytestmark = pytest.mark.django_db


@pytest.fixture
def cluster(fresh_sandbox: RunningSandbox) -> Iterator[Cluster]:
    yield make_cluster(fresh_sandbox, organization=make_organization(), slug="real")
    disconnect()


def lived_in(running: RunningSandbox) -> None:
    """Leaves traces of every kind on a cluster."""
    api = running.proxmoxer()

    def done(upid: str) -> None:
        assert wait_for_task(api, upid).startswith(("OK", "WARNINGS"))

    done(api.nodes("pve1").qemu(9000).clone.post(newid=300, name="web", full=1, storage="local-lvm"))
    done(api.nodes("pve1").qemu(9000).clone.post(newid=301, name="linked", full=0))
    done(api.nodes("pve1").qemu(300).snapshot.post(snapname="before"))
    done(api.nodes("pve1").qemu(300).snapshot.post(snapname="after"))
    api.nodes("pve1").qemu(300).config.put(tags="a;b", description="of the import", scsi1="local-lvm:4")
    done(api.nodes("pve1").qemu(300).status.start.post())
    api.pools.post(poolid="shop")
    api.pools("shop").put(vms="300,301")
    api.nodes("pve2").network.post(iface="vmbr7", type="bridge", autostart=1)
    done(api.nodes("pve2").network.put())
    api._store["session"].close()


def core_of(made: importing.Import, cluster: Cluster) -> Core:
    secrets = SandboxCredentials("root@pam", "", cluster.token_id, cluster.token_secret, SECRETS.ticket_key, "")
    return build(made.state, ManualClock(made.at), Options(), secrets)


def test_an_imported_cluster_tells_the_same_of_itself(cluster: Cluster, fresh_sandbox: RunningSandbox) -> None:
    lived_in(fresh_sandbox)
    made = importing.read(cluster)
    assert made.left_out == []
    core, real = core_of(made, cluster), fresh_sandbox.core
    assert check_consistency(core) == []
    with carried_by(cluster, SandboxAdapter(core)) as api:
        here = read_cluster(api)
    there = read_cluster(connect(cluster))
    still = (
        "vmid",
        "kind",
        "node",
        "name",
        "status",
        "is_template",
        "cores",
        "memory_bytes",
        "disk_bytes",
        "tags",
        "lock",
    )
    for one, other in zip((*here.guests, *here.templates), (*there.guests, *there.templates), strict=True):
        assert [getattr(one, name) for name in still] == [getattr(other, name) for name in still]
    assert here.storages == there.storages and here.bridges == there.bridges and here.ostemplates == there.ostemplates
    for guest in real.state.guests:
        twin = core.state.guests.get(guest.vmid)
        assert twin is not None and twin.config == guest.config and twin.snapshots.keys() == guest.snapshots.keys()
    assert core.state.pools.get("shop").vms == [300, 301]


def test_what_was_imported_can_be_worked_with_and_begun_anew(cluster: Cluster, fresh_sandbox: RunningSandbox) -> None:
    core = core_of(importing.read(cluster), cluster)
    with carried_by(cluster, SandboxAdapter(core, is_hurried=True)) as api:
        api.post("nodes", "pve1", "qemu", 9000, "clone", newid=300, name="web", full=1, storage="local-lvm")
        api.post("nodes", "pve1", "qemu", 300, "status", "start")
        assert api.get("nodes", "pve1", "qemu", 300, "status", "current")["status"] == "running"
        assert check_consistency(core) == []
        api.post("sandbox", "reset")
        assert {row["vmid"] for row in api.get("nodes", "pve1", "qemu")} == {101, 110, 9000, 9001}
        assert check_consistency(core) == []
    assert fresh_sandbox.core.state.guests.get(300) is None


def test_offline_nodes_and_guests_that_may_not_be_read_are_left_out_and_named(
    cluster: Cluster, fresh_sandbox: RunningSandbox
) -> None:
    fresh_sandbox.core.faults.take_offline("pve3")
    fresh_sandbox.core.faults.answer_next(403, "Permission check failed", "GET", "/nodes/pve1/qemu/110/config")
    made = importing.read(cluster)
    assert [node.name for node in made.state.nodes] == ["pve1", "pve2"]
    assert made.state.guests.get(110) is None and made.state.guests.get(111) is None
    assert any("Node pve3 is offline" in sentence for sentence in made.left_out)
    assert any("qemu 110 cannot be read" in sentence for sentence in made.left_out)
    assert check_consistency(core_of(made, cluster)) == []


def test_a_silent_cluster_is_not_imported(cluster: Cluster, fresh_sandbox: RunningSandbox) -> None:
    fresh_sandbox.stop()
    with pytest.raises(Unavailable), clear_answers(cluster):
        importing.read(cluster)


def test_by_command_into_a_directory_of_its_own(
    cluster: Cluster, fresh_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lived_in(fresh_sandbox)
    folder: Path = tmp_path_factory.mktemp("imported")
    said = StringIO()
    call_command("sandbox_import", "real", "--data-dir", str(folder), stdout=said)
    assert "Imported 3 nodes, 5 storages" in said.getvalue()
    with pytest.raises(CommandError, match="has a state already"):
        call_command("sandbox_import", "real", "--data-dir", str(folder), stdout=said)
    call_command("sandbox_import", "real", "--data-dir", str(folder), "--replace", stdout=said)
    with pytest.raises(CommandError, match="has no cluster nosuch"):
        call_command("sandbox_import", "nosuch", "--data-dir", str(folder), stdout=said)
    core, store = open_sandbox(folder, Options())
    with store:
        assert core.state.guests.get(300).config["description"] == "of the import"
        assert f"root@pam!{credentials.TOKEN_NAME}" in core.state.tokens
        assert check_consistency(core) == []
