"""A value of specs put where it belongs in a resource, or taken from there."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from blueprints.revising.changing import Draft
from blueprints.revising.properties import Property
from blueprints.schema import Resource

_ADDRESS = ("ip", "gateway", "subnet")
_NONE = {
    "vlan": gettext_noop("no VLAN"),
    "gateway": gettext_noop("no gateway"),
    "network": gettext_noop("no network of its own"),
    "gpu": gettext_noop("no GPU"),
}


def place(draft: Draft, resource: Resource, one: Property) -> None:
    """Give it a value, or one more of several."""
    if one.key == "version" and len(resource.specs.software or ()) > 1:
        return
    before = getattr(resource.specs, one.key)
    if one.is_further and isinstance(before, list):
        further = [value for value in one.value if value not in before]
        draft.put(resource, one.key, [*before, *further], one.told)
        return
    draft.put(resource, one.key, one.value, one.told)
    if one.key == "dhcp":
        _forget_address(draft, resource)


def _forget_address(draft: Draft, resource: Resource) -> None:
    """Who asks the network for an address has none of its own."""
    specs = draft.row(resource.name)["specs"]
    for holder in (specs, specs.get("network")):
        for key in _ADDRESS if isinstance(holder, dict) else ():
            holder.pop(key, None)
    if specs.get("network") == {}:
        del specs["network"]


def _without(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """All values but this."""
    return {key: value for key, value in values.items() if key != name}


def take_away(draft: Draft, resource: Resource, label: str) -> None:
    """Take its VLAN, its gateway, its network, its GPU or its last further disk away, where it has one."""
    specs = draft.row(resource.name).get("specs") or {}
    network = specs.get("network")
    if label in ("vlan", "gateway") and isinstance(network, dict) and label in network:
        draft.put(resource, "network", _without(network, label) or None, _(_NONE[label]))
    elif label == "disk" and resource.specs.disks:
        draft.put(resource, "disks", specs[resource.specs.written["disks"]][:-1] or None, _("one further disk less"))
    elif label in _NONE and getattr(resource.specs, label) is not None:
        draft.put(resource, label, None, _(_NONE[label]))
