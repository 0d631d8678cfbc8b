"""The parts of a blueprint as pages list them: resources of a kind, with the values and the reason of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blueprints.kinds import Kind
from blueprints.models import Message
from blueprints.pages.causes import Value, causes_of, values_of
from blueprints.portrait import KindView, Portrait, ResourceView


@dataclass(frozen=True)
class Part:
    """Resources of a kind with their values, and the kinds that they depend on."""

    kind: Kind
    view: ResourceView
    needs: Sequence[Kind]
    values: Sequence[Value]

    @property
    def is_explained(self) -> bool:
        """Whether the reason of any value is known."""
        return any(value.cause for value in self.values)


def parts_of(portrait: Portrait, metadata: Mapping[str, Any], heard: Sequence[Message] = ()) -> list[Part]:
    """The parts; the words of their reasons are looked for in these messages."""
    return [_part(one, metadata, heard) for one in portrait.kinds]


def _part(one: KindView, metadata: Mapping[str, Any], heard: Sequence[Message]) -> Part:
    noted = causes_of(metadata, one.kind.key)
    values = values_of(one.view.resource, noted, heard, count=len(one.view.machines))
    return Part(one.kind, one.view, one.needs, values)
