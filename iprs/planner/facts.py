"""What the planner may rely on, as named facts that can be read again and compared before anything is done."""

from collections.abc import Iterable, Mapping

from vms.services import ClusterReading, OwnedGuest

ABSENT = "absent"


def facts_of(reading: ClusterReading, owned: Iterable[OwnedGuest]) -> dict[str, str]:
    """Every fact of a cluster that a plan can depend on. Figures that breathe, such as free memory, are none."""
    facts = {f"node/{node.name}": "online" if node.is_online else "offline" for node in reading.nodes}
    facts |= {f"storage/{s.node}/{s.name}": "active" if s.is_active else "inactive" for s in reading.storages}
    facts |= {f"template/{row.vmid}": f"{row.name} on {row.node}" for row in reading.templates}
    facts |= {f"image/{row.volid}": "present" for row in reading.ostemplates}
    facts |= {f"guest/{guest.key}": guest_fact(guest) for guest in owned}
    return facts


def guest_fact(guest: OwnedGuest) -> str:
    """The state of an owned guest that a plan was made for."""
    if guest.reading is None:
        return ABSENT
    ownership = "ours" if guest.is_ours else "foreign"
    return f"{guest.vmid} {ownership} {guest.reading.status} {guest.reading.digest}"


def pick(facts: Mapping[str, str], *names: str) -> dict[str, str]:
    """The named facts as they are; a guest that is not known is absent."""
    return {name: facts.get(name, ABSENT) for name in names}


def moved_facts(relied_on: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Sentences about the facts that are no longer as the plan found them."""
    return [
        f"{name} was {was!r} and is {now.get(name, ABSENT)!r}"
        for name, was in sorted(relied_on.items())
        if now.get(name, ABSENT) != was
    ]
