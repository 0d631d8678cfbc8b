"""Who belongs to an organization, and as what."""

import unicodedata

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.accounts.desk.audit import hold, organization_of, tell
from alma.accounts.models import ApiKey, Membership
from alma.errors import Invalid, NotFound, WrongState

WRITE = "admin:write"
READ = "admin:read"
_is_name = UnicodeUsernameValidator()


@transaction.atomic
def add(username: str, role: str, *, by: Actor) -> tuple[Membership, bool]:
    """Make somebody a member; true when the person is new here and needs a link. Raises Refused, Invalid, WrongState."""
    by.require(WRITE)
    organization = hold(organization_of(by))
    person, is_new = _person(username)
    try:
        with transaction.atomic():
            row = Membership.objects.create(organization=organization, user=person, role=_role(role))
    except IntegrityError as error:
        raise WrongState(f"{person.username} is a member already.", code="ALREADY_A_MEMBER") from error
    tell(organization.pk, "member.added", by=by, member=person.username, role=row.role, is_new=is_new)
    return row, is_new


def _person(username: str) -> tuple[User, bool]:
    """The person of that name, or a new one without a password: nobody signs in as them before they set one."""
    name = unicodedata.normalize("NFKC", username.strip())
    try:
        _is_name(name)
    except ValidationError as error:
        raise Invalid(f"username: {error.message}", details={"field": "username"}) from error
    if len(name) > 150:
        raise Invalid("username: at most 150 characters.", details={"field": "username"})
    return User.objects.get_or_create(username=name, defaults={"password": make_password(None)})


def _role(role: str) -> Membership.Role:
    if role not in Membership.Role.values:
        raise Invalid(f"role: must be one of {', '.join(Membership.Role.values)}.", details={"field": "role"})
    return Membership.Role(role)


def found(pk: int, *, by: Actor) -> Membership:
    """That membership of the actor's organization. Raises Refused, NotFound."""
    by.require(READ)
    row = Membership.objects.visible_to(by).select_related("user").filter(pk=pk).first()
    if row is None:
        raise NotFound("There is no such member.", code="MEMBER_NOT_FOUND")
    return row


@transaction.atomic
def change_role(member: Membership, role: str, *, by: Actor) -> None:
    """From the next request on the member has other rights. Raises Refused, Invalid, WrongState."""
    row = _held(member, by=by)
    to, was = _role(role), row.role
    if to == was:
        return
    if was == Membership.Role.ADMIN:
        _check_another_admin(row)
    row.role = to
    row.save(update_fields=["role"])
    tell(row.organization_id, "member.role_changed", by=by, member=row.user.username, was=was, role=to)


@transaction.atomic
def remove(member: Membership, *, by: Actor) -> int:
    """End a membership and every key that acts for the person here; how many those were. Raises Refused, WrongState."""
    row = _held(member, by=by)
    if row.role == Membership.Role.ADMIN:
        _check_another_admin(row)
    keys = ApiKey.objects.filter(organization_id=row.organization_id, owner=row.user, revoked_at=None)
    ended = keys.update(revoked_at=timezone.now())
    row.delete()
    tell(row.organization_id, "member.removed", by=by, member=row.user.username, keys=ended)
    return ended


def _held(member: Membership, *, by: Actor) -> Membership:
    by.require(WRITE)
    hold(organization_of(by))
    return found(member.pk, by=by)


def _check_another_admin(member: Membership) -> None:
    others = Membership.objects.filter(organization_id=member.organization_id, role=Membership.Role.ADMIN)
    if not others.filter(user__is_active=True).exclude(pk=member.pk).exists():
        raise WrongState("This is the last administrator; make somebody else one first.", code="LAST_ADMIN")


def last_admin(*, by: Actor) -> int | None:
    """The membership without which nobody could administer the actor's organization; None while there are several."""
    rows = Membership.objects.visible_to(by).filter(role=Membership.Role.ADMIN, user__is_active=True)
    found = list(rows.values_list("pk", flat=True)[:2])
    return found[0] if len(found) == 1 else None


@transaction.atomic
def invite(member: Membership, *, by: Actor) -> User:
    """Make ready for a new link, which ends the one before. Raises Refused, WrongState for who has a password."""
    row = _held(member, by=by)
    if not awaits_password(row):
        raise WrongState("This person has an account of their own.", code="HAS_PASSWORD")
    row.user.set_unusable_password()
    row.user.save(update_fields=["password"])
    tell(row.organization_id, "member.invited", by=by, member=row.user.username)
    return row.user


def awaits_password(member: Membership) -> bool:
    """Whether the person was invited by this organization alone and has set no password yet."""
    person = member.user
    is_here_alone = not Membership.objects.filter(user=person).exclude(pk=member.pk).exists()
    return is_here_alone and person.last_login is None and not person.has_usable_password() and not person.is_staff
