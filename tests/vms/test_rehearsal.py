"""Steps run on a copy of their cluster: the same code and the same words, and nothing of it stays anywhere."""

from typing import Any

import pytest

from alma.events.models import Event
from alma.jobs.models import Job
from tests.factories.vms import GIB, guest_spec, make_cluster
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.conftest import Runner
from vms import rehearsal
from vms.models import Cluster, GuestClaim
from vms.proxmox.client import disconnect
from vms.sandbox import importing
from vms.services import await_step, create_steps, delete_steps, update_steps

pytestmark = pytest.mark.django_db
LEAST = (
    ("/vms", "PVEVMAdmin"), ("/storage/local-lvm", "PVEDatastoreUser"), ("/storage/shared", "PVEDatastoreUser"),
    ("/nodes", "PVEAuditor"), ("/sdn/zones/localnetwork", "PVESDNUser"),
)  # fmt: skip


def spec(cluster: Cluster, **overrides: Any) -> Any:
    return guest_spec(cluster, running=True, template_vmid=9000, template_node="pve1", full_clone=True, **overrides)


def guests(running: RunningSandbox) -> set[int]:
    return {guest.vmid for guest in running.core.state.guests}


def test_guests_are_made_side_by_side_on_the_copy_alone(cluster: Cluster, fresh_sandbox: RunningSandbox) -> None:
    before, posted = guests(fresh_sandbox), fresh_sandbox.count("POST", "/nodes/{node}/qemu/{vmid}/clone")
    both = [step for key in ("web", "db") for step in create_steps(spec(cluster, key=key, name=key))]
    told = rehearsal.rehearse(cluster, both)
    assert told.is_completed, told.error
    assert any("create full clone of drive scsi0" in line for line in told.log)
    assert told.seconds > 1 and told.left_out == ()
    assert guests(fresh_sandbox) == before
    assert fresh_sandbox.count("POST", "/nodes/{node}/qemu/{vmid}/clone") == posted
    assert not GuestClaim.objects.exists() and not Job.objects.exists() and not Event.objects.exists()


def test_whether_a_system_comes_up_is_not_rehearsed_and_that_is_said(cluster: Cluster) -> None:
    wait = await_step(spec(cluster), 4, seconds=60, has_system=True, port=None, address="")
    told = rehearsal.rehearse(cluster, [*create_steps(spec(cluster)), wait])
    assert told.is_completed, told.error
    assert told.log[-1].endswith("is up: that shows on the cluster only.")


def test_what_would_fail_fails_on_the_copy_in_the_same_words(cluster: Cluster, fresh_sandbox: RunningSandbox) -> None:
    told = rehearsal.rehearse(cluster, create_steps(spec(cluster, disk_bytes=900_000 * GIB)))
    assert not told.is_completed and told.error is not None
    assert "insufficient free space" in told.error["message"]
    assert not GuestClaim.objects.exists()


def test_what_is_ours_is_changed_and_removed_on_the_copy(
    cluster: Cluster, runner: Runner, fresh_sandbox: RunningSandbox
) -> None:
    assert runner.run(create_steps(spec(cluster))).state == "completed"
    claim = GuestClaim.objects.get()
    made = importing.read(cluster)
    bigger = rehearsal.on_copy(cluster, made, update_steps(spec(cluster, cores=4), restart=True))
    assert bigger.is_completed, bigger.error
    gone = rehearsal.rehearse(cluster, delete_steps(spec(cluster)))
    assert gone.is_completed, gone.error
    assert fresh_sandbox.core.state.guests.get(claim.vmid).config["cores"] == 2
    claim.refresh_from_db()
    assert claim.state == GuestClaim.State.LIVE


def test_with_no_more_rights_than_alma_needs(fresh_sandbox: RunningSandbox) -> None:
    client = fresh_sandbox.proxmoxer()
    client.access.users.post(userid="alma@pve")
    made = client.access.users("alma@pve").token("alma").post(privsep=0)
    for path, role in LEAST:
        client.access.acl.put(path=path, roles=role, users="alma@pve")
    client._store["session"].close()
    cluster = make_cluster(fresh_sandbox, token_id="alma@pve!alma", token_secret=made["value"])
    told = rehearsal.rehearse(cluster, create_steps(spec(cluster)))
    assert told.is_completed, told.error
    disconnect()
