"""Whose a model is. What the operator put into the folder is everybody's; what an organization had fetched is its own, and
that of whoever had the same files fetched."""

from collections.abc import Iterable

from alma.accounts.actors import Actor
from instances.library.scanning import Found
from instances.models import Download


def owners() -> dict[str, set[int]]:
    """By path of a file that was fetched the organizations that it was fetched for."""
    found: dict[str, set[int]] = {}
    rows = Download.objects.exclude(files=[]).values_list("organization_id", "files")
    for organization_id, files in rows.iterator():
        for file in files:
            if file.get("is_ours"):
                found.setdefault(file["path"], set()).add(organization_id)
    return found


def visible(models: Iterable[Found], *, by: Actor) -> list[Found]:
    """Those that the actor may know of."""
    whose = owners()
    return [model for model in models if _may_see(model, whose, by)]


def _may_see(model: Found, whose: dict[str, set[int]], by: Actor) -> bool:
    return all(by.organization_id in whose.get(part.path, {by.organization_id}) for part in model.parts)
