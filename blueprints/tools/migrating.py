"""migrate_infrastructure: from one inventory to another: where each machine would go, how, in which waves, and for how long.

Machines are placed the largest first (by memory), each on the node of the target that has most memory left and room for its cores
and disk. A wave holds what can be copied in a few hours at the rate that is stated; what is tagged alike stays together.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints, model_validator

from alma.accounts.actors import Actor
from alma.errors import BadRequest, NotFound
from blueprints.schema.sizes import parse_size
from blueprints.tools.register import Arguments, Result, tool
from blueprints.tools.rounding import counted, in_words
from blueprints.tools.subjects import MACHINE_READ, MachineIds, guests_of, plain
from vms.capacity import ClusterRoom, rooms
from vms.machines import public_id
from vms.models import Cluster, Guest

GIB = 1024**3
MOST = 500
Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Size = Annotated[str, Field(max_length=20, description="Such as 8GB")]


class SourceMachine(Arguments):
    """A machine of an inventory that ALMA does not see, such as one of VMware."""

    name: Name
    cpu: Annotated[int, Field(ge=1, le=512)] = 2
    memory: Size = "4GB"
    disk: Size = "40GB"
    group: Annotated[str, Field(max_length=100, description="What moves together")] = ""
    is_running: bool = True


class MigrateArguments(Arguments):
    """From where, and where to."""

    source_cluster: Annotated[str, Field(max_length=50, description="Slug of the cluster that is left")] | None = None
    vm_ids: MachineIds = Field(default_factory=list)
    inventory: Annotated[list[SourceMachine], Field(max_length=MOST, description="Machines from elsewhere")] = Field(
        default_factory=list
    )
    target_cluster: Annotated[str, Field(max_length=50, description="Slug of the cluster that takes them")]
    megabytes_per_second: Annotated[float, Field(gt=0, le=100_000, description="Rate of the copy")] = 100.0
    wave_hours: Annotated[float, Field(gt=0, le=168, description="How long one wave may take")] = 4.0
    cpu_overcommit: Annotated[float, Field(ge=1, le=16)] = 4.0
    memory_reserve: Annotated[float, Field(ge=0, le=0.9)] = 0.1

    @model_validator(mode="after")
    def _from_somewhere(self) -> "MigrateArguments":
        if not (self.source_cluster or self.vm_ids or self.inventory):
            raise ValueError("give source_cluster, vm_ids or inventory")
        if self.source_cluster == self.target_cluster:
            raise ValueError("the source is the target; choose another cluster")
        return self


class Move(BaseModel):
    """One machine."""

    machine: str
    group: str
    cpu: int
    memory_gb: float
    disk_gb: float
    node: str | None = Field(description="Of the target; null where it fits nowhere")
    method: Literal["backup_and_restore", "import"]
    downtime_minutes: float
    copy_minutes: float
    reason: str


class Wave(BaseModel):
    """What goes together."""

    number: int
    machines: list[str]
    data_gb: float
    minutes: float


class MigrateResult(Result):
    """The whole migration. Nothing is moved."""

    feasible: bool
    target: str
    moves: list[Move]
    waves: list[Wave]
    data_gb: float
    total_hours: float
    problems: list[str]
    next_steps: list[str]


@dataclass(frozen=True)
class _Machine:
    name: str
    cores: int
    memory: int
    disk: int
    group: str
    is_running: bool
    kind: str = "vm"
    is_ours: bool = True


@dataclass
class _Bin:
    """What is left of a node of the target, in cores, bytes of memory and of its own disks."""

    node: str
    cores: float
    memory: float
    disk: int


@dataclass
class _Target:
    """The target with what was placed on it so far."""

    bins: list[_Bin]
    shared: int
    moved: list[Move] = field(default_factory=list)

    def place(self, machine: _Machine) -> tuple[str | None, str]:
        """The node that has most memory left and room for it; else why there is none."""
        for one in sorted(self.bins, key=lambda row: (-row.memory, row.node)):
            has_disk = max(one.disk, self.shared) >= machine.disk
            if machine.memory <= one.memory and machine.cores <= one.cores and has_disk:
                return one.node, self._take(one, machine)
        most = max((one.memory for one in self.bins), default=0) / GIB
        left = f"{most:.1f} GB is the most memory left" if most >= 0.05 else "no memory is left"
        wanted = f"{counted(machine.cores, 'core')}, {in_words(machine.memory / GIB)} GB of memory"
        return None, f"no node has {wanted} and {in_words(machine.disk / GIB)} GB of disk; {left}"

    def _take(self, one: _Bin, machine: _Machine) -> str:
        one.memory -= machine.memory
        one.cores -= machine.cores
        if one.disk >= machine.disk:
            one.disk -= machine.disk
            where = "its own storage"
        else:
            self.shared -= machine.disk
            where = "the shared storage"
        return f"{one.node} had most memory left; {one.memory / GIB:.1f} GB stay. Its disks lie on {where}."


@tool(
    "migrate_infrastructure", "Migration plan",
    "Plan a migration from one inventory (a cluster, chosen machines, or a list from elsewhere such as VMware) to a cluster: "
    "placement, method, downtime, waves and duration at a stated rate, and what stands in the way. Nothing is moved.",
    example={"inventory": [{"name": "mail", "cpu": 4, "memory": "8GB", "disk": "200GB"}], "target_cluster": "main"},
    rights=(MACHINE_READ,),
)  # fmt: skip
def migrate_infrastructure(arguments: MigrateArguments, by: Actor) -> MigrateResult:
    """Raises NotFound, Refused, BadRequest."""
    target = _cluster(arguments.target_cluster, by)
    machines = sorted(_inventory(arguments, by), key=lambda one: (-one.memory, one.name))
    if not machines:
        raise BadRequest("The source has no machines.", code="NO_MACHINES")
    plan = _target(rooms([target])[0], arguments)
    moves = [_move(machine, plan, arguments.megabytes_per_second) for machine in machines]
    waves = list(_waves(moves, arguments.wave_hours * 60))
    problems = [f"{move.machine}: {move.reason}." for move in moves if move.node is None]
    return MigrateResult(
        summary=_summary(moves, waves, target.name),
        assumptions=[*_notes(arguments), *_long(waves, arguments.wave_hours)], feasible=not problems, target=target.slug, moves=moves, waves=waves, data_gb=round(sum(move.disk_gb for move in moves), 2),
        total_hours=round(sum(wave.minutes for wave in waves) / 60, 2), problems=problems, next_steps=_next(problems),
    )  # fmt: skip


def _cluster(slug: str, by: Actor) -> Cluster:
    found = Cluster.objects.visible_to(by).filter(slug=slug, is_enabled=True).first()
    if found is None:
        raise NotFound(f"There is no cluster {slug[:50]}.", code="CLUSTER_NOT_FOUND")
    return found


def _inventory(arguments: MigrateArguments, by: Actor) -> Iterator[_Machine]:
    guests = guests_of(arguments.vm_ids, by) if arguments.vm_ids else []
    if arguments.source_cluster:
        source = _cluster(arguments.source_cluster, by)
        guests += list(Guest.objects.visible_to(by).machines().filter(cluster=source)[: MOST + 1])
    if len(guests) > MOST:
        raise BadRequest(f"A plan holds at most {MOST} machines; name some.", code="TOO_MANY_MACHINES")
    for guest in {guest.pk: guest for guest in guests if guest.cluster.slug != arguments.target_cluster}.values():
        tags = [tag for tag in guest.tag_list if tag != "alma"]
        name = f"{public_id(guest)} {plain(guest.name, 60)}".strip()
        yield _Machine(
            name,
            guest.cores or 1,
            guest.memory_bytes,
            guest.disk_bytes,
            tags[0] if tags else "",
            guest.status == "running",
            guest.kind,
        )
    for row in arguments.inventory:
        yield _Machine(
            plain(row.name, 100),
            row.cpu,
            _bytes(row.memory),
            _bytes(row.disk),
            plain(row.group, 100),
            row.is_running,
            is_ours=False,
        )


def _bytes(text: str) -> int:
    try:
        return parse_size(text)
    except ValueError as error:
        raise BadRequest(f"Field inventory: {error}.", code="VALIDATION_ERROR") from error


def _target(room: ClusterRoom, arguments: MigrateArguments) -> _Target:
    bins = [
        _Bin(
            node.node, node.cores * arguments.cpu_overcommit - node.cores_promised,
            node.memory_bytes * (1 - arguments.memory_reserve) - node.memory_promised, node.local_free,
        )
        for node in room.nodes
    ]  # fmt: skip
    return _Target(bins, room.shared_free)


def _move(machine: _Machine, target: _Target, rate: float) -> Move:
    node, reason = target.place(machine)
    minutes = machine.disk / 1024**2 / rate / 60
    return Move(
        machine=machine.name, group=machine.group, cpu=machine.cores, memory_gb=round(machine.memory / GIB, 2),
        disk_gb=round(machine.disk / GIB, 2), node=node, method="backup_and_restore" if machine.is_ours else "import",
        downtime_minutes=round(minutes, 1) if machine.is_running else 0.0, copy_minutes=round(minutes, 1), reason=reason,
    )  # fmt: skip


def _summary(moves: list[Move], waves: list[Wave], target: str) -> str:
    found, machines = sum(move.node is not None for move in moves), counted(len(moves), "machine")
    if not found:
        return f"No room on {target} for {machines}: nothing can be copied."
    hours = counted(sum(wave.minutes for wave in waves) / 60, "hour", places=1)
    copied = f"{in_words(sum(wave.data_gb for wave in waves))} GB in {counted(len(waves), 'wave')}, {hours} of copying."
    return f"{found} of {machines} find{'s' if found == 1 else ''} room on {target}; {copied}"


def _waves(moves: list[Move], longest: float) -> Iterator[Wave]:
    """In turn, small groups first, so that the first wave proves the way; a group is not torn apart."""
    groups: dict[str, list[Move]] = {}
    for move in moves:
        if move.node is not None:
            groups.setdefault(move.group or move.machine, []).append(move)
    number, wave = 1, list[Move]()
    for group in sorted(groups.values(), key=lambda rows: (sum(row.copy_minutes for row in rows), rows[0].machine)):
        if wave and sum(row.copy_minutes for row in (*wave, *group)) > longest:
            yield _wave(number, wave)
            number, wave = number + 1, []
        wave += group
    if wave:
        yield _wave(number, wave)


def _wave(number: int, rows: list[Move]) -> Wave:
    return Wave(
        number=number, machines=[row.machine for row in rows], data_gb=round(sum(row.disk_gb for row in rows), 2),
        minutes=round(sum(row.copy_minutes for row in rows), 1),
    )  # fmt: skip


def _notes(arguments: MigrateArguments) -> list[str]:
    return [
        f"Copies run one after the other at {in_words(arguments.megabytes_per_second)} MB a second; a machine is down while its disks are copied.",
        "Between clusters a machine is backed up and restored; one from elsewhere is imported. Live migration is within a cluster only.",
        f"{arguments.cpu_overcommit:g} cores are promised for each core, {100 * arguments.memory_reserve:g} % of the memory of each node stays free.",
        "Disks count with their full size. Networks and addresses have to be there on the target before.",
    ]


def _long(waves: list[Wave], hours: float) -> list[str]:
    """A group is not torn apart, so that a wave may take longer than was asked."""
    return [
        f"Wave {wave.number} takes {counted(wave.minutes / 60, 'hour', places=1)} and not {hours:g}: {wave.machines[0]} and what belongs to it are copied in one piece."
        for wave in waves if wave.minutes > hours * 60
    ]  # fmt: skip


def _next(problems: list[str]) -> list[str]:
    first = ["Make room on the target, or choose another one."] if problems else []
    return [
        *first,
        "Back up each machine of a wave: POST /v1/backups.",
        "Restore it on the target, see it run, and only then delete the source by an IPR.",
    ]
