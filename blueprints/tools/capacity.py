"""calculate_capacity: how many machines of a size still fit, with a node in reserve, and when the room ends at today's growth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import BaseModel, Field

from alma.accounts.actors import Actor
from alma.errors import BadRequest, NotFound
from blueprints.schema import expand
from blueprints.schema.sizes import parse_size
from blueprints.sentences import amount, term
from blueprints.tools.forecasting import Outlook, outlook_of
from blueprints.tools.register import Result, tool
from blueprints.tools.rounding import in_words
from blueprints.tools.subjects import MACHINE_READ, OfBlueprint, document_if_any
from vms.capacity import ClusterRoom, NodeRoom, rooms
from vms.models import Cluster

GIB = 1024**3


class CapacityArguments(OfBlueprint):
    """Machines of which size, where. Of a blueprint it is the mean of its machines."""

    cpu: Annotated[int, Field(ge=1, le=512, description="Cores of one machine")] | None = None
    memory: Annotated[str, Field(max_length=20, description="Memory of one machine, such as 4GB")] | None = None
    disk: Annotated[str, Field(max_length=20, description="Disk of one machine, such as 40GB")] | None = None
    cluster: Annotated[str, Field(max_length=50, description="Slug of a cluster; all without one")] | None = None
    cpu_overcommit: Annotated[
        float, Field(ge=1, le=16, description="Cores that are promised for each core that is there")
    ] = 4.0
    memory_reserve: Annotated[float, Field(ge=0, le=0.9, description="Share of each node's memory that stays free")] = (
        0.1
    )
    spare_nodes: Annotated[int, Field(ge=0, le=16, description="Nodes whose machines must find room on the others")] = 1


class NodeCapacity(BaseModel):
    """One node."""

    node: str
    cores: int
    cores_promised: int
    memory_gb: float
    memory_promised_gb: float
    machines: int


class ClusterCapacity(BaseModel):
    """One cluster: `machines` fit while the spare nodes are kept free."""

    cluster: str
    machines: int
    machines_without_reserve: int
    limited_by: str
    nodes: list[NodeCapacity]
    outlook: list[Outlook]


class CapacityResult(Result):
    """How many fit."""

    machines: int
    machine_cpu: int
    machine_memory_gb: float
    machine_disk_gb: float
    clusters: list[ClusterCapacity]


@dataclass(frozen=True)
class _Size:
    cores: int
    memory: int
    disk: int


@tool(
    "calculate_capacity", "Capacity",
    "How many more machines of a size, or of a blueprint's mean size, fit on the clusters as they were last read, with nodes "
    "kept free for a failure, what limits them, and when cores, memory and storage run out at the growth of the kept metrics.",
    example={"cpu": 4, "memory": "8GB", "disk": "100GB", "spare_nodes": 1},
    rights=(MACHINE_READ,),
)  # fmt: skip
def calculate_capacity(arguments: CapacityArguments, by: Actor) -> CapacityResult:
    """Raises NotFound, Refused, BadRequest."""
    size, said = _size(arguments, by)
    clusters = list(Cluster.objects.visible_to(by).filter(is_enabled=True).order_by("slug"))
    if arguments.cluster is not None:
        clusters = [one for one in clusters if one.slug == arguments.cluster]
    if not clusters:
        raise NotFound(f"There is no cluster {arguments.cluster or 'yet'}.", code="CLUSTER_NOT_FOUND")
    rows = [_capacity(room, size, arguments) for room in rooms(clusters)]
    total = sum(row.machines for row in rows)
    summary = ngettext("%(count)s more machine of %(size)s fits.", "%(count)s more machines of %(size)s fit.", total)
    return CapacityResult(
        summary=f"{summary % {'count': total, 'size': _shown(size)}}{_ending(rows)}",
        assumptions=[
            said, f"{arguments.cpu_overcommit:g} cores are promised for each core, {100 * arguments.memory_reserve:g} % of the memory stays "
            f"free, memory is not promised twice; stopped machines count as if they ran.",
            _spared(arguments.spare_nodes),
            "Disks lie on the storage with most room: the node's own, or the shared one where it has more.",
        ],
        machines=total, machine_cpu=size.cores, machine_memory_gb=size.memory / GIB, machine_disk_gb=size.disk / GIB, clusters=rows,
    )  # fmt: skip


def _ending(rows: Sequence[ClusterCapacity]) -> str:
    """What is used up first, and when, as far as it can be foreseen."""
    known = [(one.full_at, one.metric, row.cluster) for row in rows for one in row.outlook if one.full_at]
    if not known:
        return ""
    at, metric, cluster = min(known)
    values = {"metric": term(metric), "cluster": cluster, "day": f"{at:%Y-%m-%d}"}
    return " " + _("90 %% of %(metric)s of %(cluster)s are reached on %(day)s.") % values


def _shown(size: _Size) -> str:
    cores = ngettext("%(count)s core", "%(count)s cores", size.cores) % {"count": size.cores}
    memory, disk = (
        amount("memory", f"{in_words(size.memory / GIB)} GB"),
        amount("disk", f"{in_words(size.disk / GIB)} GB"),
    )
    return _("%(most)s and %(last)s") % {"most": f"{cores}, {memory}", "last": disk}


def _size(arguments: CapacityArguments, by: Actor) -> tuple[_Size, str]:
    document = document_if_any(arguments, by)
    usual, said = _Size(2, 4 * GIB, 40 * GIB), _left_out(arguments)
    if document is not None:
        machines = expand(document).machines
        if not machines:
            raise BadRequest("This blueprint has no machines.", code="NO_MACHINES")
        number = len(machines)
        cores = max(1, round(sum(m.cores * m.sockets for m in machines) / number))
        disk = sum(m.disk_bytes + sum(d.size_bytes for d in m.data_disks) for m in machines) // number
        usual = _Size(cores, sum(m.memory_bytes for m in machines) // number, disk)
        said = f"The size is the mean of the {number} machines of {document.name}."
    return _Size(
        arguments.cpu or usual.cores,
        _bytes("memory", arguments.memory, usual.memory),
        _bytes("disk", arguments.disk, usual.disk),
    ), said


def _left_out(arguments: CapacityArguments) -> str:
    """What of the size nobody gave."""
    usual = {"cpu": "2 cores", "memory": "4 GB of memory", "disk": "40 GB of disk"}
    left = [words for name, words in usual.items() if getattr(arguments, name) is None]
    return f"Left out of the size, so taken: {', '.join(left)}." if left else "The size is as it was given."


def _spared(nodes: int) -> str:
    if not nodes:
        return "No node is kept free for a failure."
    which = "The largest node" if nodes == 1 else f"The {nodes} largest nodes"
    return f"{which} of each cluster stay{'s' if nodes == 1 else ''} free for a failure, where there are more."


def _bytes(name: str, text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    try:
        found = parse_size(text)
    except ValueError as error:
        raise BadRequest(f"Field {name}: {error}.", code="VALIDATION_ERROR") from error
    if found <= 0:
        raise BadRequest(f"Field {name}: must be more than nothing.", code="VALIDATION_ERROR")
    return found


def _capacity(room: ClusterRoom, size: _Size, arguments: CapacityArguments) -> ClusterCapacity:
    how = {"overcommit": arguments.cpu_overcommit, "reserve": arguments.memory_reserve}
    counts = [node.fits(size.cores, size.memory, **how) for node in room.nodes]
    whole = _with_disk(room, counts, size)
    spare = min(arguments.spare_nodes, max(0, len(room.nodes) - 1))
    reserved = min(whole, room.fits_without(spare, size.cores, size.memory, **how)) if spare else whole
    limit = "the reserve for a failure" if reserved < whole else "storage" if whole < sum(counts) else "cores or memory"
    return ClusterCapacity(
        cluster=room.cluster.slug, machines=reserved, machines_without_reserve=whole, limited_by=limit,
        nodes=[_node(node, number) for node, number in zip(room.nodes, counts, strict=True)],
        outlook=[outlook_of(room.cluster, metric) for metric in ("cpu", "memory", "storage")],
    )  # fmt: skip


def _with_disk(room: ClusterRoom, counts: list[int], size: _Size) -> int:
    """No more than disks have room for: each node's own storage, and the shared one for the rest."""
    local = [min(number, node.local_free // size.disk) for node, number in zip(room.nodes, counts, strict=True)]
    rest = sum(counts) - sum(local)
    return sum(local) + min(rest, room.shared_free // size.disk)


def _node(node: NodeRoom, number: int) -> NodeCapacity:
    return NodeCapacity(
        node=node.node, cores=node.cores, cores_promised=node.cores_promised, memory_gb=round(node.memory_bytes / GIB, 2),
        memory_promised_gb=round(node.memory_promised / GIB, 2), machines=number,
    )  # fmt: skip
