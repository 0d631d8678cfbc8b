"""Sizes as Proxmox writes them: a number with K, M, G or T, powers of 1024."""

import re

KIB, MIB, GIB, TIB = 1024, 1024**2, 1024**3, 1024**4
MOST = 64 * 1024 * TIB
"""No storage is so large: what asks for more is refused for want of room, and stays a number of 64 bits until then."""
_UNITS = {"": 1, "K": KIB, "M": MIB, "G": GIB, "T": TIB}
_SIZE = re.compile(r"^(\d+(?:\.\d+)?)([KMGT]?)$")


def parse(text: str) -> int:
    """Bytes of `32G`; raises ValueError on anything else."""
    match = _SIZE.match(text)
    if not match:
        raise ValueError(f"unable to parse size '{text}'")
    return whole(float(match[1]), _UNITS[match[2]])


def whole(number: float, unit: int) -> int:
    """Bytes of so many units."""
    return int(min(number * unit, MOST))


def show(size: int) -> str:
    """`32G`: the largest unit that divides evenly, as `PVE::JSONSchema::format_size` prints it."""
    for unit in ("T", "G", "M", "K"):
        if size >= _UNITS[unit] and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}"
    return str(size)


def human(size: float) -> str:
    """`8.0 GiB`, as task logs print sizes."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
