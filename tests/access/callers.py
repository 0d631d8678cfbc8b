"""Who calls: nobody, people of each role, keys of each preset, keys of a single right, and credentials that have ended."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from alma.accounts.actors import CHOSEN
from alma.accounts.models import Membership, Organization
from alma.accounts.scopes import EVERYTHING, ROLE_SCOPES
from tests.access.expectations import Expected
from tests.access.world import PRESET_KEYS, dead_keys
from tests.factories.accounts import make_key, make_user, sign_in

JSON = "application/json"


@dataclass(frozen=True)
class Caller:
    """A client and what it may. `kind` is nobody, person, key or dead."""

    name: str
    kind: str
    client: Client
    scopes: frozenset[str] = frozenset()
    headers: dict[str, str] = field(default_factory=dict)
    is_staff: bool = False
    is_member: bool = True

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, *, is_api: bool = True) -> Any:
        """One request; the API is sent JSON and pages a form."""
        before = {name: morsel.value for name, morsel in self.client.cookies.items()}
        response = self._call(method, path, body or {}, is_api)
        self.client.cookies.clear()
        self.client.cookies.load(before)
        return response

    def _call(self, method: str, path: str, body: dict[str, Any], is_api: bool) -> Any:
        headers = {"Prefer": "respond-async", **self.headers}
        if method in {"GET", "DELETE"}:
            return self.client.generic(method, path, headers=headers)
        send = getattr(self.client, method.lower())
        return send(path, body, headers=headers, **({"content_type": JSON} if is_api else {}))


def of_key(name: str, secret: str, scopes: frozenset[str], kind: str = "key") -> Caller:
    """A program with this key."""
    return Caller(name, kind, Client(), scopes, {"X-API-Key": secret})


def of_person(name: str, person: User, scopes: frozenset[str], **more: Any) -> Caller:
    """A person who has just given the password."""
    return Caller(name, "person", sign_in(Client(), person), scopes, **more)


NOBODY = Caller("anonymous", "nobody", Client(), is_member=False)


def people(ours: Organization, theirs: Organization) -> list[Caller]:
    """One of each role, and the special cases."""
    callers = [of_person(role, make_user(role, organization=ours), scopes) for role, scopes in ROLE_SCOPES.items()]
    root = make_user(None, is_superuser=True, is_staff=True)
    disabled = of_person("disabled user", make_user(organization=ours), frozenset())
    User.objects.filter(pk=disabled.client.session["_auth_user_id"]).update(is_active=False)
    return [
        *callers,
        of_person("superuser", root, frozenset(), is_staff=True, is_member=False),
        of_person("stranger", make_user(None), frozenset(), is_member=False),
        Caller("disabled user", "nobody", disabled.client, is_member=False),
        _of_both(ours, theirs),
    ]


def _of_both(ours: Organization, theirs: Organization) -> Caller:
    """An administrator of both organizations who acts in ours at the moment."""
    person = make_user(organization=ours)
    Membership.objects.create(organization=theirs, user=person, role="admin")
    caller = of_person("member of both", person, ROLE_SCOPES["admin"])
    session = caller.client.session
    session[CHOSEN] = ours.pk
    session.save()
    return caller


def keys(ours: Organization) -> list[Caller]:
    """A key of each preset, and those that have ended."""
    alive = [
        of_key(f"{name} key", make_key(scopes, organization=ours)[1], scopes) for name, scopes in PRESET_KEYS.items()
    ]
    dead = [of_key(name, secret, frozenset(), "dead") for name, secret in dead_keys(ours).items()]
    return [*alive, *dead, of_key("wrong key", "alm_live_wrong", frozenset(), "dead")]


def narrow_keys(ours: Organization, rows: Iterable[Expected]) -> dict[frozenset[str], Caller]:
    """A key for each set of rights that some route asks for, and one with all rights but each of them."""
    wanted = {scopes for row in rows for scopes in narrow(row)}
    return {scopes: of_key(_named(scopes), make_key(scopes, organization=ours)[1], scopes) for scopes in wanted}


def narrow(expected: Expected) -> list[frozenset[str]]:
    """What opens a route by its rights opens it with these alone, and stays shut with all others together: so it does
    for every single one of those."""
    rights = expected.rights
    return [rights, *(EVERYTHING - {right} for right in rights)] if rights else []


def _named(scopes: frozenset[str]) -> str:
    without = EVERYTHING - scopes
    return f"all but {' '.join(without)}" if len(without) == 1 else f"only {' '.join(sorted(scopes))}"
