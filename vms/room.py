"""Whether a machine that grows still fits its node: figures of a reading, and a sentence about what is lacking."""

from dataclasses import dataclass

from vms.proxmox.values import GIB


@dataclass(frozen=True, kw_only=True)
class Room:
    """A node as it was read, and what the machine takes of it now. Bytes."""

    node: str
    cores: int
    memory_bytes: int
    memory_used: int
    taken: int = 0
    """Memory that the machine itself uses now, which is free again when it starts anew."""

    @property
    def free(self) -> int:
        """Memory that the machine could have."""
        return max(0, self.memory_bytes - self.memory_used + self.taken)


@dataclass(frozen=True, kw_only=True)
class Growth:
    """What a machine has, and what it shall have; None is no wish."""

    kind: str
    cores: int
    memory_bytes: int
    wanted_cores: int | None
    wanted_memory: int | None

    @property
    def grows(self) -> bool:
        """Whether it needs anything that it does not have."""
        return (self.wanted_cores or 0) > self.cores or (self.wanted_memory or 0) > self.memory_bytes


def lacking(growth: Growth, room: Room) -> tuple[str, str] | None:
    """The field, as the document calls it, and why the machine could not start with it; None when it fits.

    QEMU starts no machine with more processors than its node has; a container is only given a share of them. Memory counts when it
    grows: what a machine has already is its own."""
    cores, memory = growth.wanted_cores or 0, growth.wanted_memory or 0
    if growth.kind == "vm" and cores > growth.cores and cores > room.cores:
        return "cpu_cores", f"{room.node} has {room.cores} cores, and starts no machine with {cores}"
    if memory > growth.memory_bytes and memory > room.free:
        whole = f"of {_gib(room.memory_bytes)} in all"
        return "memory_mb", f"{room.node} could give it {_gib(room.free)} {whole}, and it would need {_gib(memory)}"
    return None


def _gib(size: int) -> str:
    return f"{round(size / GIB, 1):g} GiB"
