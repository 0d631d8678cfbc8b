"""What a token must be allowed for the steps to work, what it should not be allowed, and what it is allowed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from alma.jobs.kinds import Unknown
from vms.models import Cluster
from vms.proxmox.answers import mapping, rows, text, whole
from vms.proxmox.client import Api
from vms.proxmox.cluster import KINDS, guest_rows, read_resources
from vms.proxmox.readings import GuestRow

Held = Mapping[str, Mapping[str, object]]
"""Per path of the access control list, the privileges and whether they propagate."""

ON_GUESTS = {
    "VM.Allocate": "create and delete guests",
    "VM.Audit": "read guests",
    "VM.Config.CDROM": "attach the drive that cloud-init reads",
    "VM.Config.Cloudinit": "set user, keys and address of a new VM",
    "VM.Config.CPU": "set cores",
    "VM.Config.Disk": "make and grow disks",
    "VM.Config.HWType": "choose the disk controller of a new VM",
    "VM.Config.Memory": "set memory",
    "VM.Config.Network": "attach network cards",
    "VM.Config.Options": "set name, tags and description",
    "VM.PowerMgmt": "start and stop guests",
}
ON_REQUEST = {
    "VM.Backup": "back machines up and restore them", "VM.Clone": "copy them", "VM.Console": "open their screens", "VM.Migrate": "move them to other nodes",
    "VM.Snapshot": "take snapshots of them", "VM.Snapshot.Rollback": "go back to snapshots",
}  # fmt: skip
"""What no plan needs, and people may ask of single machines."""
ON_PLACES = (
    ("/sdn", "SDN.Allocate", "make and remove virtual networks"),
    ("/storage", "Datastore.Allocate", "make and remove storages"),
    ("/nodes", "Sys.Modify", "make and remove bridges of nodes"),
)
"""What only networks and storages need that ALMA makes."""
AGENT = "VM.GuestAgent.Audit"
ON_TEMPLATES = {"VM.Audit": "see the template", "VM.Clone": "clone the template"}
ON_STORAGES = {"Datastore.AllocateSpace": "make disks there", "Datastore.Audit": "see how much room there is"}
ON_NODES = {"Sys.Audit": "see how full the node is"}
ON_BRIDGES = {"SDN.Use": "attach network cards to bridges"}
TOO_MUCH = frozenset(
    {"Group.Allocate", "Permissions.Modify", "Realm.Allocate", "Realm.AllocateUser", "Sys.Modify", "User.Modify"}
)
"""With one of these, who has the token has the cluster, or can make an account that has it."""
_MOST_TEMPLATES = 50
_DISKS = frozenset({"images", "rootdir"})


@dataclass(frozen=True)
class Need:
    """A privilege that must be held on one of some paths; the first is the one to name."""

    paths: tuple[str, ...]
    privilege: str
    reason: str


@dataclass
class Findings:
    """What a look at the cluster with this token has shown."""

    version: str = ""
    nodes: list[str] = field(default_factory=list)
    missing: list[dict[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    optional: list[dict[str, str]] = field(default_factory=list)
    """Privileges that are missing too, and without which networks or storages cannot be made."""


def look(api: Api, cluster: Cluster) -> Findings:
    """Ask the cluster what the token may do, and compare. Raises Unknown, Refusal."""
    found = Findings(version=text(mapping(api.get("version"), "version"), "version"))
    held = _held(api)
    found.nodes = sorted(text(row, "node") for row in rows(api.get("nodes"), "nodes"))
    resources = read_resources(api)
    guests = guest_rows(resources)
    storages = {
        text(row, "storage")
        for row in resources
        if row.get("type") == "storage" and _DISKS.intersection(text(row, "content").split(","))
    }
    needs = [
        *_needs(cluster, found.nodes, storages),
        *_template_needs(cluster, resources),
        *agent_needs(cluster, found.version),
    ]
    found.missing = [
        {"path": need.paths[0], "privilege": need.privilege, "reason": need.reason}
        for need in needs
        if not any(allows(held, path, need.privilege) for path in need.paths)
    ]
    found.optional = [
        {"path": path, "privilege": privilege, "reason": reason}
        for path, privilege, reason in ON_PLACES
        if not allows(held, path, privilege)
    ]
    found.warnings = [
        *_excess(held),
        *_not_on_request(cluster, held),
        *_oddities(cluster, found.nodes, storages, guests),
    ]
    return found


def _held(api: Api) -> Held:
    held = mapping(api.get("access", "permissions"), "permissions")
    if not all(isinstance(privileges, dict) for privileges in held.values()):
        raise Unknown("permissions: an object per path was expected.")
    return held


def allows(held: Held, path: str, privilege: str) -> bool:
    """Whether a privilege is held on a path: by the path's own entry, or by the nearest one above it that propagates."""
    if path in held:
        return privilege in held[path]
    above = path
    while above not in {"", "/"}:
        above = above.rpartition("/")[0] or "/"
        if above in held:
            return whole(held[above], privilege) == 1
    return False


