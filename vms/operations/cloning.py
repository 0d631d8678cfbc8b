"""Making a machine that is a copy of another one, or of a template. Its number and its row are there at once."""

from dataclasses import dataclass

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.errors import WrongState
from alma.jobs.models import Job
from alma.jobs.services import StepSpec
from vms.inventory import BEING_MADE
from vms.lanes import check_lane
from vms.machines import public_id
from vms.models import Cluster, Guest, GuestClaim
from vms.operations.jobs import begin
from vms.operations.newcomers import environment_for, number_for, row_for
from vms.operations.reaching import begins_work
from vms.operations.rights import check_answers, held_claim, refuse_gated
from vms.refusing import invalid
from vms.specs import GuestSpec


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A copy that is wanted: of all that is on the disks, or linked to those of a template. Without a node it is made where
    its source is, without a storage each disk lies beside its original, without an environment it gets that of its source."""

    name: str
    is_full: bool = True
    node: str = ""
    storage: str = ""
    environment: str = ""
    description: str = ""


@begins_work
def clone(source: Guest, wish: Copy, *, by: Actor) -> tuple[Guest, Job]:
    """Begin to copy a machine of ours, or a template; the copy is stopped. What a protected environment holds does not leave it.

    Raises Refused, Invalid, Unavailable, and WrongState
    for a name that is taken and for a source that is being worked on."""
    held = _source(source, by=by)
    environment = _environment(source, wish, by=by)
    if held is not None and not environment.is_protected:
        refuse_gated(held)
    cluster = source.cluster
    _check_possible(source, wish)
    claim = number_for(wish.name, cluster, environment, kind=source.kind)
    guest = row_for(
        claim, environment, kind=source.kind, name=wish.name, cores=source.cores, memory_bytes=source.memory_bytes,
        disk_bytes=source.disk_bytes, tags="alma" if source.is_template else source.tags,
    )  # fmt: skip
    steps = _steps(source, held, wish, claim)
    job = begin(
        "vm_clone", guest, claim, steps, by=by, verb="clone", status=BEING_MADE, source=public_id(source),
        source_vmid=source.vmid,
    )  # fmt: skip
    GuestClaim.objects.filter(pk=claim.pk).update(job=job.public_id)
    return guest, job


def _source(source: Guest, *, by: Actor) -> GuestClaim | None:
    """The ledger row of a machine that is to be copied; a template may be anybody's, for nothing is done to it."""
    if not source.is_template:
        return held_claim(source, by=by)
    by.require("vm:write")
    check_lane(source.cluster, by=by)
    check_answers(source.cluster)
    return None


def _environment(source: Guest, wish: Copy, *, by: Actor) -> Environment:
    """The one that is wanted, else that of the source, else the first that is not protected. Raises Invalid."""
    if not wish.environment and source.environment is not None:
        return source.environment
    return environment_for(wish.environment, by=by)


def _check_possible(source: Guest, wish: Copy) -> None:
    """What the last reading says; the job looks again. Raises Invalid, WrongState."""
    if not wish.is_full and not source.is_template:
        raise invalid(
            "full",
            "a linked copy is made of templates only; a machine is copied in full",
            False,
            reason="linked_needs_template",
        )
    if not wish.is_full and wish.storage:
        raise invalid(
            "target_storage", "a linked copy lies where its template does", wish.storage, reason="linked_has_no_storage"
        )
    if wish.is_full and source.kind == "lxc" and source.status == "running":
        raise WrongState(f"{source.name} runs, and a container is copied when it is stopped.", code="GUEST_RUNNING")
    _check_place(source.cluster, wish)


def _check_place(cluster: Cluster, wish: Copy) -> None:
    """Whether there are such a node and such a storage. Raises Invalid."""
    known = dict(cluster.nodes.order_by("name").values_list("name", "is_online"))
    if wish.node and not known.get(wish.node):
        words = "it was not online when the cluster was last read" if wish.node in known else "there is no such node"
        raise invalid("target_node", words, wish.node, reason="node_not_available")
    if wish.storage and not cluster.storages.filter(name=wish.storage).exists():
        raise invalid("target_storage", f"{cluster.name} has no such storage", wish.storage, reason="no_such_storage")


def _steps(source: Guest, held: GuestClaim | None, wish: Copy, claim: GuestClaim) -> list[StepSpec]:
    """See whether and where it can be; copy; give it its own tags; read back. What is 0 is filled in by the first."""
    spec = GuestSpec(
        cluster=claim.cluster_id, owner=claim.owner, key=claim.key, node=source.node, kind=source.kind, name=wish.name,
        cores=0, memory_bytes=0, disk_bytes=0, storage=wish.storage, bridge="", template_vmid=source.vmid,
        template_node=source.node, full_clone=wish.is_full, note=wish.description, running=False,
        pool=Cluster.objects.values_list("pool", flat=True).get(pk=claim.cluster_id),
    )  # fmt: skip
    asked = {
        "source": source.vmid, "source_claim": str(held.pk) if held else "", "full_clone": wish.is_full,
        "target": wish.node, "storage": wish.storage,
    }  # fmt: skip
    tagged = spec.params() | {"tags": [], "exact_tags": source.is_template}
    key, called = claim.key, f"{'container' if source.kind == 'lxc' else 'VM'} {wish.name}"
    return [
        StepSpec(
            "guest.place_clone",
            key,
            f"See whether {source.name or source.vmid} can be copied",
            0,
            1,
            spec.params() | asked,
        ),
        StepSpec("guest.create", key, f"Copy {source.name or source.vmid} as {called}", 1, 6, spec.creation()),
        StepSpec("guest.configure", key, f"Configure {called}", 2, 1, tagged),
        StepSpec("guest.verify", key, f"Check that {called} is like its source", 3, 1, spec.expectation()),
    ]
