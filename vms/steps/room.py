"""Seeing, right before a machine grows, that its node can start it afterwards."""

from alma.jobs.kinds import StepFailed, Wait
from vms.proxmox.cluster import guest_rows, node_rows, read_resources
from vms.room import Growth, Room, lacking
from vms.steps.base import GuestStep
from vms.steps.work import Work


class CheckRoom(GuestStep):
    """Read the node that the machine is on now. Parameters beside the common ones, both optional: `cores`, `memory_bytes`."""

    def turn(self, work: Work) -> None:
        """Compare; nothing is changed. Raises Wait while the node is not online, StepFailed when there is no room."""
        reading = work.ours(work.own_claim())
        resources = read_resources(work.api)
        node = next((row for row in node_rows(resources) if row.name == reading.node and row.is_online), None)
        if node is None:
            work.tell_once(f"Waiting: {reading.node} is not online.")
            raise Wait
        taken = sum(row.memory_used for row in guest_rows(resources) if row.vmid == reading.vmid)
        room = Room(
            node=node.name, cores=node.cores, memory_bytes=node.memory_bytes, memory_used=node.memory_used, taken=taken
        )  # fmt: skip
        growth = Growth(
            kind=reading.kind, cores=reading.cores, memory_bytes=reading.memory_bytes,
            wanted_cores=work.params.get("cores"), wanted_memory=work.params.get("memory_bytes"),
        )  # fmt: skip
        found = lacking(growth, room)
        if found is not None:
            raise StepFailed("NO_ROOM", f"Nothing was changed: {found[1]}.")
        work.context.succeed(node_read=node.name, free_bytes=room.free, cores_of_node=room.cores)
