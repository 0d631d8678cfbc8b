"""Compares what is wanted with what is owned, guest by guest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from alma.jobs.services import StepSpec
from blueprints.schema import BlueprintDocument, Machine, expand, types
from iprs.planner import fittings
from iprs.planner.draft import Draft, Item, change
from iprs.planner.facts import facts_of, pick
from iprs.planner.placement import Place, Placer
from iprs.planner.safety import Safety, lost_with
from iprs.planner.sources import Source, source_of
from iprs.planner.waiting import Awaiting, depths_of
from vms.services import (
    LEVELS,
    ClusterReading,
    GuestReading,
    GuestRef,
    GuestSpec,
    OwnedGuest,
    create_steps,
    delete_steps,
    update_steps,
)

MIB = 1024**2
FIRST_LEVEL = 10
"""Levels below are for what a deployment does before it touches anything."""


@dataclass(frozen=True)
class Target:
    """Where the plan is for, and what is known of the guests it made before."""

    cluster_id: int
    owner: str
    tags: tuple[str, ...] = ()
    note: str = ""
    default_storage: str = ""
    default_bridge: str = ""
    pool: str = ""
    chosen_nodes: tuple[str, ...] = ()
    chosen_storages: tuple[str, ...] = ()
    ready_seconds: int = 180
    """How long a machine that others need may take until it is up."""
    safety_snapshot: str = ""
    """The name of a snapshot that is taken of each guest before it is changed; empty for none."""
    made_from: Mapping[str, str] = field(default_factory=dict)
    """Per key, what an owned guest was made from, as its plan said."""


def draft_plan(
    document: BlueprintDocument, reading: ClusterReading, owned: Iterable[OwnedGuest], target: Target
) -> Draft:
    """The plan that makes the owned guests what the document says, and touches no other."""
    return _Drafting(document, reading, {guest.key: guest for guest in owned}, target).draft()


class _Drafting:
    """One planning, with what it has decided so far."""

    def __init__(
        self, document: BlueprintDocument, reading: ClusterReading, owned: dict[str, OwnedGuest], target: Target
    ) -> None:
        self.expansion = expand(document)
        self.reading = reading
        self.owned = owned
        self.target = target
        self.facts = facts_of(reading, owned.values())
        self.placer = Placer(
            reading, target.default_storage, target.default_bridge, target.chosen_nodes, target.chosen_storages
        )
        self.problems: list[str] = []
        self.remarks: list[str] = []
        for other in self.expansion.unsupported:
            known = types.OTHER_TYPES.get(types.normal(other.type))
            (self.remarks if known else self.problems).append(f"{other.resource}: {other.message}")

    def draft(self) -> Draft:
        machines = {machine.key: machine for machine in self.expansion.machines}
        depths = depths_of(machines)
        items = [item for key, m in machines.items() if (item := self._item(m, self._level(depths[key])))]
        awaiting = Awaiting(machines, self.target.cluster_id, self.target.owner, self.target.ready_seconds)
        items = awaiting.added(items, self.target.made_from)
        last = self._level(max(depths.values(), default=-1) + 1)
        gone = [guest for key, guest in sorted(self.owned.items()) if key not in machines]
        items += [item for guest in gone if (item := self._delete(guest, last))]
        for machine in machines.values():
            self._note_gaps(machine)
        return Draft(tuple(items), tuple(self.problems), tuple(dict.fromkeys(self.remarks)))

    @staticmethod
    def _level(depth: int) -> int:
        return FIRST_LEVEL + depth * 2 * LEVELS

    def _item(self, machine: Machine, level: int) -> Item | None:
        guest = self.owned.get(machine.key)
        if guest is None or guest.reading is None or guest.state == "reserved":
            return self._create(machine, level, guest)
        if not guest.is_ours:
            self.problems.append(f"{machine.key}: VMID {guest.vmid} no longer carries ALMA's mark; it is not touched.")
            return None
        return self._compare(machine, guest, level)

    # -- making ------------------------------------------------------------------------------------

    def _create(self, machine: Machine, level: int, guest: OwnedGuest | None) -> Item | None:
        source = source_of(machine, self.reading)
        place = self._place(machine, source)
        if place is None:
            return None
        spec = self._spec(machine, source, place)
        if guest is not None and guest.reading is None:
            self.remarks.append(f"{machine.key} existed as VMID {guest.vmid} and is gone from the cluster.")
        return Item(
            "create", machine.key, machine.kind, place.node,
            changes=tuple(self._wanted(machine, source, spec)), reasons=(place.reason,),
            depends_on=machine.depends_on, facts=self._facts(machine, source, place),
            steps=tuple(create_steps(spec, level)),
        )  # fmt: skip

    def _place(self, machine: Machine, source: Source) -> Place | None:
        if source.problem:
            self.problems.append(source.problem)
            return None
        self.remarks += [source.remark] if source.remark else []
        self._note_fittings(machine)
        place = self.placer.place(machine, holders=source.holders, is_shared=source.is_shared)
        if isinstance(place, str):
            self.problems.append(place)
            return None
        return place

    def _facts(self, machine: Machine, source: Source, place: Place) -> dict[str, str]:
        names = [f"guest/{machine.key}", f"node/{place.node}", f"storage/{place.node}/{place.storage}"]
        names += [f"storage/{place.node}/{disk.storage}" for disk in machine.data_disks if disk.storage]
        return pick(self.facts, *names, *([source.fact] if source.fact else []))

    def _spec(self, machine: Machine, source: Source, place: Place, now: GuestReading | None = None) -> GuestSpec:
        cards = fittings.cards_of(machine, place.bridges, now)
        template = source.template
        return GuestSpec(
            cluster=self.target.cluster_id, owner=self.target.owner, key=machine.key, node=place.node,
            kind=machine.kind, name=machine.key, cores=machine.cores, memory_bytes=machine.memory_mib * MIB,
            disk_bytes=_disk(machine, source), storage=place.storage, bridge=cards[0].bridge, vlan=cards[0].vlan,
            template_vmid=template.vmid if template else None, template_node=template.node if template else "",
            ostemplate=source.ostemplate.volid if source.ostemplate else "",
            tags=tuple(sorted({*self.target.tags, *machine.tags})), cloud_init=fittings.cloud_init_of(machine),
            note=self.target.note, pool=self.target.pool, running=machine.start, cards=cards,
            volumes=fittings.volumes_of(machine, place.storage, now),
        )  # fmt: skip

    def _wanted(self, machine: Machine, source: Source, spec: GuestSpec) -> list[dict[str, object]]:
        causes = machine.causes
        rows = [
            change("image", None, source.label, source.cause),
            change("cores", None, spec.cores, causes.get("cores", "default")),
            change("memory", None, spec.memory_bytes, causes.get("memory_bytes", "default")),
            change("disk", None, spec.disk_bytes, self._disk_cause(machine, spec)),
            change("storage", None, spec.storage, "specs.storage" if machine.storage_pool else "placement"),
            *fittings.new_rows(machine, spec.volumes, spec.cards, spec.storage),
            change("power", None, "running" if spec.running else "stopped", causes.get("start", "default")),
        ]
        if machine.user:
            rows.append(change("user", None, machine.user, causes.get("user", "default")))
        return rows

    @staticmethod
    def _disk_cause(machine: Machine, spec: GuestSpec) -> str:
        return machine.causes.get("disk_bytes", "default") if spec.disk_bytes == _up(machine.disk_bytes) else "template"

    # -- changing ----------------------------------------------------------------------------------

    def _compare(self, machine: Machine, guest: OwnedGuest, level: int) -> Item | None:
        source = source_of(machine, self.reading)
        was = self.target.made_from.get(machine.key, "")
        is_other_system = machine.image is not None and was and source.label != was and not source.problem
        if guest.kind != machine.kind or is_other_system:
            return self._replace(machine, guest, level, was or guest.kind)
        return self._update(machine, guest, source, level)

    def _replace(self, machine: Machine, guest: OwnedGuest, level: int, was: str) -> Item | None:
        source = source_of(machine, self.reading)
        place = self._place(machine, source)
        if place is None:
            return None
        spec = self._spec(machine, source, place)
        steps: list[StepSpec] = [*delete_steps(self._ref(guest), level), *create_steps(spec, level + LEVELS)]
        self.remarks += lost_with(self.target.safety_snapshot, machine.key)
        rows = self._wanted(machine, source, spec)
        rows[0] = change("image", was, source.label, source.cause)
        rows = fittings.replaced_rows(rows, guest.reading) if guest.reading else rows
        return Item(
            "replace", machine.key, machine.kind, place.node, guest.vmid, tuple(rows), True,
            (f"A guest made from {was} cannot become {source.label}: it is deleted and made anew.", place.reason),
            machine.depends_on, self._facts(machine, source, place), tuple(steps),
        )  # fmt: skip

    def _update(self, machine: Machine, guest: OwnedGuest, source: Source, level: int) -> Item:
        assert guest.reading is not None
        now = guest.reading
        storage = machine.storage_pool or str(now.config.get(now.disk, "")).partition(":")[0]
        bridges = self.placer.bridges(guest.node, machine)
        spec = self._spec(machine, source, Place(guest.node, storage, bridges, ""), now)
        spec = _with_disk(spec, max(spec.disk_bytes, now.disk_bytes))
        rows = self._differences(machine, guest, source)
        rows += fittings.changed_rows(machine, spec.volumes, spec.cards, storage, now)
        self._note_fittings(machine, now)
        needs = fittings.room_needed(spec, now)
        short = self.placer.grow(now, needs, lies_on=fittings.storages_of(now))
        self.problems += [f"{machine.key} cannot grow: {refusal}." for refusal in short]
        for bridge in self.placer.absent_bridges(guest.node, machine):
            self.problems.append(f"{machine.key}: {guest.node} has no bridge {bridge}.")
        reasons = fittings.restart_reasons(rows, spec.cards, now)
        safety = Safety.of(self.target.safety_snapshot, rows)
        how: dict[str, Any] = {
            "restart": bool(reasons),
            "can_reboot": fittings.can_reboot(spec, now),
            "safety_snapshot": safety.name,
        }
        self.remarks += safety.remarks(machine.key, now, self.reading.storages)
        places = [f"node/{guest.node}", *(f"storage/{guest.node}/{name}" for name in sorted(needs))]
        return Item(
            "update" if rows else "noop", machine.key, machine.kind, guest.node, guest.vmid, tuple(rows), bool(reasons),
            (*reasons, *safety.reasons), machine.depends_on, pick(self.facts, f"guest/{machine.key}", *places),
            tuple(update_steps(spec, level, **how)) if rows else (),
        )  # fmt: skip

    def _differences(self, machine: Machine, guest: OwnedGuest, source: Source) -> list[dict[str, object]]:
        now = guest.reading
        assert now is not None
        wanted_disk, causes = _disk(machine, source), machine.causes
        if _up(machine.disk_bytes) < now.disk_bytes != wanted_disk:
            self.problems.append(
                f"{machine.key}: its disk has {now.disk_bytes // MIB // 1024} GiB; a disk cannot shrink to "
                f"{machine.disk_bytes // MIB // 1024} GiB without losing data. Keep the size or rename the resource."
            )
        power = "running" if machine.start else "stopped"
        pairs = [
            ("cores", now.cores, machine.cores, "cores"),
            ("memory", now.memory_bytes, machine.memory_mib * MIB, "memory_bytes"),
            ("disk", now.disk_bytes, max(wanted_disk, now.disk_bytes), "disk_bytes"),
            ("power", now.status, power, "start"),
        ]
        return [change(n, was, to, causes.get(cause, "default")) for n, was, to, cause in pairs if was != to]

    # -- ending ------------------------------------------------------------------------------------

    def _delete(self, guest: OwnedGuest, level: int) -> Item | None:
        if guest.reading is not None and not guest.is_ours:
            self.problems.append(f"{guest.key}: VMID {guest.vmid} no longer carries ALMA's mark; it is not touched.")
            return None
        self.remarks += lost_with(self.target.safety_snapshot, guest.key)
        rows = tuple(fittings.lost_rows(guest.reading)) if guest.reading else ()
        return Item(
            "delete", guest.key, guest.kind, guest.node, guest.vmid, rows,
            reasons=("The blueprint no longer has it. Its disks are erased.",),
            facts=pick(self.facts, f"guest/{guest.key}"), steps=tuple(delete_steps(self._ref(guest), level)),
        )  # fmt: skip

    def _ref(self, guest: OwnedGuest) -> GuestRef:
        return GuestRef(
            cluster=self.target.cluster_id, owner=self.target.owner, key=guest.key, node=guest.node, kind=guest.kind
        )

    def _note_fittings(self, machine: Machine, now: GuestReading | None = None) -> None:
        self.problems += fittings.problems_of(machine, now)
        self.remarks += fittings.remarks_of(machine, now)

    def _note_gaps(self, machine: Machine) -> None:
        """What the document asks for and a deployment does not do; the reviewer must know."""
        if machine.gpus:
            self.problems.append(f"{machine.key} asks for a GPU; passing one through has to be done by hand.")
        if machine.backup:
            self.remarks.append(f"{machine.key}: its backup schedule is not set up by this deployment.")
        if machine.software:
            verb = "is" if len(machine.software) == 1 else "are"
            self.remarks.append(
                f"{machine.key}: {', '.join(machine.software)} {verb} not installed by this deployment."
            )
        if machine.noted:
            self.remarks.append(f"{machine.key}: kept as a description and not applied: {', '.join(machine.noted)}.")


def _up(size: int) -> int:
    """Whole MiB, rounded up, as the cluster counts."""
    return -(-size // MIB) * MIB


def _disk(machine: Machine, source: Source) -> int:
    """A disk that is cloned cannot be smaller than its template's."""
    return max(_up(machine.disk_bytes), source.template.disk_bytes if source.template else 0)


def _with_disk(spec: GuestSpec, size: int) -> GuestSpec:
    return GuestSpec(**{**vars(spec), "disk_bytes": size})
