"""Clusters, guests and ledger rows for tests."""

import itertools
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from alma.accounts.models import Organization
from vms.models import Cluster, Guest, GuestClaim
from vms.services import GuestSpec
from vms.services import register_cluster as register

if TYPE_CHECKING:
    from tests.fixtures.sandbox import RunningSandbox

GIB = 1024**3
_numbers = itertools.count(1)


def _organization() -> Organization:
    number = next(_numbers)
    return Organization.objects.create(slug=f"vms-{number}", name=f"Organization {number}")


def make_cluster(running: "RunningSandbox | None" = None, **overrides: Any) -> Cluster:
    """A registered cluster; that of a running sandbox, or one at an address where nothing answers."""
    organization = overrides.pop("organization", None) or _organization()
    where: dict[str, Any] = {"host": "127.0.0.1", "port": 9, "token_id": "root@pam!alma", "token_secret": "no-secret"}
    if running is not None:
        with open(running.ca_path, encoding="ascii") as file:
            pem = file.read()
        where = {
            "host": running.host, "port": running.port, "ca_pem": pem, "token_id": running.token_id,
            "token_secret": running.token_secret, "is_sandbox": True,
        }  # fmt: skip
    slug = overrides.pop("slug", f"cluster-{next(_numbers)}")
    return register(organization_id=organization.pk, **({"slug": slug, "name": slug.title()} | where | overrides))


def make_claim(cluster: Cluster, **overrides: Any) -> GuestClaim:
    """A ledger row."""
    values = {
        "vmid": 700_000 + next(_numbers),
        "owner": "test",
        "key": "web",
        "kind": "vm",
        "node": "pve1",
        "job": "job-0",
    }
    return GuestClaim.objects.create(cluster=cluster, organization=cluster.organization, **(values | overrides))


def make_guest(cluster: Cluster, **overrides: Any) -> Guest:
    """A row of the inventory."""
    number = next(_numbers)
    values = {
        "vmid": 100_000 + number, "kind": "vm", "node": "pve1", "name": f"guest-{number}", "status": "running", "cores": 2,
        "memory_bytes": 2 * GIB, "disk_bytes": 10 * GIB, "seen_at": timezone.now(),
    }  # fmt: skip
    return Guest.objects.create(cluster=cluster, organization_id=cluster.organization_id, **(values | overrides))


def guest_spec(cluster: Cluster, **overrides: Any) -> GuestSpec:
    """A small VM from scratch."""
    values = {
        "cluster": cluster.pk, "owner": "test", "key": "web", "node": "pve1", "name": "web", "cores": 2,
        "memory_bytes": 2 * GIB, "disk_bytes": 8 * GIB, "storage": "local-lvm", "bridge": "vmbr0",
    }  # fmt: skip
    return GuestSpec(**(values | overrides))
