"""Rules that no single field can break: names, references, circles, addresses."""

from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_interface, ip_network

from blueprints.schema import spec_keys
from blueprints.schema.bounds import Fault
from blueprints.schema.dependencies import find_cycle
from blueprints.schema.document import BlueprintDocument, Resource
from blueprints.schema.machines import machine_count, machine_keys
from blueprints.schema.names import MAX_LABEL
from blueprints.schema.specs import Nic, Specs

MAX_MACHINES = 500


def inconsistencies_of(document: BlueprintDocument) -> Iterator[Fault]:
    """Every broken rule; the machines are only counted when the resources are sound."""
    sound = True
    for check in (_names, _references, _addresses):
        for fault in check(document):
            sound = False
            yield fault
    if sound:
        yield from _cycles(document)
        yield from _machines(document)


def _names(document: BlueprintDocument) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for index, resource in enumerate(document.resources):
        if resource.name.lower() in first:
            yield Fault(("resources", index, "name"), f'is used twice: "{resource.name}"')
        first.setdefault(resource.name.lower(), resource.name)


def _references(document: BlueprintDocument) -> Iterator[Fault]:
    for index, resource in enumerate(document.resources):
        for position, name in enumerate(resource.dependencies):
            if message := _reference_fault(document, resource, name):
                yield Fault(("resources", index, "dependencies", position), message)


def _reference_fault(document: BlueprintDocument, resource: Resource, name: str) -> str:
    if name == resource.name:
        return "names the resource itself"
    if name in document.by_name:
        return ""
    near = spec_keys.nearest(name, set(document.by_name) - {resource.name})
    return f'names "{name[:63]}", which is no resource here' + (f'; did you mean "{near}"?' if near else "")


def _cycles(document: BlueprintDocument) -> Iterator[Fault]:
    if cycle := find_cycle(document.needs):
        index = next(i for i, resource in enumerate(document.resources) if resource.name == cycle[0])
        yield Fault(("resources", index, "dependencies"), f"the dependencies form a circle: {' -> '.join(cycle)}")


def _addresses(document: BlueprintDocument) -> Iterator[Fault]:
    owners: dict[tuple[int | None, str], str] = {}
    for index, resource in enumerate(document.resources):
        for path, nic in _nics(resource.specs):
            for fault in _nic_faults(nic):
                yield Fault(("resources", index, "specs", *path), fault)
            for address in _static_addresses(nic):
                owner = owners.get((nic.vlan, address))
                if owner:
                    taken = f"gives {address} to a machine, but {owner} has it already"
                    yield Fault(("resources", index, "specs", *(path or ("ip",))), taken)
                owners[nic.vlan, address] = resource.name


def _nics(specs: Specs) -> Iterator[tuple[tuple[str | int, ...], Nic]]:
    yield (), Nic.model_construct(ip=specs.ip, vlan=specs.vlan, subnet=specs.subnet, gateway=specs.gateway)
    if specs.network:
        yield ("network",), specs.network
    for position, nic in enumerate(specs.networks or ()):
        yield ("networks", position), nic


def _nic_faults(nic: Nic) -> Iterator[str]:
    if not nic.subnet:
        return
    network = ip_network(nic.subnet)
    for label, address in [("ip", ip) for ip in nic.ip or ()] + [("gateway", nic.gateway)]:
        if address and address != "dhcp" and ip_interface(address).ip not in network:
            yield f"have the {label} {address} outside the subnet {nic.subnet}"


def _static_addresses(nic: Nic) -> Iterator[str]:
    return (str(ip_interface(ip).ip) for ip in nic.ip or () if ip != "dhcp")


def _machines(document: BlueprintDocument) -> Iterator[Fault]:
    wanted = sum(machine_count(resource) for resource in document.resources)
    if wanted > MAX_MACHINES:
        yield Fault(("resources",), f"ask for {wanted} machines; the most is {MAX_MACHINES}")
        return
    keys = {resource.name: machine_keys(resource) for resource in document.resources}
    counted = Counter(key.lower() for own in keys.values() for key in own)
    for index, resource in enumerate(document.resources):
        yield from _key_faults(index, keys[resource.name], counted)
        yield from _count_faults(index, resource, len(keys[resource.name]))


def _key_faults(index: int, keys: list[str], counted: Counter[str]) -> Iterator[Fault]:
    for key in keys:
        if counted[key.lower()] > 1:
            yield Fault(("resources", index, "name"), f'makes a machine named "{key}", and so does another resource')
        if len(key.partition(".")[0]) > MAX_LABEL:
            yield Fault(
                ("resources", index, "name"), f'makes the machine name "{key}", longer than {MAX_LABEL} characters'
            )


def _count_faults(index: int, resource: Resource, machines: int) -> Iterator[Fault]:
    specs = resource.specs
    if specs.count and specs.count != machine_count(resource):
        parts = f"{machine_count(resource)} machines follow from control_planes and workers"
        yield Fault(("resources", index, "specs", "count"), f"is {specs.count}, but {parts}")
    for path, nic in _nics(specs):
        given = len(nic.ip or ())
        if machines and given not in (0, machines) and nic.ip != ["dhcp"]:
            place = ("resources", index, "specs", *(path or ("ip",)))
            yield Fault(place, f"has {_plural(given, 'address', 'es')} for {_plural(machines, 'machine', 's')}")


def _plural(number: int, noun: str, ending: str) -> str:
    return f"{number} {noun}{ending if number != 1 else ''}"
