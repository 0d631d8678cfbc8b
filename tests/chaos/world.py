"""An installation to break: its own database, a sandbox process, and a look at both from outside.

`prepare` must run before anything of Django is imported: the settings are read from the environment that it sets.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.fixtures.ports import free_port

if TYPE_CHECKING:
    from alma.accounts.actors import Actor
    from iprs.models import IPR, Deployment

ROOT = Path(__file__).resolve().parents[2]
LEASE = 8
WORKERS = 4
QUICK = {
    "ALMA_WORKERS": str(WORKERS), "ALMA_ORPHAN_GRACE_SECONDS": "3",
    "ALMA_LEASE_SECONDS": str(LEASE), "ALMA_CLUSTER_CONNECT_SECONDS": "1", "ALMA_CLUSTER_TOTAL_SECONDS": "2",
    "ALMA_SANDBOX_TIME_SCALE": "200", "ALMA_RATE_LIMITS": "0", "ALMA_STALE_SECONDS": "12", "ALMA_LOG_LEVEL": "ERROR",
}  # fmt: skip


def prepare(folder: Path, database: str, **more: str) -> None:
    """Set up Django for an empty installation in a folder, on SQLite or in a database of its own at that URL."""
    for name in [name for name in os.environ if name.startswith("ALMA_") and not name.startswith("ALMA_TEST_")]:
        del os.environ[name]
    port = free_port(2)
    os.environ.update(
        {
            "DJANGO_SETTINGS_MODULE": "alma.settings",
            "ALMA_DATA_DIR": str(folder),
            "ALMA_HTTP_PORT": str(port),
            "ALMA_SANDBOX_PORT": str(port + 1),
            **QUICK,
            **more,
        }  # fmt: skip
    )
    if database:
        os.environ["ALMA_DATABASE_URL"] = database
    import django

    django.setup()


@contextlib.contextmanager
def sandbox(folder: Path) -> Iterator[None]:
    """`manage.py sandbox` on the port of the settings."""
    command = [sys.executable, "manage.py", "sandbox"]
    with (folder / "sandbox.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        wait(lambda: "listening" in (folder / "sandbox.log").read_text(), 30, "the sandbox")
        yield
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def up(folder: Path) -> Iterator[int]:
    """`manage.py up` of that folder, with all its roles; its process id."""
    log = folder / "up.log"
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"], cwd=ROOT, stdout=file, stderr=file, start_new_session=True
        )
    from django.conf import settings

    settings.ALMA_FAILPOINTS = ""  # others die, not we
    try:
        wait(lambda: "\nready http" in f"\n{log.read_text()}", 90, "ready")
        yield process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def wait(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Until it is true. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(0.05)


def actor() -> "Actor":
    """Who deploys."""
    from alma.accounts.actors import Actor, for_service
    from alma.accounts.models import Organization

    return Actor(Organization.objects.get(slug="default").pk, "chaos", for_service("").scopes)


def propose(name: str, guests: int) -> "IPR":
    """Open an IPR for that many guests, the first of which the others need; planned by whoever takes the job."""
    from alma.accounts.models import Environment
    from blueprints import services as blueprints
    from iprs import services as iprs

    specs = {"cpu": 1, "memory": "1GB", "disk": "10GB", "os": "debian-12"}
    names = [f"{name}-{number}" for number in range(guests)]
    resources = [
        {"name": one, "type": "vm", "specs": specs, "dependencies": names[:1] if number else []}
        for number, one in enumerate(names)
    ]
    blueprint = blueprints.create({"version": "1.0", "name": name, "resources": resources}, by=actor())
    return iprs.open_ipr(blueprint, by=actor(), title=name, environment=Environment.objects.get(slug="development"))


def begin(name: str, guests: int) -> "Deployment":
    """Propose that many guests and deploy them; planned here, deployed by others."""
    from alma.jobs import engine
    from alma.jobs.models import Job
    from iprs import services as iprs
    from iprs.models import IPR

    ipr = propose(name, guests)
    planning = Job.objects.filter(kind="plan", steps__params__plan=ipr.current_plan_id)
    deadline = time.monotonic() + 90
    while planning.active().exists():
        for pk in planning.active().values_list("pk", flat=True):
            engine.advance(pk)
        if time.monotonic() > deadline:
            raise TimeoutError(f"the plan of {name} was not computed: {_story(planning.get().stream)}")
    return iprs.deploy(IPR.objects.get(pk=ipr.pk), by=actor())


def _story(stream: str) -> list[str]:
    from alma.events.models import Event

    return [f"{event.kind} {event.data}" for event in Event.objects.of(stream)][-8:]


@cache
def client() -> Any:
    """An independent client of the sandbox, by password. Logged in once: a ticket is not asked for in a storm."""
    import proxmoxer
    from django.conf import settings

    from vms.sandbox import credentials

    known = credentials.ensure(settings.ALMA_DATA_DIR)
    return proxmoxer.ProxmoxAPI(
        "127.0.0.1", port=settings.ALMA_SANDBOX_PORT, user=known.user, password=known.password, verify_ssl=known.ca_path
    )


def asked(request: Callable[[Any], object]) -> bool:
    """Whether the sandbox answered."""
    try:
        request(client())
    except Exception:  # noqa: BLE001 - a fault that meets a fault
        return False
    return True


def guests(prefix: str) -> Counter[str]:
    """How many guests of each name there are whose name begins so, as the independent client counts."""
    rows = client().cluster.resources.get(type="vm")
    return Counter(row["name"] for row in rows if row["name"].startswith(prefix) and not row.get("template"))


def breaches() -> list[str]:
    """Everything that does not hold, in words."""
    from alma.jobs.findings import check_invariants

    return [f"{found.code} {found.subject}: {found.message}" for found in check_invariants()]
