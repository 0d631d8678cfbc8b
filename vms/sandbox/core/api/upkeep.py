"""What monitoring asks of a cluster's upkeep: guests without a backup job, subscriptions."""

from vms.sandbox.core import permissions
from vms.sandbox.core.api.jobs import backed_up
from vms.sandbox.core.api.tables import NODE
from vms.sandbox.core.model import Json
from vms.sandbox.core.routing import USER, Call, Routes, holder

routes = Routes()


@routes.route("GET", "/cluster/backup-info/not-backed-up", {}, holder("/", "Sys.Audit"))
def not_backed_up(call: Call) -> Json:
    """The guests that no backup job saves."""
    saved = backed_up(call.world)
    return [
        {"vmid": guest.vmid, "type": guest.kind, "name": guest.name}
        for guest in call.world.state.guests
        if guest.vmid not in saved and permissions.may(call.world, call.identity, f"/vms/{guest.vmid}", "VM.Audit")
    ]


@routes.route("GET", "/nodes/{node}/subscription", NODE, USER)
def subscription(call: Call) -> Json:
    """A node without a key, as most sandboxes of people are."""
    return {
        "status": "notfound", "message": "There is no subscription key", "serverid": f"{_number_of(call.node):032X}",
        "url": "https://www.proxmox.com/en/proxmox-virtual-environment/pricing",
    }  # fmt: skip


def _number_of(name: str) -> int:
    """A number that belongs to a name for ever."""
    return int.from_bytes(name.encode()[:16].ljust(16, b"\0"))
