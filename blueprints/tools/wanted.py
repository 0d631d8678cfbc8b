"""The machines of a document as guests that the rules of the scanner can judge."""

from django.utils import timezone

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from blueprints.schema import BlueprintDocument, Machine, NetworkCard, expand
from vms.scans.facts import SystemFacts
from vms.scans.judging import Verdict
from vms.scans.wanted import Intent, judge_wanted
from vms.services import Card, CloudInit, GuestSpec, Volume

_FAMILIES = {"alma": "almalinux", "oracle": "ol", "suse": "opensuse-leap"}
"""What the table of lifetimes calls a family of systems."""


def judged(document: BlueprintDocument, by: Actor) -> list[tuple[Machine, list[Verdict]]]:
    """Each machine of a document with a verdict for every rule that has something to say of it."""
    slug = str(document.metadata.get("environment") or "")[:50]
    environment = Environment.objects.visible_to(by).filter(slug=slug).first() if slug else None
    now = timezone.now()
    return [
        (machine, judge_wanted(spec_of(machine, document.name), intent_of(machine, environment), now=now))
        for machine in expand(document).machines
    ]


def spec_of(machine: Machine, note: str = "") -> GuestSpec:
    """What would be made, wherever that is."""
    cards = tuple(_card(number, nic) for number, nic in enumerate(machine.nics))
    first = machine.nics[0]
    return GuestSpec(
        cluster=0, owner="", key=machine.key, node="", kind=machine.kind, name=machine.key,
        cores=machine.cores * machine.sockets, memory_bytes=machine.memory_bytes, disk_bytes=machine.disk_bytes,
        storage=machine.storage_pool or "", bridge=first.bridge, vlan=first.vlan, tags=machine.tags,
        note=machine.description or note, cards=cards, running=machine.start,
        cloud_init=_cloud_init(machine), volumes=_volumes(machine),
    )  # fmt: skip


def _cloud_init(machine: Machine) -> CloudInit | None:
    """What a virtual machine is told at its first start, if anything is to be told."""
    is_told = bool(machine.user or machine.ssh_keys or any(nic.ip or nic.dns for nic in machine.nics))
    if machine.kind != "vm" or not is_told:
        return None
    first = machine.nics[0]
    return CloudInit(
        user=machine.user or "", ssh_keys=machine.ssh_keys, ip=first.ip or "dhcp", gateway=first.gateway or ""
    )


def _volumes(machine: Machine) -> tuple[Volume, ...]:
    slot = "mp{}" if machine.kind == "lxc" else "scsi{}"
    first = 0 if machine.kind == "lxc" else 1
    return tuple(
        Volume(slot=slot.format(number), size_bytes=disk.size_bytes, storage=disk.storage or "local")
        for number, disk in enumerate(machine.data_disks, start=first)
    )


def intent_of(machine: Machine, environment: Environment | None) -> Intent:
    """What the document says beside that."""
    return Intent(
        system=_system(machine), is_backed_up=machine.backup is not None, is_protected=machine.protected,
        environment=environment.slug if environment else "",
        is_protected_environment=environment.is_protected if environment else None,
    )  # fmt: skip


def _card(number: int, nic: NetworkCard) -> Card:
    return Card(
        slot=f"net{number}", bridge=nic.bridge, vlan=nic.vlan, ip=nic.ip or "", gateway=nic.gateway or "" if nic.ip else "",
        firewall=nic.firewall,
    )  # fmt: skip


def _system(machine: Machine) -> SystemFacts | None:
    image = machine.image
    if image is None or not image.family or not image.version:
        return None
    family = _FAMILIES.get(image.family, image.family)
    return SystemFacts(family=family, version=image.version, name=f"{image.family} {image.version}")
