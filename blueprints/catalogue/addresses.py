"""Fixed addresses for the machines of a template: one after the other, in the order of the blueprint."""

from collections import Counter
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface
from typing import Any

from alma.errors import Invalid
from blueprints.catalogue.parameters import Value
from blueprints.schema import expand, parse_document

Interface = IPv4Interface | IPv6Interface


def addressed(plain: dict[str, Any], values: Mapping[str, Value]) -> dict[str, Any]:
    """The document with an address for each machine, if a first one is chosen. Raises Invalid where they do not fit."""
    gateway = str(values["gateway"] or "")
    first = _first(str(values["first_address"] or ""), gateway)
    if first is None:
        return plain
    counts = Counter(machine.resource for machine in expand(parse_document(plain)).machines)
    free = _free(first, gateway)
    rows = [_row(row, [next(free, "") for _ in range(counts[row["name"]])]) for row in plain["resources"]]
    given = [address for row in rows for address in row["specs"].get("network", {}).get("ip", ())]
    if not all(given):
        room = sum(map(bool, given))
        raise _fault("first_address", f"leaves room for {room} machines in {first.network}; there are {len(given)}")
    return {**plain, "resources": rows}


def _first(address: str, gateway: str) -> Interface | None:
    """The first address, if one is chosen. Raises Invalid for a gateway that cannot be reached from it."""
    if not address:
        if gateway:
            raise _fault("gateway", "goes with fixed addresses; choose first_address too")
        return None
    first = ip_interface(address)
    if gateway and ip_address(gateway) not in first.network:
        raise _fault("gateway", f"must be in {first.network}")
    return first


def _row(row: dict[str, Any], addresses: list[str]) -> dict[str, Any]:
    if not addresses:
        return row
    specs = row["specs"]
    return {**row, "specs": {**specs, "network": {**specs.get("network", {}), "ip": addresses}}}


def _free(first: Interface, gateway: str) -> Iterator[str]:
    """Addresses of hosts from the first on, without the gateway's."""
    network, length = first.network, first.network.prefixlen
    ends = {network.network_address, network.broadcast_address} if network.num_addresses > 2 else set()
    taken = {*ends, *([ip_address(gateway)] if gateway else [])}
    last = int(network.broadcast_address)
    for number in range(int(first.ip), min(last, int(first.ip) + 1000) + 1):
        address = type(first.ip)(number)
        if address not in taken:
            yield f"{address}/{length}"


def _fault(name: str, message: str) -> Invalid:
    field = f"parameters.{name}"
    return Invalid(f"{field} {message}.", details=[{"field": field, "message": message}])
