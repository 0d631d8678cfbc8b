"""What requests, and not people, ask of instances: to start, to stay for a while, to be let go."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from alma.events.services import emit
from instances import limits
from instances.models import Instance

ACTOR = "on demand"
Wish = Instance.Wish


def keep(instance_pk: int, until: datetime | None) -> None:
    """Neither idle nor stopped for another before then. None lets it go as soon as nothing runs, unless it is pinned."""
    rows = Instance.objects.filter(pk=instance_pk)
    if until is None:
        rows = rows.filter(is_pinned=False)
    rows.update(kept_until=until, ends_when_quiet=until is None)


@transaction.atomic
def start(instance: Instance, *, why: str) -> bool:
    """Have it run; False when it shall already, or has no room any more."""
    limits.locked(instance.organization_id)
    running = Instance.objects.filter(organization_id=instance.organization_id).taking_place()
    groups = list(running.values_list("group", flat=True))
    if not limits.limits_of(instance.organization_id).fits(groups, instance.group):
        return False
    rows = Instance.objects.filter(pk=instance.pk, wanted=Wish.STOPPED)
    if not rows.update(wanted=Wish.RUNNING, wanted_run=F("wanted_run") + 1, ends_when_quiet=False):
        return False
    instance.refresh_from_db()
    _tell(instance, "instance.start_asked", why)
    return True


@transaction.atomic
def let_go(instance: Instance, *, why: str) -> bool:
    """Have it end when its last request has; False when nobody wants it any more, or somebody has just asked for it."""
    rows = Instance.objects.filter(pk=instance.pk, wanted=Wish.RUNNING, wanted_run=instance.wanted_run)
    if not rows.update(wanted=Wish.STOPPED, stop_by=None, ends_when_quiet=False):
        return False
    instance.refresh_from_db()
    _tell(instance, "instance.let_go", why)
    return True


def _tell(instance: Instance, kind: str, why: str) -> None:
    emit(instance.stream, kind, organization_id=instance.organization_id, actor=ACTOR, name=instance.name, why=why)
