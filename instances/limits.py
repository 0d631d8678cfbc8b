"""How many instances of an organization run at a time, in all and in each group. The operator's settings are ceilings; an
organization may set itself lower ones. Whoever counts holds `locked`: two at once do not both find the last place."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from alma.accounts.actors import Actor
from alma.accounts.models import Organization
from alma.errors import Invalid, WrongState
from alma.events.services import emit
from instances.models import Instance, Limit

WRITE = "instance:write"
IN_ALL = ""
"""The group of all."""


@dataclass(frozen=True)
class Limits:
    """`groups` holds those that have one; `evicts` tells whether one that rests is stopped for one that is asked for."""

    total: int
    groups: Mapping[str, int]
    evicts: bool = True

    def fits(self, running: Iterable[str], group: str) -> bool:
        """Whether one more of this group has room beside those, given by their groups."""
        running = list(running)
        return len(running) < self.total and not self.is_group_full(running, group)

    def is_group_full(self, running: Iterable[str], group: str) -> bool:
        """Whether the group has as many as it may."""
        return group in self.groups and Counter(running)[group] >= self.groups[group]


def locked(organization_id: int) -> None:
    """Count alone until the transaction ends."""
    Organization.objects.select_for_update().get(pk=organization_id)


def limits_of(organization_id: int) -> Limits:
    """The limits that hold."""
    return _limits(dict(Limit.objects.filter(organization_id=organization_id).values_list("group", "most")))


def _limits(own: dict[str, int]) -> Limits:
    total = min(settings.ALMA_INSTANCES_RUNNING, own.pop(IN_ALL, settings.ALMA_INSTANCES_RUNNING))
    ceilings = settings.ALMA_INSTANCE_GROUPS
    groups = {group: min(own.get(group, most), most) for group, most in ceilings.items()}
    return Limits(total, own | groups, settings.ALMA_INSTANCE_EVICTION)


def without_room(rows: Sequence[Instance], lost: Collection[str]) -> set[int]:
    """Of all instances those that do not run, and could not be started now, for as many run as may: by number. `lost` names the
    machines that are away."""
    resting = [row for row in rows if row.wanted == Instance.Wish.STOPPED]
    own: dict[int, dict[str, int]] = defaultdict(dict)
    running: dict[int, list[str]] = defaultdict(list)
    for limit in Limit.objects.filter(organization__in={row.organization_id for row in resting}) if resting else ():
        own[limit.organization_id][limit.group] = limit.most
    for row in rows:
        if row.wanted == Instance.Wish.RUNNING and not row.has_failed and row.node not in lost:
            running[row.organization_id].append(row.group)
    known = {pk: _limits(own[pk]) for pk in {row.organization_id for row in resting}}
    return {row.pk for row in resting if not known[row.organization_id].fits(running[row.organization_id], row.group)}


def refuse_full(instance: Instance) -> None:
    """Nothing when it has room beside those that shall run. Raises WrongState."""
    rows = Instance.objects.filter(organization_id=instance.organization_id).taking_place().exclude(pk=instance.pk)
    groups = list(rows.values_list("group", flat=True))
    limits = limits_of(instance.organization_id)
    refuse_beyond("run at a time", len(groups), limits.total)
    if limits.is_group_full(groups, instance.group):
        most = limits.groups[instance.group]
        refuse_beyond("run at a time in the group " + instance.group, most, most)


def refuse_beyond(verb: str, count: int, most: int) -> None:
    """Raises WrongState when there are so many already."""
    if count >= most:
        so_many = (
            f"1 instance can {verb}, and one does" if most == 1 else f"{most} instances can {verb}, and so many do"
        )
        raise WrongState(
            f"At most {so_many}.",
            code="MAX_INSTANCES_REACHED",
            details={"limit": most},
        )


@dataclass(frozen=True)
class Usage:
    """The limits with how many shall run: in all, and by group the one and the other."""

    limit: int
    running: int
    groups: Mapping[str, tuple[int, int]]


def usage(actor: Actor) -> Usage:
    """As it is now."""
    own = limits_of(actor.organization_id or 0)
    counts = Counter(Instance.objects.visible_to(actor).taking_place().values_list("group", flat=True))
    return Usage(
        own.total, counts.total(), {group: (most, counts[group]) for group, most in sorted(own.groups.items())}
    )


@transaction.atomic
def change(changes: Mapping[str, int | None], *, by: Actor) -> None:
    """Set the limits of these groups, and take back those that are None. Raises Invalid, Refused."""
    by.require(WRITE)
    organization_id = by.organization_id or 0
    locked(organization_id)
    rows = [
        Limit(organization_id=organization_id, group=group, most=most)
        for group, most in changes.items()
        if most is not None
    ]
    _check(rows)
    Limit.objects.visible_to(by).filter(group__in=changes).delete()
    Limit.objects.bulk_create(rows)
    if Limit.objects.visible_to(by).count() > Limit.MOST_ROWS:
        raise Invalid(f"At most {Limit.MOST_ROWS} groups have limits.", code="TOO_MANY_LIMITS")
    emit(
        f"instances:{organization_id}", "instance.limits_changed", organization_id=organization_id, actor=by.label,
        name="limits", limits=dict(changes),
    )  # fmt: skip


def _check(rows: Iterable[Limit]) -> None:
    try:
        for row in rows:
            row.clean_fields(exclude=["organization"])
    except ValidationError as error:
        words = next(iter(error.message_dict.values()))[0]
        raise Invalid(f"A limit is a number of at least 1 for a group of up to 50 characters: {words}") from error
