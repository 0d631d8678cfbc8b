"""The least that systems and software run on: nothing is drawn smaller unasked, and who asks for less than the vendor is told."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from blueprints.generation.design import Part
from blueprints.generation.facts import Group, by_default
from blueprints.generation.lexicon import table
from blueprints.schema.sizes import GIB
from blueprints.sentences import amount

_SIZES = ("cpu", "memory", "disk")


def raise_to(part: Part) -> None:
    """What nobody said is at least what runs there needs."""
    for name, (least, whose) in _highest(part.group).items():
        if part.causes[name].kind == "default" and getattr(part, name) < _plain(name, least):
            setattr(part, name, _plain(name, least))
            part.causes[name] = by_default(f"the least that {whose} runs on")


def undercut(parts: list[Part]) -> Iterator[str]:
    """A remark for each size that was said and that the vendor holds to be too small."""
    for part in parts:
        for whose, facts in _facts(part.group):
            for name, least in facts.get("vendor", {}).items():
                if getattr(part, name) < _plain(name, least):
                    yield _("%(part)s gets less than the %(least)s that the vendor of %(program)s asks for.") % {
                        "part": part.label, "least": amount(name, least if name == "cpu" else f"{least} GB"), "program": whose,
                    }  # fmt: skip


def _highest(group: Group) -> dict[str, tuple[int, str]]:
    """Per size the largest need and whose it is."""
    found: dict[str, tuple[int, str]] = {}
    for whose, facts in _facts(group):
        for name in _SIZES:
            found[name] = max(found.get(name, (0, "")), (facts.get(name, 0), whose))
    return found


def _facts(group: Group) -> Iterator[tuple[str, dict[str, Any]]]:
    """Of the system, whose version may have needs of its own, and of the software."""
    family = group.os.split("-")[0]
    system = group.os if group.os in table("minima") else family
    for name in (system, *(group.software if not group.part else ())):
        if name in table("minima"):
            yield name.replace("-", " "), table("minima")[name]


def _plain(name: str, value: int) -> int:
    return value if name == "cpu" else value * GIB
