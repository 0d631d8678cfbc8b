"""How quick the driver is: a deployment of 100 guests, each created, configured, started and read back.

    python -m tests.bench.driver [--guests 100] [--rounds 3] [--slow 2.0] [--limit 10]

The engine, the ledger and the driver run in this process, as in a worker; the sandbox in another, over TLS. Once its tasks
are instant: then guests a second count. Once they take two seconds: then the time is set against what the cluster's limit of
guests at a time allows. Exits with 1 when a target is missed.
"""

import argparse
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Any

from tests.bench.servers import ROOT

LEAST_RATE = 20.0
MOST_RATIO = 1.3
GIB = 1024**3


@contextmanager
def sandbox(folder: Path, seconds: float) -> Iterator[int]:
    """A sandbox in a process of its own; yields its port."""
    command = [sys.executable, "-m", "tests.bench.sandbox", str(folder), str(seconds)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def prepare(folder: Path) -> None:
    """A database of its own, as it is served."""
    os.environ.update(DJANGO_SETTINGS_MODULE="alma.settings", ALMA_DATA_DIR=str(folder), ALMA_LOG_LEVEL="ERROR")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def deploy(folder: Path, port: int, guests: int, limit: int) -> float:
    """Seconds that a deployment of so many guests takes. Raises RuntimeError when it does not end well."""
    from django.conf import settings

    from alma.accounts.models import Organization
    from alma.jobs import engine
    from alma.jobs.services import create_job
    from vms.sandbox import credentials
    from vms.services import create_steps, register_cluster
    from vms.specs import GuestSpec

    settings.ALMA_JOB_KINDS = {**settings.ALMA_JOB_KINDS, "bench": "alma.jobs.kinds.JobKind"}
    known = credentials.ensure(folder)
    organization, _ = Organization.objects.get_or_create(slug="bench", defaults={"name": "Bench"})
    values: dict[str, Any] = {
        "name": "Bench", "host": "127.0.0.1", "port": port, "token_id": known.token_id, "token_secret": known.token_secret,
        "ca_pem": Path(known.ca_path).read_text(), "is_sandbox": True, "parallel_limit": limit,
    }  # fmt: skip
    cluster = register_cluster(organization_id=organization.pk, slug=folder.name, **values)
    specs = [
        GuestSpec(
            cluster=cluster.pk, owner="bench", key=f"g{number}", node=f"pve{1 + number % 3}", name=f"g{number}", cores=1,
            memory_bytes=GIB // 4, disk_bytes=GIB, storage="local-lvm", bridge="vmbr0",
        )
        for number in range(guests)
    ]  # fmt: skip
    job = create_job("bench", [step for spec in specs for step in create_steps(spec)], organization_id=organization.pk)
    began = time.monotonic()
    while engine.advance(job.pk) != "ended":
        pass
    took = time.monotonic() - began
    job.refresh_from_db()
    if job.error or cluster.claims.filter(state="live").count() != guests:
        raise RuntimeError(f"the deployment failed: {job.error}")
    return took


def measure(seconds: float, guests: int, limit: int) -> tuple[float, float]:
    """Seconds on a clock, and of our own processor, for one deployment on a new sandbox."""
    from vms.proxmox.client import disconnect

    with tempfile.TemporaryDirectory() as folder, sandbox(Path(folder), seconds) as port:
        before = resource.getrusage(resource.RUSAGE_SELF)
        took = deploy(Path(folder), port, guests, limit)
        after = resource.getrusage(resource.RUSAGE_SELF)
        disconnect()
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Print both figures with their targets."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--guests", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slow", type=float, default=2.0)
    parser.add_argument("--limit", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        quick = [measure(0.0, options.guests, options.limit) for _ in range(options.rounds)]
        slow = measure(options.slow, options.guests, options.limit)[0] if options.slow else 0.0
    rate = options.guests / min(took for took, _ in quick)
    own = statistics.median(processor for _, processor in quick) / options.guests * 1000
    allowed = ceil(options.guests / options.limit) * options.slow + options.slow
    table = [
        f"driver, {options.guests} guests created, configured, started and read back, {options.limit} at a time",
        f"  instant tasks  {rate:6.1f} guests/s (target {LEAST_RATE:.0f}), {own:.0f} ms of processor each",
    ]
    ratio = slow / allowed if allowed else 0.0
    if options.slow:
        shares = f"{ratio:.2f} of the {allowed:.0f} s that the limit allows (target {MOST_RATIO})"
        table.append(f"  {options.slow:.0f} s tasks      {slow:6.1f} s, {shares}")
    print("\n".join(table))  # noqa: T201 - a table for people
    return int(rate < LEAST_RATE or ratio > MOST_RATIO)


if __name__ == "__main__":
    sys.exit(main())
