"""How quickly a guest receives and sends: from two sightings of its counters."""

from typing import Any

from vms.models import Guest

LONGEST = 300
"""Seconds that two sightings may be apart; a mean over more is no figure of now."""
NOTHING: dict[str, Any] = {"rx_rate": None, "tx_rate": None}


def rates(was: Guest, values: dict[str, Any]) -> dict[str, Any]:
    """Bytes a second since the sighting that is kept, both None when that cannot be told.

    Proxmox collects the counters together with the uptime, some seconds before it tells them: the uptime is their clock. Where it
    stands still nothing new was collected. Counters begin anew with a start, and with a move to another node."""
    if values["status"] != "running" or was.node != values["node"]:
        return NOTHING
    seconds = values["uptime"] - was.uptime
    if seconds == 0:
        return {"rx_rate": was.rx_rate, "tx_rate": was.tx_rate}
    if not 0 < seconds <= LONGEST:
        return NOTHING
    received, sent = _grown(was.net_in, values["net_in"]), _grown(was.net_out, values["net_out"])
    if received is None or sent is None:
        return NOTHING
    return {"rx_rate": received / seconds, "tx_rate": sent / seconds}


def _grown(before: int | None, after: int | None) -> int | None:
    return after - before if before is not None and after is not None and after >= before else None
