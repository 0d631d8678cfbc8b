"""What pvestatd has told the cluster: with a lag, a new guest is there but its name and state are not known yet."""

from collections.abc import Callable
from dataclasses import dataclass, field

from vms.sandbox.core.clock import Clock
from vms.sandbox.core.model import Guest


@dataclass(slots=True)
class Statistics:
    """With a period of 0 everything is known at once; otherwise a round every so many seconds collects it."""

    clock: Clock
    period_of: Callable[[], float]
    _round: int = -1
    _seen: dict[int, tuple[str, bool]] = field(default_factory=dict)

    @property
    def period(self) -> float:
        return self.period_of()

    def collect(self, guests: list[Guest]) -> None:
        """Take note of names and states when a new round has begun."""
        if not self.period:
            return
        current = int(self.clock.now() / self.period)
        if current != self._round:
            self._round = current
            self._seen = {guest.vmid: (guest.name, guest.is_running) for guest in guests}

    def told(self, guest: Guest) -> tuple[str, bool] | None:
        """Name and whether it runs, as last collected; None for a guest that no round has met."""
        return self._seen.get(guest.vmid) if self.period else (guest.name, guest.is_running)
