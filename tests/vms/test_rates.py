"""Traffic is told of two sightings whose counters belong together, and of none that do not."""

from typing import Any

import pytest

from tests.factories.vms import make_cluster
from tests.vms.test_inventory import row
from vms import inventory, rates
from vms.models import Cluster, Guest

pytestmark = pytest.mark.django_db
FIRST: dict[str, Any] = {"uptime": 100, "net_in": 1_000, "net_out": 500}


@pytest.mark.parametrize(
    ("then", "found"),
    [
        ({"uptime": 110, "net_in": 6_000, "net_out": 1_500}, (500.0, 100.0)),
        ({"uptime": 110, "net_in": 1_000, "net_out": 500}, (0.0, 0.0)),
        ({"uptime": 100, "net_in": 1_000, "net_out": 500}, (7.0, 8.0)),
        ({"uptime": 20, "net_in": 6_000, "net_out": 1_500}, (None, None)),
        ({"uptime": 110, "net_in": 10, "net_out": 1_500}, (None, None)),
        ({"uptime": 110, "net_in": None, "net_out": 1_500}, (None, None)),
        ({"uptime": 110, "net_in": 6_000, "net_out": 1_500, "node": "pve2"}, (None, None)),
        ({"uptime": 0, "net_in": 0, "net_out": 0, "status": "stopped"}, (None, None)),
        ({"uptime": 101 + rates.LONGEST, "net_in": 6_000, "net_out": 1_500}, (None, None)),
    ],
    ids=[
        "grown",
        "idle",
        "not-collected-again",
        "started-anew",
        "counted-anew",
        "not-told",
        "moved",
        "off",
        "long-ago",
    ],
)
def test_two_sightings(then: dict[str, Any], found: tuple[float | None, float | None]) -> None:
    was = Guest(node="pve1", status="running", rx_rate=7.0, tx_rate=8.0, **FIRST)
    told = rates.rates(was, {"node": "pve1", "status": "running", **then})
    assert (told["rx_rate"], told["tx_rate"]) == found


def see(cluster: Cluster, **values: Any) -> Guest:
    """One look, long enough after the last one for figures to be written."""
    Guest.objects.update(seen_at="2026-01-01T00:00:00Z")
    inventory.store(cluster, [row(101, **values)])
    return Guest.objects.get()


def test_the_inventory_keeps_them() -> None:
    cluster = make_cluster()
    guest = see(cluster, **FIRST)
    assert (guest.net_in, guest.rx_rate) == (1_000, None), "one sighting is no rate"
    guest = see(cluster, uptime=120, net_in=41_000, net_out=20_500, disk_used=77)
    assert (guest.rx_rate, guest.tx_rate, guest.disk_used) == (2_000.0, 1_000.0, 77)
    guest = see(cluster, uptime=120, net_in=41_000, net_out=20_500, cpu_load=0.9)
    assert (guest.rx_rate, guest.tx_rate) == (2_000.0, 1_000.0)
    guest = see(cluster, status="stopped", uptime=0, net_in=0, net_out=0)
    assert (guest.rx_rate, guest.tx_rate) == (None, None)


def test_what_is_not_written_is_no_sighting() -> None:
    """Between two looks that follow each other closely nothing is written: the rate is told of the one that is kept."""
    cluster = make_cluster()
    see(cluster, **FIRST)
    Guest.objects.update(seen_at="2126-01-01T00:00:00Z")
    inventory.store(cluster, [row(101, uptime=105, net_in=2_000, net_out=700)])
    assert Guest.objects.get().net_in == 1_000
    assert see(cluster, uptime=110, net_in=2_000, net_out=700).rx_rate == 100.0
