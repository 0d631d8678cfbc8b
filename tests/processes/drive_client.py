"""What a user of the generated client would write; run with the client on its path. Tells what it got, as JSON."""

import json
import os

from proxmox_ai import AuthenticatedClient
from proxmox_ai.api.jobs import jobs_get, jobs_list
from proxmox_ai.api.monitoring import monitoring_system, monitoring_vm
from proxmox_ai.api.system import health
from proxmox_ai.api.vms import vms_get, vms_list
from proxmox_ai.models import MonitoringVmPeriod, ProxmoxErrorBody, VmsListStatus

client = AuthenticatedClient(base_url=os.environ["ALMA_URL"] + "/v1", token=os.environ["ALMA_TOKEN"])

with client as client:
    page = vms_list.sync(client=client, status=VmsListStatus.RUNNING, limit=2).data
    again = vms_list.sync(client=client, status=VmsListStatus.RUNNING, limit=2, cursor=page.pagination.next_cursor).data
    vm = vms_get.sync(page.vms[0].id, client=client).data.vm
    past = monitoring_vm.sync(vm.id, client=client, period=MonitoringVmPeriod.VALUE_0, metrics="cpu").data
    system = monitoring_system.sync(client=client).data.metrics
    jobs = jobs_list.sync(client=client).data.jobs
    job = jobs_get.sync(jobs[0].id, client=client).data.job
    nothing = vms_get.sync("vm-999999", client=client)
    report = {
        "health": health.sync(client=client).data.components.database,
        "listed": [row.id for row in page.vms + again.vms],
        "total": page.pagination.total,
        "shown": [vm.id, vm.status, vm.configuration.vmid],
        "points": len(past.metrics.cpu),
        "running": system.vms.running,
        "job": [job.id == jobs[0].id, job.progress, len(job.logs) > 0],
        "error": nothing.error.code if isinstance(nothing, ProxmoxErrorBody) else None,
    }
print(json.dumps(report))  # noqa: T201 - the test reads it
