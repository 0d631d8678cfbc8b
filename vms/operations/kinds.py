"""How jobs about one machine end: its row shows at once what was read back, and what changed is told."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils import timezone

from alma.jobs.kinds import JobKind, Place
from alma.jobs.models import Job, Step
from vms.models import Backup
from vms.operations import rows

FIELDS = {"cores": "cpu_cores", "sockets": "cpu_cores", "memory": "memory_mb"}
"""What options of Proxmox are called in the document."""
NOTHING_DONE = "It was so already; nothing had to be done."


class MachineKind(JobKind):
    """A job about one machine that stays. Its events are told on its own stream, what happens to the machine on the
    cluster's."""

    def public_id(self, params: Mapping[str, Any]) -> str:
        """`job_start_vm_102_4f6c1b0a`: what can happen again gets some letters of its own."""
        return f"{first_id(params)}_{secrets.token_hex(4)}"

    def places(self, job: Job) -> Sequence[Place]:
        """The machine."""
        guest = job.params.get("guest")
        return [Place("Machine", reverse("vms:guest", args=[guest]), "vm")] if guest else []

    def completed(self, job: Job) -> dict[str, object]:
        """The machine as its last step read it back."""
        return {"vm": self.show(job), **notes(job)}

    def failed(self, job: Job) -> dict[str, object]:
        """What is known of it then."""
        return {"vm": self.show(job)}

    def cancelled(self, job: Job) -> dict[str, object]:
        """The same."""
        return self.failed(job)

    def show(self, job: Job) -> dict[str, Any]:
        """Bring the machine's row to what was read back, and tell when its status is another one."""
        guest = rows.held(job)
        if guest is None:
            return {"id": job.params["vm"]}
        seen = read_back(job)
        was = guest.status
        if seen and seen["status"] != was:
            rows.note(guest, status=seen["status"], node=seen["node"])
            rows.tell(guest, job, "vm.status_changed", was=was)
        return rows.facts(guest, job)


class DeletionKind(MachineKind):
    """A job at whose end the machine is no more."""

    def completed(self, job: Job) -> dict[str, object]:
        """With what has become of its backups, if they were to go as well."""
        return {**super().completed(job), **_backups(job)}

    def places(self, job: Job) -> Sequence[Place]:
        """The machine, while there is one."""
        return () if job.state == Job.State.COMPLETED else super().places(job)

    def show(self, job: Job) -> dict[str, Any]:
        """Once it was read back as gone, it is in no list any more."""
        guest = rows.held(job)
        if job.state != Job.State.COMPLETED or guest is None:
            return super().show(job)
        if guest.missing_since is None:
            rows.note(guest, missing_since=timezone.now(), claim=None)
            rows.tell(guest, job, "vm.deleted")
        return rows.facts(guest, job)


def _backups(job: Job) -> dict[str, object]:
    """Those that were read back as gone are in no list any more; those that stay are named with the reason."""
    steps, away = list(job.steps.filter(kind="backup.delete")), job.params.get("backups_away", [])
    if not steps and not away:
        return {}
    gone = [step.params["backup"] for step in steps if step.evidence.get("is_gone")]
    Backup.objects.filter(pk__in=gone).delete()
    kept = [
        {"volume": step.params["volume"], "reason": step.evidence.get("why", "")}
        for step in steps if not step.evidence.get("is_gone")
    ]  # fmt: skip
    kept += [{"volume": name, "reason": "No node reached its storage."} for name in away]
    return {"backups_deleted": len(gone), "backups_kept": kept}


def first_id(params: Mapping[str, Any]) -> str:
    """`job_create_vm_102`"""
    return f"job_{params['verb']}_{params['vm'].replace('-', '_')}"


def read_back(job: Job) -> dict[str, Any] | None:
    """What the last step that saw the machine said of it."""
    done = job.steps.filter(state__in=Step.DONE).order_by("-level", "-ordinal")
    return next((step.evidence for step in done if {"status", "node", "claim"} <= step.evidence.keys()), None)


def notes(job: Job) -> dict[str, object]:
    """What people should know of how it ended: that nothing had to be done, or what waits for a restart."""
    steps = list(job.steps.all())
    waiting = sorted({FIELDS.get(name, name) for step in steps for name in step.evidence.get("pending", ())})
    said: dict[str, object] = {"restart_required": waiting} if waiting else {}
    return said if any(step.journal.get("intent") for step in steps) else {**said, "note": NOTHING_DONE}
