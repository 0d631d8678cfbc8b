"""Measures `GET /v1/vms` over 10,000 machines on three clusters: the first page against the last, in turn in one run.

    python -m tests.bench.machines [--rounds 7] [--requests 100]

Prints a table with the target beside each figure; exits with 1 when one is missed.
"""

import argparse
import os
import statistics
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from tests.bench.blueprints import CONCURRENCY, measure
from tests.bench.load import Request
from tests.bench.servers import uvicorn

ROWS, LAST, PAGE = 10_000, 9_900, 100
MOST_SLOWER = 1.2
LISTS = {
    "by name": "sort=name",
    "by name, downward": "sort=name&order=desc",
    "by creation": "sort=created_at",
    "by status": "sort=status",
    "of one environment": "sort=name&environment=production",
}


def prepare() -> str:
    """Make the database of ALMA_DATA_DIR with its machines; returns the secret of a key."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "alma.settings"
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return fill(ROWS)


def fill(count: int) -> str:
    """That many machines that run, a third on each cluster, all of one environment, with details; returns a key's secret."""
    from django.utils import timezone

    from alma.accounts.models import ApiKey, Environment, Organization
    from alma.accounts.scopes import SERVICE
    from vms.models import Cluster, Guest, GuestDetails

    organization = Organization.objects.create(slug="default", name="Default")
    environment = Environment.objects.create(organization=organization, slug="production", name="Production")
    now = timezone.now()
    clusters = [
        Cluster.objects.create(
            organization=organization,
            slug=f"c{n}",
            name=f"C{n}",
            host="127.0.0.1",
            token_id="a@pam!b",
            last_read_at=now,
        )
        for n in range(3)
    ]
    Guest.objects.bulk_create(
        (
            Guest(
                organization=organization, cluster=clusters[n % 3], vmid=100 + n, kind="vm", node=f"pve{n % 5}",
                name=f"web-{n * 7919 % count:05d}", status="running", cores=4, memory_bytes=8 * 1024**3,
                disk_bytes=100 * 1024**3, tags="web;production", environment=environment, seen_at=now,
                created_at=now - timedelta(minutes=n * 7919 % count),
            )
            for n in range(count)
        ),
        batch_size=1000,
    )  # fmt: skip
    pks = Guest.objects.values_list("pk", flat=True)
    GuestDetails.objects.bulk_create(
        (GuestDetails(guest_id=pk, os_type="debian-12", ip_address="10.0.0.1", read_at=now) for pk in pks),
        batch_size=1000,
    )
    return ApiKey.mint(organization, "bench", SERVICE)[1]


def listing(query: str, offset: int, key: str) -> Request:
    """A page of 100."""
    head = f"GET /v1/vms?{query}&limit={PAGE}&offset={offset} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n\r\n"
    return Request(head.encode())


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=100)
    options = parser.parse_args()
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in LISTS}
    with tempfile.TemporaryDirectory(prefix="alma-bench-") as folder:
        os.environ["ALMA_DATA_DIR"] = folder
        key = prepare()
        with uvicorn("alma.asgi:application", Path(folder)) as port:
            measure(port, [listing("sort=name", 0, key)] * CONCURRENCY)
            for _ in range(options.rounds):
                for name, query in LISTS.items():
                    pair = [measure(port, [listing(query, at, key)] * options.requests) for at in (0, LAST)]
                    rates[name].append((pair[0], pair[1]))
    return 0 if report(rates) else 1


def report(rates: dict[str, list[tuple[float, float]]]) -> bool:
    """Print the table; whether every target is met. Rounds are compared each with itself."""
    is_met = True
    for name, pairs in rates.items():
        slower = statistics.median(first / last for first, last in pairs)
        first, last = (statistics.median(side) for side in zip(*pairs, strict=True))
        is_met &= slower <= MOST_SLOWER
        words = f"{slower:.2f} x the time at {LAST} ({first:.0f} and {last:.0f} req/s)"
        sys.stdout.write(f"{name:20} {words:44} <= {MOST_SLOWER} x  {'met' if slower <= MOST_SLOWER else 'MISSED'}\n")
    return is_met


if __name__ == "__main__":
    sys.exit(main())
