"""The models as somebody sees them, with their own instances that name each."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings

from alma.accounts.actors import Actor
from instances import folder
from instances.library import owning
from instances.library.scanning import Found
from instances.models import Instance
from instances.remote import library


@dataclass(frozen=True)
class Entry:
    """A model, and the actor's instances that name it."""

    model: Found
    used_by: tuple[str, ...]

    @property
    def tag(self) -> str:
        """Which quantisation."""
        return self.model.facts.quantization

    def is_called(self, repo: str, tag: str) -> bool:
        """Whether somebody means it by a repository and perhaps a tag."""
        return bool(repo) and self.model.repo == repo and (not tag or self.tag.upper() == tag.upper())


def of(*, by: Actor, node: str = "") -> list[Entry]:
    """All of a machine, this one without a name, that the actor may see, by path. Raises Unavailable."""
    there = Instance.objects.visible_to(by).filter(node=node or settings.ALMA_NODE)
    named = list(there.values_list("name", "model"))
    return [
        Entry(model, tuple(name for name, path in named if folder.names(path, model.path)))
        for model in owning.visible(library.models(node), by=by)
    ]


def as_dict(entry: Entry, node: str = "") -> dict[str, Any]:
    """As llamactl says it, and what it does not say."""
    model, facts = entry.model, entry.model.facts
    return {
        "node": node or settings.ALMA_NODE, "repo": model.repo, "tag": entry.tag, "size_bytes": model.size, "path": model.path,
        "format": model.format, "name": facts.name, "architecture": facts.architecture, "parameters": facts.parameters,
        "quantization": facts.quantization, "context_length": facts.context_length, "problem": model.problem,
        "used_by": list(entry.used_by),
        "files": [
            {
                "name": PurePosixPath(part.path).name, "path": part.path, "size_bytes": part.size,
                "type": PurePosixPath(part.path).suffix.lstrip("."),
            }
            for part in model.parts
        ],
    }  # fmt: skip
