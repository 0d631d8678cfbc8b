"""What a user of the generated client would write to have a machine, keep a state of it, go back, and be rid of it. Run with the
client on its path; tells what it got, as JSON."""

import json
import os
import time
from collections.abc import Callable

from proxmox_ai import AuthenticatedClient
from proxmox_ai.api.jobs import jobs_get
from proxmox_ai.api.vms import (
    vms_create,
    vms_delete,
    vms_get,
    vms_list,
    vms_snapshots_create,
    vms_snapshots_delete,
    vms_snapshots_list,
    vms_snapshots_restore,
    vms_stop,
    vms_update,
)
from proxmox_ai.models import (
    JobBody,
    JobBodyStatus,
    MachineChange,
    MachineDetail,
    MachineWish,
    ProxmoxErrorBody,
    SizeChange,
    SizeWish,
    SnapshotRow,
    SnapshotWish,
    StopWish,
)

PATIENCE = 120.0
client = AuthenticatedClient(base_url=os.environ["ALMA_URL"] + "/v1", token=os.environ["ALMA_TOKEN"])


def ended(job_id: str) -> JobBody:
    """The loop of the documented client, typed."""
    ends_at = time.monotonic() + PATIENCE
    job = jobs_get.sync(job_id, client=client).data.job
    while job.status == JobBodyStatus.RUNNING:
        if time.monotonic() > ends_at:
            raise TimeoutError(job)
        time.sleep(0.2)
        job = jobs_get.sync(job_id, client=client).data.job
    return job


def machine_once(vm_id: str, is_so: Callable[[MachineDetail], bool]) -> MachineDetail:
    """The machine as soon as its last reading shows something."""
    ends_at = time.monotonic() + PATIENCE
    vm = vms_get.sync(vm_id, client=client).data.vm
    while not is_so(vm):
        if time.monotonic() > ends_at:
            raise TimeoutError(vm)
        time.sleep(0.2)
        vm = vms_get.sync(vm_id, client=client).data.vm
    return vm


def snapshots_of(vm_id: str) -> list[SnapshotRow]:
    return vms_snapshots_list.sync(vm_id, client=client).data.snapshots


with client as client:
    wish = MachineWish(
        name="typed-vm", template="debian-12", configuration=SizeWish(cpu_cores=2, memory_mb=2048), tags=["typed"]
    )
    made = vms_create.sync(client=client, body=wish).data.vm
    created = ended(made.creation_job_id)
    running = vms_get.sync(made.id, client=client).data.vm
    again = vms_create.sync(client=client, body=wish)

    taken = vms_snapshots_create.sync(
        made.id, client=client, body=SnapshotWish(name="before", description="As it was")
    ).data
    jobs = [ended(taken.snapshot.job_id)]
    changed = vms_update.sync(
        made.id, client=client, body=MachineChange(tags=["changed"], configuration=SizeChange(cpu_cores=1))
    )
    jobs.append(ended(changed.data.vm.job_id))
    machine_once(made.id, lambda vm: "changed" in vm.tags)
    kept = snapshots_of(made.id)

    jobs.append(ended(vms_snapshots_restore.sync(made.id, kept[0].id, client=client).data.vm.job_id))
    restored = machine_once(made.id, lambda vm: "typed" in vm.tags)
    jobs.append(ended(vms_snapshots_delete.sync(made.id, kept[0].id, client=client).data.vm.job_id))
    jobs.append(ended(vms_stop.sync(made.id, client=client, body=StopWish(graceful=False)).data.vm.job_id))
    jobs.append(ended(vms_delete.sync(made.id, client=client, force=True).data.vm.job_id))
    gone = vms_get.sync(made.id, client=client)
    report = {
        "created": [created.status, created.progress, made.status, running.status, running.configuration.cpu_cores],
        "again": again.error.code if isinstance(again, ProxmoxErrorBody) else None,
        "restart_required": changed.data.vm.restart_required,
        "kept": [[row.name, row.status, row.description, row.taken_by] for row in kept],
        "restored": [restored.tags, restored.status],
        "left": [row.name for row in vms_list.sync(client=client, name="typed-vm").data.vms],
        "jobs": [job.status for job in jobs],
        "gone": gone.error.code if isinstance(gone, ProxmoxErrorBody) else None,
    }
print(json.dumps(report))  # noqa: T201 - the test reads it
