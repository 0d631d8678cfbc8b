"""Whose word a request carries: the credential's when it names a person, else the name that the caller gives."""

from dataclasses import dataclass

from django.contrib.auth.models import User

from alma.accounts.actors import Actor
from alma.errors import Invalid

MAX_NAME = 150


@dataclass(frozen=True)
class Identity:
    """`name` is stable and compared, `label` is shown, `is_verified` says that a person signed in."""

    name: str
    label: str
    user: User | None
    is_verified: bool


def identity_of(actor: Actor, claimed: str = "") -> Identity:
    """The identity behind an actor. A claimed name only labels it, unless there is no person behind the credential.

    Raises Invalid for a name that no history should show."""
    claimed = printable(claimed, "reviewer")
    if actor.user is not None:
        return Identity(f"user:{actor.user.pk}", actor.user.get_username(), actor.user, True)
    if claimed:
        return Identity(f"name:{claimed.casefold()}", claimed, None, False)
    if actor.key_id is not None:
        return Identity(f"key:{actor.key_id}", actor.label, None, False)
    return Identity(f"name:{actor.label}", actor.label, None, False)


def claimed_author(actor: Actor, claimed: str) -> str:
    """The name that a caller gives for themselves, where none is known better: while no key is asked for. Raises Invalid."""
    return printable(claimed, "created_by") if actor.is_keyless else ""


def printable(name: str, field: str) -> str:
    """A name without the space around it. Raises Invalid for one that no history should show."""
    name = name.strip()
    if len(name) > MAX_NAME or not name.isprintable():
        raise Invalid(f"{field}: a name is at most {MAX_NAME} printable characters.", details={"field": field})
    return name
