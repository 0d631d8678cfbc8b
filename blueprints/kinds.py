"""Resources that are alike but for their names and addresses, taken together, as a person would speak of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from blueprints.revising.matching import stem
from blueprints.schema import BlueprintDocument, Resource

_OWN = frozenset({"ip", "ip_address", "mac", "hostname", "vmid"})
"""What each machine has for itself."""


@dataclass(frozen=True)
class Kind:
    """Resources of a kind, and the kinds that they depend on, each by its name."""

    name: str
    members: Sequence[str]
    needs: Sequence[str]

    @property
    def key(self) -> str:
        """The first of its resources, which no other kind has."""
        return self.members[0]

    @property
    def range(self) -> str:
        """The names of its resources in short."""
        if len(self.members) <= 2:
            return _(" and ").join(self.members)
        return _("%(first)s to %(last)s") % {"first": self.members[0], "last": self.members[-1]}


def kinds_of(document: BlueprintDocument) -> list[Kind]:
    """In the order of the document, as their first resources stand there."""
    alike: dict[str, list[str]] = {}
    for resource in document.resources:
        alike.setdefault(_likeness(resource), []).append(resource.name)
    groups = list(alike.values())
    names = _names(groups)
    kind_of = {name: kind for kind, group in zip(names, groups, strict=True) for name in group}
    return [
        Kind(kind, group, tuple(dict.fromkeys(kind_of[need] for need in document.needs[group[0]])))
        for kind, group in zip(names, groups, strict=True)
    ]


def _likeness(resource: Resource) -> str:
    """The same text for resources that are alike."""
    given = {**resource.as_given(), "name": stem(resource.name), "dependencies": sorted(resource.dependencies)}
    return json.dumps(_without_own(given), sort_keys=True)


def _without_own(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_own(part) for key, part in value.items() if key not in _OWN}
    return [_without_own(part) for part in value] if isinstance(value, list) else value


def _names(groups: Sequence[Sequence[str]]) -> list[str]:
    """What siblings share, unless that is the name of others too; one alone has its own name."""
    stems = [stem(group[0]) if len(group) > 1 else group[0] for group in groups]
    return [name if stems.count(name) == 1 else group[0] for name, group in zip(stems, groups, strict=True)]
