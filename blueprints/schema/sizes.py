"""Sizes as people write them, read once into bytes.

Infrastructure counts in powers of 1024: "8GB" of memory is what a hypervisor calls 8 GiB. So KB, MB, GB, TB and KiB, MiB,
GiB, TiB mean the same here, in every spelling and case. A number without a unit is refused, because 8 may be MB or GB.
"""

import re
from decimal import Decimal

KIB, MIB, GIB, TIB = 1024, 1024**2, 1024**3, 1024**4
PATTERN = r"^\s*\d{1,15}([.,]\d{1,6})?\s*[A-Za-z]{1,9}\s*$"
_SIZE = re.compile(r"\s*(?P<number>\d{1,15}(?:[.,]\d{1,6})?)\s*(?P<unit>[A-Za-z]{1,9})\s*", re.ASCII)
_NUMBER = re.compile(r"\s*\d+(?:[.,]\d+)?\s*", re.ASCII)
_THOUSANDS = re.compile(r"\d{1,3},\d{3}", re.ASCII)
_SPELLINGS = {
    1: ("b", "byte", "bytes"),
    KIB: ("k", "kb", "kib", "ko", "kilobyte", "kilobytes"),
    MIB: ("m", "mb", "mib", "mo", "meg", "megs", "megabyte", "megabytes"),
    GIB: ("g", "gb", "gib", "go", "gig", "gigs", "gigabyte", "gigabytes"),
    TIB: ("t", "tb", "tib", "to", "terabyte", "terabytes"),
    1024**5: ("p", "pb", "pib", "po", "petabyte", "petabytes"),
}
UNITS = {spelling: factor for factor, spellings in _SPELLINGS.items() for spelling in spellings}


def parse_size(value: object) -> int:
    """Bytes of "8GB", "8192 MB" or "0.5 TiB"; ValueError with a sentence for everything else."""
    if not isinstance(value, str):
        raise ValueError(_not_text(value))
    match = _SIZE.fullmatch(value)
    if match is None:
        raise ValueError(_unreadable(value))
    if _THOUSANDS.fullmatch(match["number"]):
        raise ValueError(f'"{value}" may be thousands or a fraction; write it without the comma')
    factor = UNITS.get(match["unit"].lower())
    if factor is None:
        raise ValueError(f'"{match["unit"]}" is not a unit of size; write MB, GB or TB')
    return int(Decimal(match["number"].replace(",", ".")) * factor)


def bounded_size(value: object, *, least: int, most: int, noun: str) -> int:
    """A size that a guest can have."""
    size = parse_size(value)
    if size < least:
        raise ValueError(f"{noun} of {format_size(size)} is too small; the least is {format_size(least)}")
    if size > most:
        raise ValueError(f"{noun} of {format_size(size)} is not plausible; the most is {format_size(most)}")
    return size


def format_size(size: int) -> str:
    """The shortest exact spelling: 8589934592 -> "8GB"."""
    for factor, unit in ((TIB, "TB"), (GIB, "GB"), (MIB, "MB"), (KIB, "KB")):
        if size >= factor and size % factor == 0:
            return f"{size // factor}{unit}"
    if size >= GIB:
        return f"{size / GIB:.2f}GB"
    return f"{size / MIB:.2f}MB" if size >= MIB else f"{size} bytes"


def _not_text(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _without_unit(str(value))
    return 'must be a size as text, for example "8GB"'


def _unreadable(value: str) -> str:
    if _NUMBER.fullmatch(value):
        return _without_unit(value.strip())
    if value.strip().startswith("-"):
        return "must be more than nothing"
    return f'"{value[:40]}" is not a size; write for example "8GB" or "8192 MB"'


def _without_unit(number: str) -> str:
    short = number[:20]
    return f'{short} has no unit and may mean MB or GB; write "{short}GB" or "{short}MB"'
