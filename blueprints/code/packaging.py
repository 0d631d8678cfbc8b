"""Software that a blueprint names, as packages of the machine's own distribution."""

import tomllib
from functools import cache
from pathlib import Path

from blueprints.schema import Machine

_REDHAT = {"rocky", "alma", "centos", "rhel", "fedora", "oracle"}
_DEBIAN = {"debian", "ubuntu", None}


def family(machine: Machine) -> str:
    """`debian`, `redhat`, or nothing for a system whose packages are not known here."""
    system = machine.image.family if machine.image else None
    return "redhat" if system in _REDHAT else "debian" if system in _DEBIAN else ""


def packages(machine: Machine) -> list[str]:
    """What to install: the packages that the blueprint names as such, and those of its software."""
    table = _table().get(family(machine), {})
    known = {package for name in machine.software for package in table.get(name.lower(), [])}
    return sorted(known | set(machine.packages if family(machine) else ()))


def by_hand(machine: Machine) -> list[str]:
    """What has to be installed by hand, because the distribution does not have it, or is none that is known here."""
    table = _table().get(family(machine), {})
    left = [name for name in machine.software if name.lower() not in table]
    return [" ".join(name.split()) for name in (*left, *(() if family(machine) else machine.packages))]


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads((Path(__file__).parent / "packages.toml").read_text(encoding="utf-8"))
