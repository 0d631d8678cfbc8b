"""Moving a machine to another node of its cluster."""

from dataclasses import dataclass
from typing import Any

from alma.accounts.actors import Actor
from alma.errors import WrongState
from alma.jobs.models import Job
from vms.models import Guest
from vms.operations import rows
from vms.operations.jobs import begin, step
from vms.operations.kinds import MachineKind, read_back
from vms.operations.reaching import begins_work
from vms.operations.rights import held_claim
from vms.refusing import invalid


@dataclass(frozen=True, kw_only=True)
class Move:
    """Where to, and how. A machine that runs is moved as it runs if `is_online`; a container has to stop for it and runs
    afterwards, which `may_restart` allows. `takes_disks`: disks that only its node sees go along with a machine that runs,
    to `storage` or to one of the same name."""

    node: str
    is_online: bool = True
    may_restart: bool = False
    takes_disks: bool = False
    storage: str = ""

    def params(self) -> dict[str, Any]:
        """The parameters of the step."""
        return {
            "target": self.node, "online": self.is_online, "restart": self.may_restart, "local_disks": self.takes_disks,
            "storage": self.storage,
        }  # fmt: skip


class MigrationKind(MachineKind):
    """A job at whose end the machine is on another node, or where it was."""

    def show(self, job: Job) -> dict[str, Any]:
        """Its row names the node at once."""
        guest, seen = rows.held(job), read_back(job)
        if guest is not None and seen and seen["node"] != guest.node:
            was = guest.node
            rows.note(guest, node=seen["node"])
            rows.tell(guest, job, "vm.moved", was=was)
        return super().show(job)


@begins_work
def migrate(guest: Guest, move: Move, *, by: Actor) -> Job:
    """Move a machine; one that is there already is left as it is. Raises Refused, WrongState, Unavailable, and Invalid for a
    node that is unknown, away, or not among those that ALMA may use."""
    claim = held_claim(guest, by=by)
    _check_node(guest, move.node)
    _check_power(guest, move)
    steps = [step("guest.migrate", guest, claim, "Move", **move.params())]
    return begin("vm_migration", guest, claim, steps, by=by, verb="migrate", status="migrating")


def _check_node(guest: Guest, name: str) -> None:
    cluster = guest.cluster
    known = dict(cluster.nodes.order_by("name").values_list("name", "is_online"))
    if name not in known:
        raise invalid(
            "target_node",
            f"{cluster.name} has no such node (there are: {', '.join(known) or 'none'})",
            name,
            reason="no_such_node",
        )
    if cluster.chosen_nodes and name not in cluster.chosen_nodes:
        raise invalid(
            "target_node",
            f"it is not among the nodes that ALMA may use ({', '.join(cluster.chosen_nodes)})",
            name,
            reason="node_not_allowed",
        )
    if not known[name]:
        raise invalid(
            "target_node", "it was not online when the cluster was last read", name, reason="node_not_available"
        )


def _check_power(guest: Guest, move: Move) -> None:
    """By the last reading; the job looks again. Raises WrongState."""
    is_machine = guest.kind == "vm"
    if guest.status != "running" or guest.node == move.node or (move.is_online if is_machine else move.may_restart):
        return
    how = "move it online" if is_machine else "allow a restart, for a container is stopped for a move"
    raise WrongState(f"{guest.name or guest.vmid} runs: {how}, or stop it first.", code="GUEST_RUNNING")
