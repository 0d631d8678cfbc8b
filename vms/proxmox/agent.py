"""What the guest agent and the network of a guest tell of it."""

from enum import StrEnum
from ipaddress import ip_interface

from vms.proxmox import guests
from vms.proxmox.answers import Refusal, Verdict, rows, text
from vms.proxmox.client import Api
from vms.proxmox.readings import GuestReading
from vms.proxmox.values import parse_properties

ON = frozenset({"1", "on", "yes", "true"})


class Answer(StrEnum):
    """What came of a question to the agent."""

    UP = "up"
    SILENT = "silent"
    FORBIDDEN = "forbidden"


def is_configured(reading: GuestReading) -> bool:
    """Whether a machine has the guest agent switched on; containers have none."""
    parts = parse_properties(text(reading.config, "agent", "0"))
    return reading.kind == "vm" and (parts.get("enabled") or parts.get("", "0")).lower() in ON


def ask(api: Api, reading: GuestReading) -> tuple[Answer, str]:
    """Whether the agent answers, and Proxmox's words when it does not. Raises Unknown, Refusal."""
    try:
        api.get(*guests.path(reading), "agent", "info")
    except Refusal as error:
        if error.verdict == Verdict.MUTE:
            return Answer.SILENT, error.text
        if error.status == 403:
            return Answer.FORBIDDEN, error.text
        raise
    return Answer.UP, ""


def address_of(api: Api, reading: GuestReading) -> str:
    """The first address of a container that leads anywhere, empty when none is known. Raises Unknown."""
    if reading.kind != "lxc":
        return ""
    try:
        listed = rows(api.get(*guests.path(reading), "interfaces"), "interfaces")
    except Refusal:
        return ""
    found = [text(row, name) for row in listed if row.get("name") != "lo" for name in ("inet", "inet6")]
    return next((address for one in found if (address := _address(one))), "")


def _address(interface: str) -> str:
    try:
        ip = ip_interface(interface).ip
    except ValueError:
        return ""
    return "" if ip.is_link_local or ip.is_loopback else str(ip)
