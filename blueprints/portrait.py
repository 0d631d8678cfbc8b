"""A blueprint as a person looks at it: each resource with its machines and sizes, the sums, and what it may cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from alma.templatetags.ui import size
from blueprints.complexity import complexity
from blueprints.graph import Drawing, draw, reduced
from blueprints.kinds import Kind, kinds_of
from blueprints.pricing import Cost, CostSheet, PriceList, cost_of, default_list
from blueprints.schema import BlueprintDocument, Machine, Resource, expand


@dataclass(frozen=True)
class ResourceView:
    """One resource. Machines of a resource are alike in all that is shown but their names."""

    resource: Resource
    machines: Sequence[Machine]
    note: str = ""

    @property
    def machine(self) -> Machine | None:
        """The first, standing for all."""
        return self.machines[0] if self.machines else None

    @property
    def image(self) -> str:
        """The operating system or template, in words."""
        return str(self.machine.image or "") if self.machine else ""

    @property
    def addresses(self) -> str:
        """Addresses and VLAN of the first card."""
        cards = [machine.network for machine in self.machines]
        fixed = [card.ip for card in cards if card.ip]
        where = ", ".join(fixed[:2]) + (f" and {len(fixed) - 2} more" if len(fixed) > 2 else "") if fixed else "DHCP"
        return f"{where} · VLAN {cards[0].vlan}" if cards and cards[0].vlan else where

    @property
    def disk_bytes(self) -> int:
        """All disks of one machine."""
        machine = self.machine
        return machine.disk_bytes + sum(disk.size_bytes for disk in machine.data_disks) if machine else 0

    @property
    def words(self) -> str:
        """Count and size in a few words."""
        machine = self.machine
        if machine is None:
            return self.resource.type
        count = f"{len(self.machines)} × " if len(self.machines) > 1 else ""
        return f"{count}{machine.cores * machine.sockets} CPU · {size(machine.memory_bytes)}"

    @property
    def defaults(self) -> list[str]:
        """What the document leaves open and a default decides."""
        causes = self.machine.causes if self.machine else {}
        names = {"cores": "CPU", "memory_bytes": "memory", "disk_bytes": "disk"}
        return [words for field, words in names.items() if causes.get(field) == "default"]


@dataclass(frozen=True)
class KindView:
    """Resources that are alike, as one with all their machines."""

    kind: Kind
    view: ResourceView
    needs: Sequence[Kind]
    cost: Decimal


class CostRow(NamedTuple):
    """One item of the price book: how many of it, what one of it costs, and what all of it comes to."""

    label: str
    quantity: str
    price: str
    amount: Decimal


@dataclass(frozen=True)
class Portrait:
    """The whole."""

    resources: Sequence[ResourceView]
    kinds: Sequence[KindView]
    cores: int
    memory_bytes: int
    disk_bytes: int
    machine_count: int
    sheet: CostSheet
    complexity: float

    @property
    def cost(self) -> Cost:
        """The sum, and what each machine costs."""
        return self.sheet.as_cost()

    @property
    def cost_rows(self) -> list[CostRow]:
        """What is paid for, over all machines."""
        prices, sums, counts = self.sheet.prices, self.sheet.by_item(), self.sheet.quantities()
        return [
            CostRow(str(item.label), f"{counts[item].normalize():f}", f"{prices[item].normalize():f}", amount)
            for item, amount in sums.items()
        ]


def portray(document: BlueprintDocument, prices: PriceList | None = None) -> Portrait:
    """Everything that can be said from the document alone, at the prices of a book; at the defaults without one."""
    expansion = expand(document)
    notes = {one.resource: one.message for one in expansion.unsupported}
    machines = expansion.machines
    views = [
        ResourceView(resource, [m for m in machines if m.resource == resource.name], notes.get(resource.name, ""))
        for resource in document.resources
    ]
    sheet = cost_of(document, prices or default_list())
    return Portrait(
        resources=views,
        kinds=_kind_views(document, views, sheet.by_resource()),
        cores=sum(machine.cores * machine.sockets for machine in machines),
        memory_bytes=sum(machine.memory_bytes for machine in machines),
        disk_bytes=sum(view.disk_bytes * len(view.machines) for view in views),
        machine_count=len(machines),
        sheet=sheet,
        complexity=complexity(document),
    )


def _kind_views(
    document: BlueprintDocument, views: Sequence[ResourceView], costs: Mapping[str, Decimal]
) -> list[KindView]:
    by_name = {view.resource.name: view for view in views}
    kinds = kinds_of(document)
    by_kind = {kind.name: kind for kind in kinds}
    return [
        KindView(
            kind,
            replace(by_name[kind.key], machines=[one for name in kind.members for one in by_name[name].machines]),
            [by_kind[name] for name in kind.needs],
            sum((costs.get(name, Decimal(0)) for name in kind.members), Decimal(0)),
        )
        for kind in kinds
    ]


def drawing_of(portrait: Portrait) -> Drawing | None:
    """What depends on what, each kind with its number and size; None when nothing depends on anything."""
    needs = {kind.kind.name: list(kind.kind.needs) for kind in portrait.kinds}
    words = {kind.kind.name: kind.view.words for kind in portrait.kinds}
    keys = {kind.kind.name: kind.kind.key for kind in portrait.kinds}
    return draw(reduced(needs), words, keys)
