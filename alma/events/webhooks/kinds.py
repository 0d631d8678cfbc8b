"""What events are called outside, and which a webhook may ask for."""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

TEST = "webhook.test"
EVERYTHING = "*"


class Kind(NamedTuple):
    """A name that receivers see, and when it is sent."""

    name: str
    meaning: str


GROUPS: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    (
        "Estate",
        (
            Kind("vm.created", "A VM or container has appeared"),
            Kind("vm.deleted", "It is gone"),
            Kind("vm.status_changed", "It was started, stopped or paused"),
            Kind("vm.drifted", "A guest of ours was changed or deleted behind ALMA's back, or lost its mark"),
            Kind("vm.drift_settled", "It is as it was left again, or a run has dealt with it"),
            Kind("vm.orphan_found", "A guest with ALMA's mark that nobody stands for is in quarantine"),
            Kind("vm.orphan_removed", "It was removed after its grace, read back"),
            Kind("instance.status_changed", "A language model has started, ended, failed or does not answer"),
            Kind("backup.completed", "A backup has been made"),
            Kind("security.scan_completed", "A security scan has ended"),
        ),
    ),
    (
        "Work and warnings",
        (
            Kind("job.completed", "A job in the background, a deployment too, has ended well"),
            Kind(
                "system.alert",
                "A job failed, a cluster cannot be read, many guests drifted at once, no worker works, the doctor found what "
                "must not be, a webhook was turned off",
            ),
        ),
    ),
    (
        "IPRs",
        (
            Kind("ipr.opened", "A change was proposed"),
            Kind("ipr.revised", "A new revision of it"),
            Kind("ipr.planned", "Its plan was computed"),
            Kind("ipr.reviewed", "Somebody reviewed it"),
            Kind("ipr.commented", "Somebody commented"),
            Kind("ipr.approved", "It may be deployed"),
            Kind("ipr.changes_requested", "A reviewer wants it changed"),
            Kind("ipr.rejected", "A reviewer rejected it"),
            Kind("ipr.deployed", "It is done"),
            Kind("ipr.failed", "Its deployment failed"),
            Kind("ipr.rolled_back", "It was undone"),
            Kind("ipr.cancelled", "Its author withdrew it"),
        ),
    ),
    (
        "Deployments",
        (
            Kind("deployment.started", "A run has begun"),
            Kind("deployment.resource", "One resource of it is finished"),
            Kind("deployment.completed", "Everything was done and read back"),
            Kind("deployment.failed", "It stopped"),
            Kind("deployment.cancelled", "Somebody stopped it"),
            Kind("deployment.rolling_back", "What it did is being undone"),
            Kind("deployment.rolled_back", "It was undone, read back"),
            Kind("deployment.rollback_failed", "The rollback stopped"),
        ),
    ),
)
NAMES = tuple(kind.name for _, kinds in GROUPS for kind in kinds)
WILDCARDS = tuple(sorted({f"{name.split('.')[0]}.*" for name in NAMES}))
ALERTS = frozenset({"cluster.unreachable", "cluster.drifted", "doctor.alarmed", "queue.frozen", "webhook.disabled"})


@lru_cache(maxsize=512)
def public_names(kind: str) -> tuple[str, ...]:
    """What an event of ours is called outside, the most telling name first; nothing when it stays inside."""
    names = [kind] if kind in NAMES else []
    area, _, verb = kind.rpartition(".")
    if verb in {"completed", "scan_completed"} and area != "job":
        names.append("job.completed")
    if (verb in {"failed", "scan_failed"} and area != "ipr") or kind in ALERTS:
        names.append("system.alert")
    return tuple(names)


def chosen(names: Iterable[str], wanted: Iterable[str]) -> str:
    """The name under which a webhook is told of an event, or nothing. A webhook that names no kinds gets the first."""
    asked = set(wanted) or {EVERYTHING}
    return next((name for name in names if asked & {name, f"{name.partition('.')[0]}.*", EVERYTHING}), "")


def unknown(wanted: Iterable[str]) -> list[str]:
    """Names that no event will ever have."""
    return sorted(set(wanted) - {*NAMES, *WILDCARDS, EVERYTHING})