def _needs(cluster: Cluster, nodes: Iterable[str], storages: Iterable[str]) -> Iterator[Need]:
    network = "/sdn/zones/localnetwork"
    bridge = f"{network}/{cluster.default_bridge}" if cluster.default_bridge else network
    yield from _all(ON_GUESTS, *_guest_paths(cluster))
    for node in cluster.chosen_nodes or nodes:
        yield from _all(ON_NODES, f"/nodes/{node}")
    for storage in cluster.chosen_storages or sorted(storages) or ("{storage}",):
        yield from _all(ON_STORAGES, f"/storage/{storage}")
    yield from _all(ON_BRIDGES, bridge)


def agent_needs(cluster: Cluster, version: str) -> Iterator[Need]:
    """To see whether a guest is up its agent is asked. Proxmox VE 9 has a privilege for that; 8 had one for all of the
    monitor, and does not know the new name."""
    is_old = version.partition(".")[0] in {"6", "7", "8"}
    asking = {"VM.Monitor" if is_old else AGENT: "ask a machine's guest agent whether it is up"}
    yield from _all(asking, *_guest_paths(cluster))


def _guest_paths(cluster: Cluster) -> tuple[str, ...]:
    return (f"/pool/{cluster.pool}", "/vms") if cluster.pool else ("/vms",)


def _template_needs(cluster: Cluster, resources: Iterable[Mapping[str, object]]) -> Iterator[Need]:
    """A template in the pool is reached through the pool."""
    templates = [row for row in resources if row.get("type") in KINDS and whole(row, "template")]
    for row in templates[:_MOST_TEMPLATES]:
        pools = (f"/pool/{cluster.pool}",) if cluster.pool and row.get("pool") == cluster.pool else ()
        yield from _all(ON_TEMPLATES, f"/vms/{whole(row, 'vmid')}", *pools)


def _all(privileges: Mapping[str, str], *paths: str) -> Iterator[Need]:
    return (Need(paths, privilege, reason) for privilege, reason in privileges.items())


def _excess(held: Held) -> Iterator[str]:
    """Rights with which the token's holder could take the cluster over."""
    found = sorted({privilege for privileges in held.values() for privilege in TOO_MUCH.intersection(privileges)})
    if found:
        yield (
            f"The token may do more than ALMA needs: {', '.join(found)}. Whoever got hold of it could take over the "
            "cluster; make one with the role that the documentation gives."
        )


def _not_on_request(cluster: Cluster, held: Held) -> Iterator[str]:
    """What will be refused when somebody asks for it."""
    paths = _guest_paths(cluster)
    lacks = {name: what for name, what in ON_REQUEST.items() if not any(allows(held, path, name) for path in paths)}
    if lacks:
        yield (
            f"The token lacks {', '.join(lacks)} on {paths[0]}: it cannot {', '.join(lacks.values())}. Deployments do not "
            "need that."
        )


def _oddities(cluster: Cluster, nodes: list[str], storages: set[str], guests: list[GuestRow]) -> Iterator[str]:
    """What was chosen and is not there, and what is there and should not be."""
    for name in cluster.chosen_nodes:
        if name not in nodes:
            yield f"The cluster has no node {name}."
    for name in (*cluster.chosen_storages, *filter(None, [cluster.default_storage])):
        if name not in storages:
            yield f"No storage {name} for disks is visible to the token."
    if not any(row.is_template for row in guests):
        yield "No template is visible: grant VM.Audit and VM.Clone on the templates that guests are made from."
    foreign = [str(row.vmid) for row in guests if _is_intruder(row, cluster)]
    if foreign:
        some = ", ".join(foreign[:5])
        yield f"{len(foreign)} guests of others have numbers of ALMA's range ({some}); they are left alone."


def _is_intruder(row: GuestRow, cluster: Cluster) -> bool:
    """Whether a guest that ALMA did not make has a number that is kept for ALMA."""
    is_within = cluster.vmid_first <= row.vmid <= cluster.vmid_last
    return is_within and not row.is_template and "alma" not in row.tags.split(";")
