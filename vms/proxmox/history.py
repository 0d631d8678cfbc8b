"""Figures of the past, as `rrddata` keeps them."""

from collections.abc import Mapping
from typing import Any

from vms.models import Guest
from vms.proxmox.answers import number, rows
from vms.proxmox.client import Api
from vms.proxmox.cluster import TYPES

MOST = 1_600
FIGURES = ("cpu", "mem", "maxmem", "disk", "maxdisk", "diskread", "diskwrite", "netin", "netout")
Moment = tuple[int, dict[str, float | None]]
"""Unix seconds, and the figures of that moment; None is a gap."""


def read_history(api: Api, guest: Guest, timeframe: str) -> list[Moment]:
    """The figures of `hour`, `day`, `week` or `month` until now, oldest first: shares from 0 to 1, bytes, bytes a second.

    A moment that is missing between two others is a gap like one without figures. Raises Unknown, Refusal."""
    path = ("nodes", guest.node, TYPES[guest.kind], guest.vmid, "rrddata")
    found = rows(api.get(*path, timeframe=timeframe, cf="AVERAGE"), "figures")
    told = {
        int(number(row, "time")): {name: _figure(row, name) for name in FIGURES} for row in found if row.get("time")
    }
    moments = sorted(told)
    step = min((after - before for before, after in zip(moments, moments[1:], strict=False)), default=0)
    if not step:
        return sorted(told.items())
    whole = range(moments[0], moments[-1] + 1, step)[-MOST:]
    return [(moment, told.get(moment) or dict.fromkeys(FIGURES)) for moment in whole]


def _figure(row: Mapping[str, Any], name: str) -> float | None:
    return None if row.get(name) is None else number(row, name)
