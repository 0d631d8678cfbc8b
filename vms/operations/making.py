"""Making a machine from a template or an image. Its number and its row are there at once; the cluster is asked by the job."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.jobs.models import Job
from alma.jobs.services import StepSpec
from vms.backups.plans import Plan
from vms.inventory import BEING_MADE
from vms.models import Cluster, Guest, GuestClaim
from vms.operations import rows
from vms.operations.changing import check_plan
from vms.operations.jobs import begin
from vms.operations.kinds import MachineKind, first_id, read_back
from vms.operations.newcomers import environment_for, number_for, row_for
from vms.operations.places import chosen_cluster, named_cluster
from vms.operations.reaching import reach
from vms.operations.sources import Source, check_source, source_of
from vms.proxmox.values import GIB, MIB, join_tags
from vms.refusing import invalid
from vms.services import create_steps
from vms.specs import CloudInit, GuestRef, GuestSpec


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine that is wanted. Without an environment it goes to the first one that is not protected, without a cluster to
    the usual one. It is made from the image if one is named, else from what `template` names."""

    name: str
    template: str = ""
    image: str = ""
    cluster: str = ""
    environment: str = ""
    description: str = ""
    cores: int = 1
    memory_mib: int = 2048
    disk_gib: int = 0
    """Of its first disk; never less than that of what it is made from."""
    vlan: int | None = None
    has_firewall: bool = False
    is_encrypted: bool = False
    tags: tuple[str, ...] = ()
    init: CloudInit = CloudInit()
    backup: Plan | None = None


class CreationKind(MachineKind):
    """A job that makes a machine. Until it ends the inventory leaves the row alone."""

    def public_id(self, params: Mapping[str, Any]) -> str:
        """`job_create_vm_102`, as documented; with letters of its own when it is tried again."""
        usual = first_id(params)
        return super().public_id(params) if Job.objects.filter(public_id=usual).exists() else usual

    def show(self, job: Job) -> dict[str, Any]:
        """The row becomes what was read back, or goes where nothing was made."""
        guest = rows.held(job)
        claim = GuestClaim.objects.active().filter(job=job.public_id).first()
        if guest is None:
            return {"id": job.params["vm"]}
        if claim is None or claim.state == GuestClaim.State.RESERVED:
            rows.note(guest, status="unknown", missing_since=timezone.now())
            return rows.facts(guest, job)
        Guest.objects.filter(cluster=guest.cluster_id, vmid=claim.vmid).exclude(pk=guest.pk).delete()
        seen = read_back(job) or {"status": "unknown"}
        sizes = {name: seen[name] for name in ("cores", "memory_bytes", "disk_bytes") if name in seen}
        rows.note(guest, vmid=claim.vmid, claim=claim, status=seen["status"], node=claim.node, **sizes)
        rows.tell(guest, job, "vm.created")
        return rows.facts(guest, job)


def create(wish: Machine, *, by: Actor) -> tuple[Guest, Job]:
    """Begin to make a machine. Raises Refused, Invalid, WrongState for a name that is taken, Unavailable."""
    by.require("vm:write")
    reach(named_cluster(wish.cluster, by=by))
    return _create(wish, by=by)


@transaction.atomic
def _create(wish: Machine, *, by: Actor) -> tuple[Guest, Job]:
    environment = environment_for(wish.environment, by=by)
    cluster = chosen_cluster(wish.cluster, by=by)
    if wish.backup is not None:
        check_plan(wish.backup)
    source = _check_possible(wish, cluster)
    claim = number_for(wish.name, cluster, environment)
    guest = row_for(
        claim, environment, name=wish.name, cores=wish.cores, memory_bytes=wish.memory_mib * MIB,
        disk_bytes=wish.disk_gib * GIB, tags=join_tags(["alma", *wish.tags]),
    )  # fmt: skip
    job = begin(
        "vm_creation", guest, claim, _steps(wish, source, claim), by=by, verb="create", status=BEING_MADE,
        template=source.label,
    )  # fmt: skip
    GuestClaim.objects.filter(pk=claim.pk).update(job=job.public_id)
    return guest, job


def _check_possible(wish: Machine, cluster: Cluster) -> Source:
    """What can be said before the cluster is asked, by its last reading: what it is made from. Raises Invalid."""
    if wish.is_encrypted and not _encrypting(cluster):
        raise invalid("security.encrypt_disk", _why_plain(cluster), True, reason="no_encrypting_storage")
    source = source_of(cluster, template=wish.template, image=wish.image)
    check_source(source, disk_gib=wish.disk_gib, has_init=wish.init != CloudInit())
    return source


def _encrypting(cluster: Cluster) -> list[str]:
    """The storages for disks that encrypt and that new machines may use."""
    may = set(cluster.encrypting_storages) & set(cluster.chosen_storages or cluster.encrypting_storages)
    seen = cluster.storages.filter(name__in=may, content__contains="images").order_by("name")
    return list(seen.values_list("name", flat=True).distinct())


def _why_plain(cluster: Cluster) -> str:
    """Why no disk can be encrypted."""
    if not cluster.encrypting_storages:
        words = "is known to encrypt disks; Proxmox cannot tell, so an operator names those that do in the cluster's settings"
        return f"no storage of {cluster.name} {words}. Leave it out otherwise"
    named = ", ".join(cluster.encrypting_storages)
    return f"none of the storages of {cluster.name} that encrypt ({named}) is there for disks of new machines"


def _steps(wish: Machine, source: Source, claim: GuestClaim) -> list[StepSpec]:
    """Find a place, then what every new guest takes."""
    spec = GuestSpec(
        cluster=claim.cluster_id, owner=claim.owner, key=claim.key, node=claim.node, name=wish.name, cores=wish.cores,
        memory_bytes=wish.memory_mib * MIB, disk_bytes=wish.disk_gib * GIB, storage="", bridge="", vlan=wish.vlan,
        tags=wish.tags, cloud_init=None if source.cdrom else wish.init, note=wish.description,
        import_from=source.import_from, cdrom=source.cdrom,
        pool=Cluster.objects.values_list("pool", flat=True).get(pk=claim.cluster_id),
    )  # fmt: skip
    asked = {
        "template": wish.template if source.template else "", "image": source.image, "cores": spec.cores, "memory_bytes": spec.memory_bytes, "disk_bytes": spec.disk_bytes,
        "vlan": wish.vlan, "firewall": wish.has_firewall, "encrypted": wish.is_encrypted,
    }  # fmt: skip
    place = StepSpec("guest.place", claim.key, f"Find a place for VM {wish.name}", 0, 1, spec.params() | asked)
    make, *others, check = create_steps(spec, 1)
    check = replace(check, params=check.params | {"encrypted": wish.is_encrypted})
    guard = StepSpec("guest.firewall", claim.key, f"Guard VM {wish.name}", 2, 1, spec.params())
    made = [place, replace(make, title=f"Create VM {wish.name}")]
    return [*made, *([guard] if wish.has_firewall else []), *others, check, *_scheduled(wish, spec, check.level + 1)]


def _scheduled(wish: Machine, spec: GuestSpec, level: int) -> list[StepSpec]:
    """Its backups; a token that may not schedule them is a warning of a machine that is there all the same."""
    if wish.backup is None or not wish.backup.is_enabled:
        return []
    params = GuestRef.params(spec) | wish.backup.params() | {"is_lenient": True}
    return [StepSpec("backup.schedule", spec.key, f"Schedule backups of VM {wish.name}", level, 1, params)]
