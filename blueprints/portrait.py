"""A blueprint as a person looks at it: each resource with its machines and sizes, the sums, and what it may cost."""

from collections.abc import Sequence
from dataclasses import dataclass

from alma.templatetags.ui import size
from blueprints.generation.estimates import Cost, complexity, monthly_cost
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
class Portrait:
    """The whole."""

    resources: Sequence[ResourceView]
    cores: int
    memory_bytes: int
    disk_bytes: int
    machine_count: int
    cost: Cost
    complexity: float


def portray(document: BlueprintDocument) -> Portrait:
    """Everything that can be said from the document alone."""
    expansion = expand(document)
    notes = {one.resource: one.message for one in expansion.unsupported}
    machines = expansion.machines
    views = [
        ResourceView(resource, [m for m in machines if m.resource == resource.name], notes.get(resource.name, ""))
        for resource in document.resources
    ]
    return Portrait(
        resources=views,
        cores=sum(machine.cores * machine.sockets for machine in machines),
        memory_bytes=sum(machine.memory_bytes for machine in machines),
        disk_bytes=sum(view.disk_bytes * len(view.machines) for view in views),
        machine_count=len(machines),
        cost=monthly_cost(document),
        complexity=complexity(document),
    )
