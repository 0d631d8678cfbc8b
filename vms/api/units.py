"""Figures in the units of the Proxmox AI document."""

MEGABIT = 1_000_000 / 8


def megabits(rate: float | None) -> float | None:
    """Megabits a second of bytes a second; None of what is not known."""
    return None if rate is None else round(rate / MEGABIT, 3)
