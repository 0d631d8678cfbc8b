"""What the packages of the requirements bring along, at the versions that are installed: `make lock` writes it down.

python -m tests.indirect > requirements-indirect.txt
"""

import sys
from collections.abc import Iterator
from importlib.metadata import distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.source import ROOT

FILES = ("requirements.txt", "requirements-dev.txt")
HEAD = "# What the packages of the other two files bring along, pinned as well. Written by `make lock`; do not edit.\n"


def direct() -> list[Requirement]:
    """What we ask for ourselves."""
    lines = (line.split("#")[0].strip() for name in FILES for line in (ROOT / name).read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def _needs(wanted: Requirement) -> Iterator[Requirement]:
    for text in distribution(wanted.name).requires or ():
        need = Requirement(text)
        extras = wanted.extras or {""}
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras):
            yield need


def indirect() -> dict[str, str]:
    """Versions by name, of all that is needed and not asked for by name."""
    waiting, met = direct(), set()
    while waiting:
        wanted = waiting.pop()
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key not in met:
            met.add(key)
            waiting += _needs(wanted)
    own = {canonicalize_name(wanted.name) for wanted in direct()}
    return {name: distribution(name).version for name in sorted({name for name, _ in met} - own)}


if __name__ == "__main__":
    sys.stdout.write(HEAD + "".join(f"{name}=={version}\n" for name, version in indirect().items()))
