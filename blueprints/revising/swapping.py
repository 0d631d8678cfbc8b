"""Another program on the machines that are there."""

from blueprints.generation.lexicon import software_facts
from blueprints.revising import matching
from blueprints.revising.changing import Draft
from blueprints.revising.hearing import Heard
from blueprints.schema import Resource


def swapped(draft: Draft, heard: Heard) -> bool:
    """Do "replace redis with memcached", "mariadb instead of mysql"; False when no such pair is said."""
    old, new = _pair(draft, heard)
    if new and old is None:
        return _fill_in(draft, new)
    if old is None or new is None:
        return False
    for resource in _running(draft, old, heard):
        exchange(draft, resource, old, new)
    return True


def _pair(draft: Draft, heard: Heard) -> tuple[str | None, str | None]:
    """What runs, and what shall run instead; where only that is said, in the place of what does the same."""
    used = {name for resource in draft.machines for name in matching.software_of(resource)}
    old = next((name for name in heard.software if name in used), None)
    new = next((name for name in heard.software if name != old), None)
    return old or next((name for name in sorted(used) if new and _role(name) == _role(new)), None), new


def exchange(draft: Draft, resource: Resource, old: str, new: str) -> None:
    """Put one for the other, also in the name of a machine that is called by it."""
    runs = [new if name == old else name for name in matching.software_of(resource)]
    draft.set_sizes(resource, {"software": runs})
    if matching.stem(resource.name) == old and not any(matching.stem(one.name) == new for one in draft.resources):
        draft.rename(resource, resource.name.replace(old, new, 1))


def _running(draft: Draft, software: str, heard: Heard) -> list[Resource]:
    """The machines that run it; where some are named, of those only."""
    named = {one.name for one in matching.named(heard, draft.resources)}
    return [one for one in draft.machines if software in matching.software_of(one) and (one.name in named or not named)]


def _fill_in(draft: Draft, software: str) -> bool:
    """Put a program on the machines of its role on which none was named."""
    found = [
        one for one in draft.machines if matching.role_of(one) == _role(software) and not matching.software_of(one)
    ]
    for resource in found:
        draft.set_sizes(resource, {"software": [software]})
    return bool(found)


def _role(software: str) -> object:
    return software_facts(software).get("role")
